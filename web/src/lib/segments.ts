/** Windows that overlap -> parts of the song, one after the other, each of one genre. Pure. */
import type { TimelineEntry } from "../types";

export interface Segment {
  readonly startSeconds: number;
  readonly endSeconds: number;
  readonly genre: string;
  /** How sure its windows are of this genre, on average. */
  readonly confidence: number;
}

type Heard = Pick<TimelineEntry, "start_seconds" | "end_seconds" | "genre" | "probabilities">;

/**
 * A window owns the time around its middle: it ends half-way to the middle of the next. The first begins at 0. The
 * last reaches to the end of the song; while more windows are to come (`isWhole` false), to its own end.
 */
export function segmentsOf(
  windows: readonly Heard[],
  durationSeconds: number,
  { isWhole }: { readonly isWhole: boolean },
): readonly Segment[] {
  const sorted = [...windows].sort((a, b) => a.start_seconds - b.start_seconds);
  const segments: (Segment & { readonly windows: number })[] = [];
  let start = 0;
  for (const [index, window] of sorted.entries()) {
    const next = sorted[index + 1];
    const end = next
      ? (middle(window) + middle(next)) / 2
      : isWhole
        ? durationSeconds
        : Math.min(durationSeconds, window.end_seconds);
    const sure = Math.max(...window.probabilities);
    const last = segments.at(-1);
    if (last?.genre === window.genre) {
      const count = last.windows + 1;
      const confidence = last.confidence + (sure - last.confidence) / count;
      segments[segments.length - 1] = { ...last, endSeconds: end, confidence, windows: count };
    } else
      segments.push({
        startSeconds: start,
        endSeconds: end,
        genre: window.genre,
        confidence: sure,
        windows: 1,
      });
    start = end;
  }
  return segments.map(({ windows: _, ...segment }) => segment);
}

/** Browsers cut the seconds that they are told to go to: at a part's first moment the one before it would be played. */
const SEEK_SECONDS = 0.001;

/** The part that is there at a time; null where nothing was heard. */
export function segmentAt(segments: readonly Segment[], seconds: number): Segment | null {
  return (
    segments.findLast(
      ({ startSeconds, endSeconds }) => startSeconds - SEEK_SECONDS <= seconds && seconds <= endSeconds,
    ) ?? null
  );
}

function middle(window: Heard): number {
  return (window.start_seconds + window.end_seconds) / 2;
}
