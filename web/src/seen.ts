/** What is known of a job, and how each event changes it. Pure; where events come from, it does not know. */
import type { ApiError } from "./problem";
import { isFinished, type Job, type ProgressEvent, type TimelineEntry, type WindowEvent } from "./types";

export interface Seen {
  /** The job as last heard of; null until the first answer. */
  readonly job: Job | null;
  /** What is known of its windows: of the attempt that runs, or the timeline of the result. */
  readonly windows: readonly TimelineEntry[];
  /** Why there is no job, or why nothing more is heard of it; null while all is well. `unreachable` heals by itself. */
  readonly error: ApiError | null;
}

export const NOTHING: Seen = { job: null, windows: [], error: null };

/** The whole job. What it does not tell (the windows so far) stays as it is known, while the attempt is the same. */
export function withJob(seen: Seen, job: Job): Seen {
  if (seen.job && isFinished(seen.job) && !isFinished(job)) return { ...seen, error: null }; // asked before the end
  const isSameAttempt = seen.job?.attempt === job.attempt;
  const windows = job.result?.timeline ?? (isSameAttempt ? seen.windows : []);
  return { job, windows, error: null };
}

export function withProgress(seen: Seen, event: ProgressEvent): Seen {
  const { job } = seen;
  if (!job || isFinished(job)) return seen;
  const { status, cancel_requested, attempt, stage, fraction } = event;
  const queue_position = status === "queued" ? job.progress.queue_position : null;
  const progress = { ...job.progress, stage, fraction, queue_position };
  return withJob(seen, { ...job, status, cancel_requested, attempt, progress });
}

/** A window of the attempt that runs; those that come again (after a new connection) are not counted twice. */
export function withWindow(seen: Seen, { attempt, ...entry }: WindowEvent): Seen {
  const { job } = seen;
  if (!job || isFinished(job) || attempt < job.attempt) return seen;
  const isNew = attempt > job.attempt;
  const others = isNew ? [] : seen.windows.filter((known) => known.start_seconds !== entry.start_seconds);
  const windows = [...others, entry].toSorted((a, b) => a.start_seconds - b.start_seconds);
  return { job: isNew ? { ...job, attempt } : job, windows, error: null };
}
