import { expect, it, vi } from "vitest";
import { copy } from "./clipboard";

/** A document whose browser has this clipboard. */
function withClipboard(clipboard: unknown, execCommand: () => boolean = () => false): Document {
  vi.stubGlobal("navigator", { clipboard });
  Object.defineProperty(document, "execCommand", { value: execCommand, configurable: true });
  return document;
}

it("writes to the clipboard", async () => {
  const writeText = vi.fn(() => Promise.resolve());

  expect(await copy("text", withClipboard({ writeText }))).toBe(true);

  expect(writeText).toHaveBeenCalledWith("text");
});

it("copies a selection where there is no clipboard, and leaves nothing behind", async () => {
  let selected = "";
  const on = withClipboard(undefined, () => {
    selected = document.querySelector("textarea")?.value ?? "";
    return true;
  });

  expect(await copy("text", on)).toBe(true);

  expect(selected).toBe("text");
  expect(document.querySelector("textarea")).toBeNull();
});

it("says when it could not", async () => {
  const refused = { writeText: () => Promise.reject(new Error("not allowed")) };

  expect(await copy("text", withClipboard(refused))).toBe(false);
});
