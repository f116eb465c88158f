import { describe, expect, it } from "vitest";
import { timeTicks } from "./axis";

describe("timeTicks", () => {
  it("counts short songs in seconds", () => {
    expect(timeTicks(3, 8)).toEqual([0, 1, 2, 3]);
  });

  it("takes the finest step that fits", () => {
    expect(timeTicks(30, 8)).toEqual([0, 5, 10, 15, 20, 25, 30]);
    expect(timeTicks(30, 4)).toEqual([0, 10, 20, 30]);
    expect(timeTicks(212.4, 8)).toEqual([0, 30, 60, 90, 120, 150, 180, 210]);
  });

  it("never has more marks than there is room for, nor one beyond the end, however long the song", () => {
    for (const seconds of [0.4, 3, 29.7, 59.9, 61, 899, 900, 3_599, 10_800, 90_000])
      for (const most of [2, 3, 4, 6, 12]) {
        const ticks = timeTicks(seconds, most);
        expect(ticks.length).toBeLessThanOrEqual(most);
        expect(ticks.at(-1)).toBeLessThanOrEqual(seconds);
      }
  });

  it("has a zero alone where no length is known", () => {
    expect(timeTicks(0, 5)).toEqual([0]);
    expect(timeTicks(Number.NaN, 5)).toEqual([0]);
  });
});
