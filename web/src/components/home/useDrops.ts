/** What is dropped anywhere in the window, and what is pasted outside of text fields. It sends nothing. */
import { useEffect, useEffectEvent, useState } from "react";
import { NEITHER, takenFrom, type Taken } from "./taken";

/** Whether something that could be dropped is above the window. */
export function useDrops(onTaken: (taken: Taken) => void): boolean {
  const [isAbove, setIsAbove] = useState(false);
  const tell = useEffectEvent(onTaken);
  useEffect(() => {
    const listening = new AbortController();
    const { signal } = listening;
    let isOurs = false; // a link of this page that is dragged about
    window.addEventListener("dragstart", () => (isOurs = true), { signal });
    window.addEventListener("dragend", () => (isOurs = false), { signal });
    const over = (event: DragEvent) => {
      if (isOurs || isText(event)) return;
      event.preventDefault();
      setIsAbove(true);
    };
    window.addEventListener("dragenter", over, { signal });
    window.addEventListener("dragover", over, { signal });
    window.addEventListener("dragleave", (event) => !event.relatedTarget && setIsAbove(false), { signal });
    const drop = (event: DragEvent) => {
      setIsAbove(false);
      if (isOurs || isText(event)) return;
      event.preventDefault();
      if (event.dataTransfer) tell(takenFrom(event.dataTransfer));
    };
    window.addEventListener("drop", drop, { signal });
    const paste = (event: ClipboardEvent) => {
      if (isField(event.target) || !event.clipboardData) return;
      const taken = takenFrom(event.clipboardData);
      if (taken.remark !== NEITHER) tell(taken); // any other text was not meant for us
    };
    window.addEventListener("paste", paste, { signal });
    return () => listening.abort();
  }, []);
  return isAbove;
}

/** Text above a text field: the browser puts it there. */
function isText(event: DragEvent): boolean {
  return isField(event.target) && !event.dataTransfer?.types.includes("Files");
}

function isField(target: EventTarget | null): boolean {
  if (target instanceof HTMLInputElement) return target.type !== "file";
  return target instanceof HTMLTextAreaElement || (target instanceof HTMLElement && target.isContentEditable);
}
