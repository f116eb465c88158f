/** Where the marks of a time axis stand. Pure. */

/** Steps that people count in, seconds. */
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];

/** Seconds from 0 on, so many at most (two at least), evenly: 0, 15, 30... The last is never beyond the end. */
export function timeTicks(durationSeconds: number, most: number): readonly number[] {
  if (!(durationSeconds > 0)) return [0];
  const step =
    STEPS.find((candidate) => Math.floor(durationSeconds / candidate) < Math.max(1, most)) ??
    Math.ceil(durationSeconds / Math.max(1, most - 1) / 3_600) * 3_600;
  return Array.from({ length: Math.floor(durationSeconds / step) + 1 }, (_, index) => index * step);
}
