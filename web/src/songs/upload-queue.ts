/** Sends songs, a few at a time and in order, and those again that were refused for now. It keeps no list. */
import { ApiError } from "../problem";
import type { Ask } from "../api";
import type { Job } from "../types";
import { randomId, type Song } from "./song";

export const MOST_AT_ONCE = 3;
export const MOST_TRIES = 10;
const MOST_TRIES_BROKEN_OFF = 3; // it may be how a server refuses what it does not want to read to the end
const LONGEST_WAIT_SECONDS = 30;

/** One song's submission, by file or by URL. */
export type Submit = (ask: Ask) => Promise<Job>;

export interface QueueEvents {
  /** Where a song stands now. */
  readonly changed: (key: string, change: Partial<Song>) => void;
  readonly accepted: (key: string, job: Job) => void;
  /** A job of a song that was stopped after all of it had been sent. */
  readonly unwanted: (job: Job) => void;
}

export interface UploadQueue {
  add(key: string, submit: Submit): void;
  /** Sends a refused one again; nothing happens where it is not refused. */
  again(key: string): void;
  /** Stops it for good. What was sent as a whole becomes a job all the same: its answer is awaited. */
  stop(key: string): void;
}

interface Entry {
  readonly submit: Submit;
  /** For all tries of one song. */
  readonly idempotencyKey: string;
  state: "waiting" | "sending" | "refused";
  tries: number;
  /** Not before then, milliseconds since 1970. */
  notBefore: number;
  controller: AbortController | null;
  isSent: boolean;
}

export function createUploadQueue({ changed, accepted, unwanted }: QueueEvents): UploadQueue {
  const entries = new Map<string, Entry>(); // in the order of their coming
  let pausedUntil = 0; // the server has no room: nobody else needs to find that out
  let timer: ReturnType<typeof setTimeout> | undefined;

  function pump(): void {
    clearTimeout(timer);
    const now = Date.now();
    let room = MOST_AT_ONCE - [...entries.values()].filter(({ state }) => state === "sending").length;
    let next = Infinity;
    for (const [key, entry] of entries) {
      if (entry.state !== "waiting") continue;
      const dueAt = Math.max(entry.notBefore, pausedUntil);
      if (dueAt > now) next = Math.min(next, dueAt);
      else if (room-- > 0) void send(key, entry);
    }
    if (next < Infinity) timer = setTimeout(pump, next - now);
  }

  async function send(key: string, entry: Entry): Promise<void> {
    const { submit, idempotencyKey } = entry;
    const { signal } = (entry.controller = new AbortController());
    entry.state = "sending";
    entry.isSent = false;
    entry.tries += 1;
    changed(key, { phase: "sending", sentFraction: 0, retryAt: null, error: null });
    const isWanted = () => entries.get(key) === entry;
    const onSent = (sentFraction: number) => {
      entry.isSent = sentFraction >= 1;
      if (isWanted()) changed(key, { sentFraction });
    };
    try {
      const job = await submit({ idempotencyKey, signal, onSent });
      if (isWanted()) {
        entries.delete(key);
        accepted(key, job);
      } else unwanted(job);
    } catch (error) {
      if (isWanted()) failed(key, entry, error);
    }
    pump();
  }

  function failed(key: string, entry: Entry, cause: unknown): void {
    const error = cause instanceof ApiError ? cause : surprise(cause);
    if (error.code === "unreachable" && !navigator.onLine) entry.tries -= 1; // nobody's fault
    if (!error.retryable || entry.tries >= mostTries(error)) {
      entry.state = "refused";
      changed(key, { phase: "refused", error, retryAt: null });
      return;
    }
    entry.state = "waiting";
    entry.notBefore = Date.now() + 1000 * waitSeconds(error, entry.tries);
    if (error.status === 429 || error.status === 503) pausedUntil = entry.notBefore;
    changed(key, { phase: "waiting", error, retryAt: entry.notBefore });
  }

  function hurry(): void {
    pausedUntil = 0;
    for (const entry of entries.values()) entry.notBefore = 0;
    pump();
  }

  window.addEventListener("online", hurry);

  return {
    add(key, submit) {
      const idempotencyKey = randomId();
      entries.set(key, {
        submit,
        idempotencyKey,
        state: "waiting",
        tries: 0,
        notBefore: 0,
        controller: null,
        isSent: false,
      });
      pump();
    },
    again(key) {
      const entry = entries.get(key);
      if (entry?.state !== "refused") return;
      Object.assign(entry, { state: "waiting", tries: 0, notBefore: 0 });
      changed(key, { phase: "waiting", error: null });
      pump();
    },
    stop(key) {
      const entry = entries.get(key);
      if (!entry?.isSent) entry?.controller?.abort();
      entries.delete(key);
      pump();
    },
  };
}

function waitSeconds(error: ApiError, tries: number): number {
  return error.retryAfterSeconds || Math.min(LONGEST_WAIT_SECONDS, 2 ** Math.max(1, tries));
}

function mostTries({ code }: ApiError): number {
  return code === "broken_off" ? MOST_TRIES_BROKEN_OFF : MOST_TRIES;
}

function surprise(cause: unknown): ApiError {
  return new ApiError({
    code: "not_understood",
    detail: cause instanceof Error ? cause.message : "Unknown.",
  });
}
