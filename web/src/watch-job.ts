/** Follows one job to its end: by its stream, and by asking where that is not to be had. It keeps no other job. */
import type { Api } from "./api";
import { ApiError, unreachable } from "./problem";
import { NOTHING, withJob, withProgress, withWindow, type Seen } from "./seen";
import { followEvents, type Following } from "./stream";
import { isFinished } from "./types";

const POLL_MS = 1_000;
const POLL_MS_HIDDEN = 5_000;
/** Beside the stream: it does not tell of the queue, and a connection can die without a word. */
const POLL_MS_QUEUED = 2_000;
const POLL_MS_STREAMING = 10_000;
/** After so long at most, a stream is tried again; sooner where the last one had been well. */
const STREAM_AGAIN_MS = 30_000;
const LONGEST_WAIT_MS = 15_000;

export interface Watch {
  /** Asks anew at once. */
  retry(): void;
  /** Nothing is told after this, and nothing is left open. */
  stop(): void;
}

export function watchJob(api: Api, id: string, tell: (seen: Seen) => void): Watch {
  let seen = NOTHING;
  let following: Following | null = null;
  let asking: AbortController | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let streamNotBefore = 0; // milliseconds since 1970
  let streamPauseMs = STREAM_AGAIN_MS;
  let failures = 0;
  let isOver = false; // its end is known, or asking on would change nothing
  let isStopped = false;

  function show(next: Seen): void {
    if (isStopped || next === seen) return;
    seen = next;
    if (seen.job && isFinished(seen.job)) rest();
    tell(seen);
  }

  /** Closes whatever is open. */
  function pause(): void {
    clearTimeout(timer);
    asking?.abort();
    asking = null;
    following?.close();
    following = null;
  }

  function rest(): void {
    isOver = true;
    pause();
  }

  function resume(): void {
    isOver = false;
    failures = 0;
    streamNotBefore = 0;
    void ask();
  }

  async function ask(): Promise<void> {
    clearTimeout(timer);
    if (isStopped) return;
    asking?.abort();
    const { signal } = (asking = new AbortController());
    try {
      if (!navigator.onLine) throw unreachable();
      const job = await api.job(id, signal);
      if (signal.aborted) return;
      if (failures > 0) streamNotBefore = 0; // what ended the stream may be over, too
      failures = 0;
      show(withJob(seen, job));
      goOn();
    } catch (cause) {
      if (!signal.aborted) failed(cause);
    }
  }

  function goOn(): void {
    if (isOver || isStopped) return;
    if (!following && !document.hidden && Date.now() >= streamNotBefore) follow();
    askIn(pauseMs());
  }

  function pauseMs(): number {
    if (following) return isQueued() ? POLL_MS_QUEUED : POLL_MS_STREAMING;
    return document.hidden ? POLL_MS_HIDDEN : POLL_MS;
  }

  function isQueued(): boolean {
    return seen.job?.status === "queued";
  }

  function askIn(milliseconds: number): void {
    clearTimeout(timer);
    if (!isOver && !isStopped) timer = setTimeout(() => void ask(), milliseconds);
  }

  function follow(): void {
    following = followEvents(() => api.events(id), {
      job(job) {
        streamPauseMs = POLL_MS; // where it is lost now: a token is too old for the browser's next connection
        show(withJob(seen, job));
      },
      progress(event) {
        const wasQueued = isQueued();
        show(withProgress(seen, event));
        if (wasQueued !== isQueued()) goOn();
      },
      window: (event) => show(withWindow(seen, event)),
      broken: () => void ask(),
      lost() {
        following = null;
        streamNotBefore = Date.now() + streamPauseMs;
        streamPauseMs = Math.min(STREAM_AGAIN_MS, 2 * streamPauseMs);
        void ask();
      },
      reset() {
        following = null;
        streamNotBefore = Date.now() + POLL_MS;
        void ask();
      },
    });
  }

  function failed(cause: unknown): void {
    const error = cause instanceof ApiError ? cause : unreachable();
    const isNotOurs = error.code === "not_understood" && seen.job !== null; // a proxy's word tells nothing of the job
    if (!error.retryable && !isNotOurs) {
      rest();
      show({ ...seen, error });
      return;
    }
    failures += 1;
    if (error.code === "unreachable" || !following?.isWell()) show({ ...seen, error });
    askIn(Math.min(LONGEST_WAIT_MS, 1_000 * (error.retryAfterSeconds || 2 ** failures)));
  }

  const hears: readonly [EventTarget, string, (event: Event) => void][] = [
    [window, "online", () => seen.error && resume()],
    [window, "offline", () => !isOver && void ask()],
    [window, "pagehide", pause], // a page that is kept for the way back must hold no connection
    [window, "pageshow", (event) => (event as PageTransitionEvent).persisted && !isOver && resume()],
    [document, "visibilitychange", seenOrNot],
  ];

  /** A browser has six connections to a server: pages that nobody looks at do with none. */
  function seenOrNot(): void {
    if (isOver) return;
    following?.close();
    following = null;
    if (document.hidden) goOn();
    else resume();
  }

  for (const [target, name, listener] of hears) target.addEventListener(name, listener);
  void ask();

  return {
    retry: resume,
    stop() {
      isStopped = true;
      pause();
      for (const [target, name, listener] of hears) target.removeEventListener(name, listener);
    },
  };
}
