/** Those who want to hear of a change. It keeps no value. */

export interface Listeners {
  tell(): void;
  /** What it returns ends the listening. */
  subscribe: (listener: () => void) => () => void;
}

export function createListeners(): Listeners {
  const listeners = new Set<() => void>();
  return {
    tell: () => [...listeners].forEach((listener) => listener()),
    subscribe(listener) {
      const own = () => listener(); // so that one who listens twice is told twice, and ends each by itself
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
