/** The songs that outlive a visit: those that became jobs, as text in the browser. It believes nothing that it reads. */
import type { TextStore } from "../lib/storage";
import { hasEnded, songOfJob, type Song, type Summary } from "./song";

export const STORE_NAME = "genrewiz.songs";
const MOST_KEPT = 1_000; // but all that goes on
const MOST_GENRES = 10;
const LAST_DATE = 8.64e15; // of JavaScript, milliseconds since 1970
const STATUSES: readonly string[] = ["queued", "running", "succeeded", "failed", "cancelled", "expired"];

export function readSongs(store: TextStore): readonly Song[] {
  return parseSongs(store.getItem(STORE_NAME));
}

export function writeSongs(store: TextStore, songs: readonly Song[]): void {
  store.setItem(STORE_NAME, textOf(songs));
}

/** Those that go on, and the newest of the others, as text; equal texts, equal songs. */
export function textOf(songs: readonly Song[]): string {
  return JSON.stringify(newest(songs.filter(isKept)).map(entry));
}

/** What `textOf` made, or an older release, or anybody: entries that make no sense are left out. */
export function parseSongs(text: string | null): readonly Song[] {
  try {
    const entries: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(entries) ? newest(entries.flatMap(song)) : [];
  } catch {
    return [];
  }
}

function isKept(song: Song): boolean {
  return song.jobId !== null && song.summary !== null;
}

function newest(songs: readonly Song[]): readonly Song[] {
  let room = MOST_KEPT - songs.filter((song) => !hasEnded(song)).length;
  return songs.filter((song) => !hasEnded(song) || room-- > 0);
}

/** How far a job is, is not kept: it would be written every second, and be wrong when read. */
function entry({ jobId, name, addedAt, summary }: Song): unknown {
  return { jobId, name, addedAt, summary: { ...summary, stage: null, fraction: 0, queuePosition: null } };
}

function song(value: unknown): readonly Song[] {
  const { jobId, name, addedAt, summary } = fields(value);
  if (typeof jobId !== "string" || !/^job_[0-9a-f]{24}$/.test(jobId)) return [];
  if (typeof name !== "string" || !isWithin(-LAST_DATE, addedAt, LAST_DATE)) return [];
  const known = summaryIn(fields(summary));
  return known ? [songOfJob(jobId, name, addedAt, known)] : [];
}

function summaryIn(value: Readonly<Record<string, unknown>>): Summary | null {
  const { status, genre, confidence, durationSeconds, isGone } = value;
  const error = fields(value["error"]);
  if (!isStatus(status)) return null;
  return {
    status,
    stage: null,
    fraction: 0,
    queuePosition: null,
    genre: typeof genre === "string" ? genre : null,
    confidence: isWithin(0, confidence, 1) ? confidence : null,
    top: Array.isArray(value["top"]) ? value["top"].flatMap(prediction).slice(0, MOST_GENRES) : [],
    durationSeconds: isWithin(0, durationSeconds, Number.MAX_VALUE) ? durationSeconds : null,
    error:
      typeof error["code"] === "string" && typeof error["detail"] === "string"
        ? { code: error["code"], detail: error["detail"] }
        : null,
    isGone: isGone === true,
  };
}

function isStatus(value: unknown): value is Summary["status"] {
  return typeof value === "string" && STATUSES.includes(value);
}

function prediction(value: unknown): Summary["top"] {
  const { genre, probability } = fields(value);
  return typeof genre === "string" && isWithin(0, probability, 1) ? [{ genre, probability }] : [];
}

function isWithin(least: number, value: unknown, most: number): value is number {
  return typeof value === "number" && value >= least && value <= most;
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return value !== null && typeof value === "object" ? { ...value } : {};
}
