/** Songs as a table for spreadsheets (RFC 4180). Pure. */
import type { Song } from "./song";

const HEADER = [
  "song",
  "status",
  "genre",
  "confidence",
  "first",
  "first_probability",
  "second",
  "second_probability",
  "third",
  "third_probability",
  "duration_seconds",
  "error",
  "job",
] as const;

/** By this a spreadsheet knows that the text is UTF-8. */
const BYTE_ORDER_MARK = "\uFEFF";

export function csvOf(songs: readonly Song[]): string {
  const lines = [HEADER, ...songs.map(row)].map((cells) => cells.map(cell).join(",") + "\r\n");
  return BYTE_ORDER_MARK + lines.join("");
}

type Value = string | number | null | undefined;

function row({ name, phase, summary, error, jobId, isMissing }: Song): readonly Value[] {
  const [first, second, third] = summary?.top ?? [];
  const status = isMissing ? "missing" : summary?.isGone ? "gone" : (summary?.status ?? phase);
  return [
    name,
    status,
    summary?.genre,
    summary?.confidence,
    first?.genre,
    first?.probability,
    second?.genre,
    second?.probability,
    third?.genre,
    third?.probability,
    summary?.durationSeconds,
    summary?.error?.detail ?? error?.message,
    jobId,
  ];
}

function cell(value: Value): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  // A spreadsheet would run what begins like a formula, and songs are named by strangers.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
