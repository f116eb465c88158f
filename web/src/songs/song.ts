/** A song of this browser as a value: made, summed up, named. It is changed in `songs.ts` alone. */
import type { ApiError } from "../problem";
import { isFinished, type Job, type Prediction } from "../types";

/** What a list needs to know of a job, and what is kept of it in the browser. */
export interface Summary {
  readonly status: Job["status"];
  readonly stage: string | null;
  readonly fraction: number;
  readonly queuePosition: number | null;
  /** Its worker was asked to stop, and has not yet. */
  readonly isCancelling?: boolean;
  readonly genre: string | null;
  readonly confidence: number | null;
  readonly top: readonly Prediction[];
  readonly durationSeconds: number | null;
  readonly error: { readonly code: string; readonly detail: string } | null;
  /** The result is no longer at the server. */
  readonly isGone: boolean;
}

export interface Song {
  /** Of this entry, in this browser. */
  readonly key: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly addedAt: number;
  /** waiting: for its turn, or until `retryAt`; sending: its bytes; accepted: it is a job; refused: see `error`. */
  readonly phase: "waiting" | "sending" | "accepted" | "refused";
  /** Share of the upload that has been sent. */
  readonly sentFraction: number;
  /** When a submission that was refused for now is sent again, milliseconds since 1970; null where none is. */
  readonly retryAt: number | null;
  readonly error: ApiError | null;
  /** Why it goes on although it was to be cancelled. */
  readonly cancelError?: ApiError | null;
  readonly jobId: string | null;
  /** null until the job is known. */
  readonly summary: Summary | null;
  /** The server knows no such job, or not of this key. */
  readonly isMissing?: boolean;
}

export function newSong(name: string, addedAt: number): Song {
  return {
    key: randomId(),
    name,
    addedAt,
    phase: "waiting",
    sentFraction: 0,
    retryAt: null,
    error: null,
    jobId: null,
    summary: null,
  };
}

/** The song of a job that somebody else submitted, or that was kept. */
export function songOfJob(jobId: string, name: string, addedAt: number, summary: Summary): Song {
  return { ...newSong(name, addedAt), phase: "accepted", sentFraction: 1, jobId, summary };
}

export function summaryOf(job: Job): Summary {
  const { status, progress, result, source, error } = job;
  return {
    status,
    stage: progress.stage,
    fraction: progress.fraction,
    queuePosition: progress.queue_position,
    isCancelling: job.cancel_requested && !isFinished(job),
    genre: result?.genre ?? null,
    confidence: result?.confidence ?? null,
    top: result?.top ?? [],
    durationSeconds: source.duration_seconds,
    error: error && { code: error.code, detail: error.detail },
    isGone: false,
  };
}

/** Whether nothing more will happen to it by itself. */
export function hasEnded(song: Song): boolean {
  if (song.phase === "refused" || song.isMissing) return true;
  return song.summary !== null && (song.summary.isGone || isFinished(song.summary));
}

/** What a job's song is called: its file, or the last part of its URL. */
export function nameOf(source: Job["source"]): string {
  return source.filename ?? (source.url === null ? "A song" : nameOfUrl(source.url));
}

export function nameOfUrl(text: string): string {
  try {
    const url = new URL(text);
    const last = url.pathname.split("/").findLast((part) => part !== "");
    return last === undefined ? url.hostname || text : decoded(last);
  } catch {
    return text;
  }
}

/** 128 bits in hex. (`crypto.randomUUID` is missing on plain http.) */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
