/** A native modal dialog: the browser keeps the focus in it, closes it by Escape and gives the focus back. */
import { useEffect, useId, useRef, type ReactNode } from "react";
import "./Dialog.css";

export interface DialogProps {
  readonly title: string;
  /** Whether there is a button to close it at its top; without, what is in it has one. */
  readonly hasClose?: boolean;
  readonly children: ReactNode;
  readonly onClose: () => void;
}

/** Open as long as it is rendered. */
export function Dialog({ title, hasClose = false, children, onClose }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    if (element && !element.open) element.showModal();
    element?.querySelector<HTMLElement>("input, button")?.focus(); // not what can be scrolled
    return () => {
      element?.close();
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === event.currentTarget && onClose()}
    >
      <article>
        <header>
          <h2 id={titleId}>{title}</h2>
          {hasClose && (
            <button type="button" className="quiet" onClick={onClose}>
              Close
            </button>
          )}
        </header>
        {children}
      </article>
    </dialog>
  );
}
