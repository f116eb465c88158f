import { describe, expect, it } from "vitest";
import { blockedStore, fakeStore } from "../test/fakes";
import { unbreakable } from "./storage";

describe("text kept in the browser", () => {
  it("is what was put there", () => {
    const store = unbreakable(() => fakeStore({ a: "1" }));
    expect(store.getItem("a")).toBe("1");
  });

  it.each([
    ["storage that refuses everything", () => blockedStore],
    ["a browser that throws at the mention of it", () => blockedStore.getItem("x") as never],
  ])("lives in memory with %s", (_, open) => {
    const store = unbreakable(open);
    expect(store.getItem("a")).toBeNull();
    store.setItem("a", "1");
    expect(store.getItem("a")).toBe("1");
    store.removeItem("a");
    expect(store.getItem("a")).toBeNull();
  });

  it("is the newer text where the storage is full", () => {
    const full = { ...fakeStore({ a: "old" }), setItem: blockedStore.setItem };
    const store = unbreakable(() => full);
    store.setItem("a", "new");
    expect(store.getItem("a")).toBe("new");
  });
});
