/** Rough amounts as people say them. Pure. */

/** "about 20 s"; "a few seconds"; "about 3 min". */
export function about(seconds: number): string {
  if (seconds < 8) return "a few seconds";
  if (seconds < 58) return `about ${Math.max(10, Math.round(seconds / 5) * 5)} s`;
  return `about ${Math.round(seconds / 60)} min`;
}

/** What something took: "0.19 s", "4.2 s", "75 s". */
export function took(seconds: number): string {
  return `${seconds.toFixed(seconds < 1 ? 2 : seconds < 10 ? 1 : 0)} s`;
}
