/** Whether the server has answered what was last asked of it. It decides nothing about single requests. */
import type { Http } from "./http";
import { createListeners } from "./lib/listeners";
import { ApiError } from "./problem";

export interface Reach {
  isReachable: () => boolean;
  /** Calls on every change; what it returns ends that. */
  subscribe: (listener: () => void) => () => void;
}

const AGAIN_MS = 5_000;

/** The same `http`, watched. probe: asked again and again while no answer comes, in case nobody else asks. */
export function withReach(http: Http, probe: string): readonly [Http, Reach] {
  const listeners = createListeners();
  let isReachable = true;

  function become(next: boolean): void {
    if (next === isReachable) return;
    isReachable = next;
    if (!isReachable) setTimeout(tryAgain, AGAIN_MS);
    listeners.tell();
  }

  function tryAgain(): void {
    if (isReachable) return;
    setTimeout(tryAgain, AGAIN_MS);
    if (navigator.onLine) void watched.ask(probe, () => Promise.resolve()).catch(() => undefined);
  }

  async function heard<T>(request: Promise<T>): Promise<T> {
    try {
      const answer = await request;
      become(true);
      return answer;
    } catch (error) {
      if (error instanceof ApiError && error.status !== null) become(true);
      if (error instanceof ApiError && error.code === "unreachable") become(false);
      throw error;
    }
  }

  const watched: Http = {
    ask: (path, read, init) => heard(http.ask(path, read, init)),
    send: (upload) => heard(http.send(upload)),
  };
  window.addEventListener("online", () => become(true)); // nobody has asked since
  return [watched, { isReachable: () => isReachable, subscribe: listeners.subscribe }];
}
