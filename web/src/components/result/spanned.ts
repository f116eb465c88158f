/** How much time a spectrogram's picture spans. Pure. */

interface Picture {
  /** Pixels wide; 0 until known. */
  readonly columns: number;
  readonly frameSeconds: number;
  readonly durationSeconds: number;
}

/**
 * Seconds. Each column holds 2^k frames, k the smallest that makes a picture narrow enough (`worker/picture.py`): the
 * k with which so many columns are as long as the song. The last column is full only by chance, so that the picture
 * spans a little more than the song.
 */
export function spannedSeconds({ columns, frameSeconds, durationSeconds }: Picture): number {
  if (columns === 0 || durationSeconds <= 0) return durationSeconds;
  const ofOneFrame = columns * frameSeconds;
  const doublings = Math.max(0, Math.round(Math.log2(durationSeconds / ofOneFrame)));
  return ofOneFrame * 2 ** doublings;
}
