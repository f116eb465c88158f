import { describe, expect, it } from "vitest";
import { segmentAt, segmentsOf } from "./segments";

/** Windows of 30 s, one every 15 s. */
function heard(...genres: readonly (readonly [string, number])[]) {
  return genres.map(([genre, sure], index) => ({
    start_seconds: index * 15,
    end_seconds: index * 15 + 30,
    genre,
    probabilities: [sure, 1 - sure],
  }));
}

describe("segmentsOf", () => {
  it("gives a song of one window to that window, whole", () => {
    expect(segmentsOf(heard(["disco", 0.7]), 28.4, { isWhole: true })).toEqual([
      { startSeconds: 0, endSeconds: 28.4, genre: "disco", confidence: 0.7 },
    ]);
  });

  it("changes half-way between the middles of two windows", () => {
    const [first, second] = segmentsOf(heard(["disco", 0.7], ["rock", 0.6]), 45, { isWhole: true });
    expect(first).toMatchObject({ startSeconds: 0, endSeconds: 22.5 });
    expect(second).toMatchObject({ startSeconds: 22.5, endSeconds: 45 });
  });

  it("joins neighbours of the same genre, with their mean confidence", () => {
    const segments = segmentsOf(heard(["disco", 0.6], ["disco", 0.9], ["disco", 0.6], ["jazz", 0.8]), 75, {
      isWhole: true,
    });
    expect(segments.map((segment) => segment.genre)).toEqual(["disco", "jazz"]);
    expect(segments[0]?.endSeconds).toBe(52.5);
    expect(segments[0]?.confidence).toBeCloseTo(0.7);
  });

  it("covers the song without a gap, in whatever order the windows came", () => {
    const windows = heard(["disco", 0.6], ["jazz", 0.9], ["rock", 0.6], ["jazz", 0.8]).reverse();
    const segments = segmentsOf(windows, 75, { isWhole: true });
    expect(segments.map((segment) => segment.startSeconds)).toEqual([
      0,
      ...segments.slice(0, -1).map((segment) => segment.endSeconds),
    ]);
    expect(segments.at(-1)?.endSeconds).toBe(75);
  });

  it("claims nothing beyond what was heard while more is to come", () => {
    const segments = segmentsOf(heard(["disco", 0.6], ["disco", 0.6]), 300, { isWhole: false });
    expect(segments.at(-1)?.endSeconds).toBe(45);
    expect(segmentsOf([], 300, { isWhole: false })).toEqual([]);
  });
});

describe("segmentAt", () => {
  const segments = segmentsOf(heard(["disco", 0.6], ["rock", 0.6]), 300, { isWhole: false });

  it.each([
    [0, "disco"],
    [22.4, "disco"],
    [22.499999, "rock"], // what a browser makes of 22.5
    [22.5, "rock"],
    [45, "rock"],
    [45.1, undefined],
  ])("at %d s has %s", (seconds, genre) => {
    expect(segmentAt(segments, seconds)?.genre).toBe(genre);
  });
});
