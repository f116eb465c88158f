/** Asks until there is an answer: ever more rarely, and at once when the network is back. It keeps no answer. */
import { ApiError } from "../problem";

const LEAST_MS = 2_000;

export interface Persistence {
  /** Asks now, where it waits: whatever was wrong may have gone. */
  readonly hurry: () => void;
  readonly stop: () => void;
}

export interface Wish<T> {
  readonly ask: (signal: AbortSignal) => Promise<T>;
  readonly answered: (answer: T) => void;
  /** Another try failed; false where no other is worth it. */
  readonly failed: (error: unknown) => boolean;
  readonly longestWaitMs: number;
}

export function persist<T>({ ask, answered, failed, longestWaitMs }: Wish<T>): Persistence {
  const ending = new AbortController();
  const { signal } = ending;
  let failures = 0;
  let isWaiting = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function attempt(): void {
    isWaiting = false;
    ask(signal).then((answer) => {
      if (!signal.aborted) answered(answer);
    }, again);
  }

  function again(error: unknown): void {
    if (signal.aborted || !failed(error)) return;
    failures += 1;
    isWaiting = true;
    const told = error instanceof ApiError ? error.retryAfterSeconds : null;
    const waitMs = told ? told * 1_000 : LEAST_MS * 2 ** (failures - 1);
    timer = setTimeout(() => navigator.onLine && attempt(), Math.min(longestWaitMs, waitMs));
  }

  function hurry(): void {
    if (!isWaiting || signal.aborted) return;
    clearTimeout(timer);
    attempt();
  }

  function stop(): void {
    ending.abort();
    clearTimeout(timer);
  }

  window.addEventListener("online", hurry, { signal });
  attempt();
  return { hurry, stop };
}
