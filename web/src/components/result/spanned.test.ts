import { describe, expect, it } from "vitest";
import { spannedSeconds } from "./spanned";

const FRAME = 1_024 / 22_050;

/** As `worker/picture.py` counts them. */
function columnsOf(durationSeconds: number): { columns: number; perColumn: number } {
  const frames = 1 + Math.floor(durationSeconds / FRAME);
  let perColumn = 1;
  while (frames > 2_000 * perColumn) perColumn *= 2;
  return { columns: Math.ceil(frames / perColumn), perColumn };
}

describe("spannedSeconds", () => {
  it("finds the frames of a column for every length", () => {
    for (const durationSeconds of [1, 3, 29.7, 92.8, 93, 186, 300.3, 899, 10_800]) {
      const { columns, perColumn } = columnsOf(durationSeconds);
      const spanned = spannedSeconds({ columns, frameSeconds: FRAME, durationSeconds });
      expect(spanned).toBeCloseTo(columns * perColumn * FRAME, 6);
      expect(spanned).toBeGreaterThanOrEqual(durationSeconds - 1e-9);
    }
  });

  it("is the song's length until the picture is there", () => {
    expect(spannedSeconds({ columns: 0, frameSeconds: FRAME, durationSeconds: 30 })).toBe(30);
  });
});
