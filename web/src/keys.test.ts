import { describe, expect, it, vi } from "vitest";
import { createKeyRing } from "./keys";
import { blockedStore, fakeStore } from "./test/fakes";

describe("the key of this tab", () => {
  it("outlives a reload, and goes when it is forgotten", () => {
    const store = fakeStore();
    createKeyRing(store).use(" gw_1_secret ");
    expect(createKeyRing(store).current()).toBe("gw_1_secret");
    createKeyRing(store).use(null);
    expect(createKeyRing(store).current()).toBeNull();
  });

  it("is what was meant where it was copied with more: blanks, line ends, marks that nobody sees", () => {
    const keys = createKeyRing(fakeStore());
    keys.use("\ufeffgw_1_\n sec\u200bret\u200d ");
    expect(keys.current()).toBe("gw_1_secret");
  });

  it("is none where it has a character that no key has, kept or given", () => {
    const keys = createKeyRing(fakeStore({ "genrewiz.key": "gw_•••" }));
    expect(keys.current()).toBeNull();
    keys.demand();
    keys.use("gw_1_sécret");
    expect([keys.current(), keys.isNeeded()]).toEqual([null, true]);
  });

  it("is needed from the service's asking to the next key", () => {
    const keys = createKeyRing(fakeStore());
    expect(keys.isNeeded()).toBe(false);
    keys.demand();
    expect(keys.isNeeded()).toBe(true);
    keys.use("gw_1_secret");
    expect(keys.isNeeded()).toBe(false);
  });

  it("is forgotten where the service refuses it", () => {
    const store = fakeStore();
    const keys = createKeyRing(store);
    keys.use("gw_1_old");
    keys.demand();
    expect([keys.current(), createKeyRing(store).current()]).toEqual([null, null]);
  });

  it("tells whoever listens of each change, once, and not of what is no change", () => {
    const keys = createKeyRing(fakeStore());
    const listener = vi.fn();
    const end = keys.subscribe(listener);
    keys.demand();
    keys.demand();
    expect(listener).toHaveBeenCalledTimes(1);
    keys.use("gw_1_secret");
    expect(listener).toHaveBeenCalledTimes(2);
    end();
    keys.use(null);
    expect(listener).toHaveBeenCalledTimes(2);
  });

  it("asks again where a person wants to give one, though the service had asked before", () => {
    const keys = createKeyRing(fakeStore());
    keys.demand();
    const listener = vi.fn();
    keys.subscribe(listener);
    keys.ask();
    expect(listener).toHaveBeenCalledOnce();
    expect(keys.isNeeded()).toBe(true);
  });

  it("lives in memory where the browser keeps nothing", () => {
    const keys = createKeyRing(blockedStore);
    keys.use("gw_1_secret");
    expect(keys.current()).toBe("gw_1_secret");
    keys.demand();
    expect(keys.current()).toBeNull();
  });
});
