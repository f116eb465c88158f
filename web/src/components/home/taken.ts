/** What was dropped or pasted: songs, a link, or neither. It adds nothing and knows no page. */

export interface Taken {
  readonly files: readonly File[];
  readonly url: string | null;
  /** What to say to the person; null where there is nothing to say. */
  readonly remark: string | null;
}

export const FOLDER = "A folder cannot be sent. Open it and choose the songs in it.";
export const NEITHER = "Only songs, and links to songs, can be dropped here.";

/** The whole http or https address in a text, as the browser writes it; null where it is none. */
export function webAddress(text: string): string | null {
  const trimmed = text.trim();
  if (!/^https?:\/\/[^\s/]+/i.test(trimmed) || /\s/.test(trimmed) || !URL.canParse(trimmed)) return null;
  return new URL(trimmed).href;
}

/** The same of what a person writes into the field for links, who may leave out https://. */
export function typedAddress(text: string): string | null {
  const isBare = /^[^\s/:@?#]+\.[^\s/:@?#]+(:\d+)?([/?#]|$)/.test(text.trim());
  return webAddress(isBare ? `https://${text.trim()}` : text);
}

export function takenFrom(data: DataTransfer): Taken {
  const items = [...data.items].filter((item) => item.kind === "file");
  const songs = items.filter((item) => !isFolder(item));
  const files = songs.map((item) => item.getAsFile()).filter((file) => file !== null);
  if (files.length || songs.length < items.length)
    return { files, url: null, remark: songs.length < items.length ? FOLDER : null };
  const links = data.getData("text/uri-list").split(/\r?\n/);
  const link = links.find((line) => line && !line.startsWith("#")) ?? data.getData("text/plain");
  const url = webAddress(link);
  return { files: [], url, remark: url ? null : NEITHER };
}

function isFolder(item: DataTransferItem): boolean {
  return item.webkitGetAsEntry()?.isDirectory ?? false;
}
