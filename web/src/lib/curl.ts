/** A command for a shell that asks a GenreWiz for what the page asked it. Pure; it holds no secret. */
import type { Job } from "../types";

/** What the page asks of an answer; fields of `JobOptions`. */
export interface Options {
  readonly spectrogram: boolean;
  readonly min_confidence?: number;
}

export interface Asked {
  /** Of the server: "https://genre.example". */
  readonly origin: string;
  readonly source: Pick<Job["source"], "kind" | "filename" | "url">;
  /** The song's URL as it was given; null where only what the service tells of it is known: all but its query. */
  readonly url: string | null;
  readonly options: Options;
  /** Whether it wants a key; it stands in the command by the name of a variable. */
  readonly hasKey: boolean;
}

/** Without any quotes: a zsh that knows no comments would wait for their end. */
const NO_QUERY = "# The query of the link, if it has one, is not known here: add it.\n";

export function curlOf({ origin, source, url, options, hasKey }: Asked): string {
  const parts = ["curl", "-H 'Prefer: wait=30'"]; // its answer has the genre, not only the job
  if (hasKey) parts.push('-H "Authorization: Bearer $GENREWIZ_KEY"');
  if (source.kind === "url") {
    const body = { url: url ?? source.url ?? "https://…", options };
    parts.push("-H 'Content-Type: application/json'", `-d ${quoted(JSON.stringify(body))}`);
  } else {
    parts.push(`-F ${quoted(`job=${JSON.stringify({ options })}`)}`);
    parts.push(`-F ${quoted(`file=@${formPath(source.filename ?? "song.mp3")}`)}`);
  }
  const remark = source.kind === "url" && url === null ? NO_QUERY : "";
  return remark + [...parts, quoted(`${origin}/jobs`)].join(" ");
}

/** Quoted for a POSIX shell; what needs no quotes stays bare. */
function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/**
 * A file's name as curl's -F wants it: a comma or a semicolon ends a bare one, blanks at its ends are dropped, and
 * "-" alone is the standard input.
 */
function formPath(name: string): string {
  if (name === "-") return "./-";
  return /^[\w. ()+-]+$/.test(name) && name.trim() === name ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}
