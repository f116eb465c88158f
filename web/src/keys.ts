/** The API key of this tab: in session storage, so that it goes when the tab does. It checks nothing. */
import { createListeners } from "./lib/listeners";
import { unbreakable, type TextStore } from "./lib/storage";

export interface KeyRing {
  /** The key; null where none was given. */
  current: () => string | null;
  /** Whether the service has refused what was asked for want of a (good) key, and none was given since. */
  isNeeded: () => boolean;
  /** A new key: whoever listens tries again. null forgets it, and so does what can be no key. */
  use(text: string | null): void;
  /** The service has asked for one: the one at hand, if any, is forgotten. */
  demand(): void;
  /** A person wants to give one: whoever asks for it is told even if that was put off. */
  ask(): void;
  /** Calls on every change of `current` or `isNeeded`; what it returns ends that. */
  subscribe: (listener: () => void) => () => void;
}

const NAME = "genrewiz.key";

/** The key in what somebody pasted, without blanks and marks that nobody sees; null where that can be none. */
export function keyIn(text: string | null): string | null {
  const key = text?.replaceAll(/[\s\u200b-\u200d\ufeff]/g, "") ?? "";
  return /^[\x21-\x7e]+$/.test(key) ? key : null;
}

export function createKeyRing(storage: TextStore): KeyRing {
  const store = unbreakable(() => storage);
  const listeners = createListeners();
  let isNeeded = false;
  const current = () => keyIn(store.getItem(NAME));
  const ask = () => {
    store.removeItem(NAME);
    isNeeded = true;
    listeners.tell();
  };

  return {
    current,
    isNeeded: () => isNeeded,
    use(text) {
      const key = keyIn(text);
      if (key !== null) {
        store.setItem(NAME, key);
        isNeeded = false;
      } else store.removeItem(NAME);
      listeners.tell();
    },
    demand() {
      if (!isNeeded || current() !== null) ask();
    },
    ask,
    subscribe: listeners.subscribe,
  };
}
