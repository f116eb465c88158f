/** Puts text onto the clipboard, also where the browser offers none (plain http). It says whether it could. */

export async function copy(text: string, on: Document = document): Promise<boolean> {
  const clipboard: Clipboard | undefined = on.defaultView?.navigator.clipboard; // missing on plain http
  try {
    if (clipboard) {
      await clipboard.writeText(text);
      return true;
    }
  } catch {
    // not allowed: the older way may be
  }
  return copyBySelection(text, on);
}

function copyBySelection(text: string, on: Document): boolean {
  const before = on.activeElement;
  const field = on.createElement("textarea");
  field.value = text;
  field.readOnly = true;
  field.className = "visually-hidden";
  on.body.append(field);
  field.focus();
  field.select();
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- the one way where there is no clipboard
    return on.execCommand("copy");
  } catch {
    return false;
  } finally {
    field.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}
