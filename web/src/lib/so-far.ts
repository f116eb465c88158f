/** The answer so far: of some windows of a song, what the service would say if those were all. Pure. */
import type { Prediction, TimelineEntry } from "../types";

/** Probabilities come with six digits: this is what a zero may be at most. */
const LEAST = 1e-6;

/**
 * Likeliest first; nothing where there is no window yet.
 *
 * The service answers with softmax(mean over windows of logits / T). A window's probabilities are
 * p = softmax(logits / T), so log p = logits / T - log Z with a Z of that window. The mean of log Z is the same for
 * every genre and goes when the result is normalised: the mean of log p gives the service's very answer.
 */
export function soFar(
  windows: readonly Pick<TimelineEntry, "probabilities">[],
  genres: readonly string[],
): readonly Prediction[] {
  if (windows.length === 0) return [];
  const means = genres.map((_, at) =>
    mean(windows.map((window) => Math.log(Math.max(window.probabilities[at] ?? 0, LEAST)))),
  );
  const shares = means.map(Math.exp);
  const all = shares.reduce((sum, share) => sum + share, 0);
  return genres
    .map((genre, at) => ({ genre, probability: (shares[at] ?? 0) / all }))
    .toSorted((a, b) => b.probability - a.probability);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
