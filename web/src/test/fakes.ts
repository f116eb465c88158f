/** What stands in for the outside world in tests. Each does as little as it can. */
import { vi } from "vitest";
import type { Api } from "../api";
import type { TextStore } from "../lib/storage";
import type { Reach } from "../reach";

/** An Api of which a test says what it uses; the rest is refused by name. */
export function fakeApi(methods: Partial<Api>): Api {
  const refuse = (name: string) => () => Promise.reject(new Error(`nobody expected ${name}`));
  return {
    maxUploadBytes: null,
    reach: WITHIN_REACH,
    submitFile: refuse("submitFile"),
    submitUrl: refuse("submitUrl"),
    job: refuse("job"),
    cancel: refuse("cancel"),
    remove: refuse("remove"),
    events: refuse("events"),
    model: () => Promise.resolve(null),
    spectrogram: refuse("spectrogram"),
    sample: refuse("sample"),
    curl: () => "curl",
    pageOf: (id) => `http://genre.example/r/${id}`,
    ...methods,
  };
}

export const WITHIN_REACH: Reach = { isReachable: () => true, subscribe: () => () => undefined };

export function fakeStore(entries: Readonly<Record<string, string>> = {}): TextStore {
  const texts = new Map(Object.entries(entries));
  return {
    getItem: (name) => texts.get(name) ?? null,
    setItem: (name, text) => void texts.set(name, text),
    removeItem: (name) => void texts.delete(name),
  };
}

/** A storage that the browser lets nobody use. */
export const blockedStore: TextStore = {
  getItem: blocked,
  setItem: blocked,
  removeItem: blocked,
};

function blocked(): never {
  throw new DOMException("The operation is insecure.", "SecurityError");
}

/** A promise that the test settles. */
export interface Pending<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function pending<T>(): Pending<T> {
  let settle: Omit<Pending<T>, "promise"> | undefined;
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }));
  if (!settle) throw new Error("a promise calls its executor at once");
  return { promise, ...settle };
}

/** Whether the browser says that it is online. */
export function setOnline(isOnline: boolean): void {
  vi.spyOn(navigator, "onLine", "get").mockReturnValue(isOnline);
  window.dispatchEvent(new Event(isOnline ? "online" : "offline"));
}

export function setHidden(isHidden: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(isHidden);
  document.dispatchEvent(new Event("visibilitychange"));
}
