/** Asks after jobs that go on, one at a time. It keeps no list: whoever has one says which jobs those are. */
import type { Api } from "../api";
import { ApiError } from "../problem";
import { isFinished, type Job } from "../types";

const EACH_MS = 1_000;
const EACH_MS_HIDDEN = 5_000;
/** From one question to the next, however many jobs there are; after one that has ended none. */
const PAUSE_MS = 250;
/** Jobs end about in the order in which they are known: three questions of four go to so many of the first. */
const FRONT = 8;
/** An end so far behind says that the others stand in another order (they were read from what is kept). */
const FAR_BEHIND = 32;
const LONGEST_WAIT_MS = 30_000;

export interface Polled {
  /** The jobs that have not come to their end. */
  readonly jobs: () => readonly string[];
  readonly heard: (job: Job) => void;
  readonly gone: (jobId: string) => void;
  /** There is none, or it is another key's. */
  readonly missing: (jobId: string) => void;
}

export interface Poller {
  /** There may be other jobs to ask after than before. */
  wake: () => void;
  /** The same, and what has failed may go well now. */
  hurry: () => void;
  /** Somebody else has just heard of this job: so long it is not asked after. */
  leaveFor: (jobId: string, milliseconds: number) => void;
}

export function createPoller(api: Api, { jobs, heard, gone, missing }: Polled): Poller {
  let dueAt = new Map<string, number>(); // of each job, in the order of their coming, milliseconds since 1970
  let questions = 0;
  let notBefore = 0; // of all of them
  let failures = 0;
  let isAsking = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function wake(): void {
    clearTimeout(timer);
    if (isAsking || !navigator.onLine) return;
    const ids = new Set(jobs());
    for (const known of dueAt.keys()) if (!ids.has(known)) dueAt.delete(known);
    for (const id of ids) if (!dueAt.has(id)) dueAt.set(id, 0);
    const all = [...dueAt.keys()];
    const likely = earliest(questions % 4 === 0 ? all : all.slice(0, FRONT));
    const jobId = due(likely) > Date.now() ? earliest(all) : likely;
    if (jobId === undefined) return;
    const waitMs = Math.max(due(jobId), notBefore) - Date.now();
    if (waitMs <= 0) void ask(jobId);
    else timer = setTimeout(wake, waitMs);
  }

  function due(jobId = ""): number {
    return dueAt.get(jobId) ?? 0;
  }

  function earliest(jobIds: readonly string[]): string | undefined {
    return jobIds.toSorted((a, b) => due(a) - due(b))[0];
  }

  async function ask(jobId: string): Promise<void> {
    isAsking = true;
    questions += 1;
    dueIn(jobId, document.hidden ? EACH_MS_HIDDEN : EACH_MS);
    notBefore = Date.now() + PAUSE_MS;
    try {
      const job = await api.job(jobId);
      failures = 0;
      if (isFinished(job)) lookBeside(jobId);
      heard(job);
    } catch (error) {
      failed(jobId, error);
    }
    isAsking = false;
    wake();
  }

  /** Others may have ended, too. */
  function lookBeside(jobId: string): void {
    notBefore = 0;
    const all = [...dueAt];
    const at = all.findIndex(([id]) => id === jobId);
    if (at >= FAR_BEHIND) dueAt = new Map([...all.slice(at), ...all.slice(0, at)]);
  }

  function dueIn(jobId: string, milliseconds: number): void {
    dueAt.set(jobId, Date.now() + milliseconds);
  }

  function failed(jobId: string, cause: unknown): void {
    const error = cause instanceof ApiError ? cause : null;
    if (error?.status === 410) {
      lookBeside(jobId);
      gone(jobId);
    } else if (error && !error.retryable) {
      dueIn(jobId, LONGEST_WAIT_MS); // this one is refused; others may not be
      if (error.status === 404) missing(jobId);
    } else {
      failures += 1;
      const wait = 1_000 * (error?.retryAfterSeconds || 2 ** failures);
      notBefore = Date.now() + Math.min(LONGEST_WAIT_MS, wait);
    }
  }

  function hurry(): void {
    notBefore = 0;
    for (const jobId of dueAt.keys()) dueAt.set(jobId, 0);
    wake();
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) hurry();
  });
  window.addEventListener("online", hurry);

  return {
    wake,
    hurry,
    leaveFor: dueIn,
  };
}
