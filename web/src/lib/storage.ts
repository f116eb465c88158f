/** Text kept in the browser. Where it is blocked or full it lives in memory, and nobody is told. */

export type TextStore = Pick<Storage, "getItem" | "setItem" | "removeItem">;

/** A store that never throws: `open` may (browsers that block cookies throw at the mere mention of a storage). */
export function unbreakable(open: () => TextStore): TextStore {
  const memory = new Map<string, string>();

  function attempt<T>(call: (store: TextStore) => T, otherwise: () => T): T {
    try {
      return call(open());
    } catch {
      return otherwise();
    }
  }

  return {
    getItem: (name) =>
      memory.get(name) ??
      attempt(
        (store) => store.getItem(name),
        () => null,
      ),
    setItem(name, text) {
      memory.delete(name);
      attempt(
        (store) => store.setItem(name, text),
        () => void memory.set(name, text),
      );
    },
    removeItem(name) {
      memory.delete(name);
      attempt(
        (store) => store.removeItem(name),
        () => undefined,
      );
    },
  };
}
