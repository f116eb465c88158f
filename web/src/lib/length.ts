/** How long a song is thought to be while nobody has said. Pure. */
import type { TimelineEntry } from "../types";

/**
 * Seconds; 0 where nothing is known. fraction: what the service says is done of the whole, 1 when it is over.
 *
 * What was heard is that share of the song, roughly: the estimate settles as the job goes on, and is never shorter
 * than what was heard.
 */
export function lengthSoFar(
  windows: readonly Pick<TimelineEntry, "end_seconds">[],
  fraction: number,
): number {
  const heard = Math.max(0, ...windows.map(({ end_seconds: end }) => end));
  return fraction > 0 ? heard / Math.min(1, fraction) : heard;
}
