/** What an answer means, in words that what was measured of the model can back. Pure. */
import { percent } from "../../lib/words";
import type { ModelCard, Result } from "../../types";

/** A sentence; null where nothing was measured. */
export function meaning(result: Pick<Result, "genre" | "confidence">, card: ModelCard | null): string | null {
  const threshold = card?.measured?.recommended ?? null;
  if (result.genre === null)
    return threshold && result.confidence < threshold.min_confidence
      ? `Under ${whole(threshold.min_confidence)} the model names no genre: it would be wrong too often.`
      : "That is less than whoever asked wanted it to be sure.";
  if (!threshold) return null;
  return result.confidence >= threshold.min_confidence
    ? `Of its answers that were at least ${whole(threshold.min_confidence)} sure, ${whole(threshold.accuracy)} were right when it was tested.`
    : `Under ${whole(threshold.min_confidence)} it is often wrong: take this as a hint.`;
}

/** Whether that is less than an answer should have to be trusted; false where nothing was measured. */
export function isUnsure(confidence: number, card: ModelCard | null): boolean {
  return confidence < (card?.measured?.recommended?.min_confidence ?? 0);
}

/** No line breaks between the number and its sign. */
function whole(share: number): string {
  return percent(share).replace(" ", "\u00a0");
}
