/** What the model card's figures say, in plain words. Pure; no figure is typed in here. */
import { genreName, percent } from "../../lib/words";
import type { ModelCard } from "../../types";

type Measured = NonNullable<ModelCard["measured"]>;
export type ListFigures = Measured["lists"][number];

/** The figures that count: of the songs that chose nothing about the model; null where there are none. */
export function testFigures(card: ModelCard | null | undefined): ListFigures | null {
  return card?.measured?.lists.find(({ list }) => list === "test_filtered") ?? null;
}

/** "60 to 71 %". */
export function range([low, high]: readonly [number, number]): string {
  return `${Math.round(low * 100)} to ${percent(high)}`;
}

/** "Right about 66 % of 290 songs that it had never heard (60 to 71 %)." */
export function inOneLine({ accuracy, accuracy_interval, songs }: ListFigures): string {
  return `Right about ${percent(accuracy)} of ${songs} songs that it had never heard (${range(accuracy_interval)}).`;
}

/** Whether the per cent can be taken at their word. */
export function calibration({ ece, ece_if_calibrated }: ListFigures): string {
  const points = Math.round(ece * 100);
  const [low, high] = ece_if_calibrated.map((share) => Math.round(share * 100));
  const said =
    `On these songs, how sure it was and how often it was right were ${points} points apart on average; ` +
    `were its per cent exact, luck alone would make that ${low} to ${high}.`;
  if (ece > ece_if_calibrated[1]) return `${said} So take them with care.`;
  return `${said} So they can be taken at their word.`;
}

/** What it finds least: every genre of which it misses half or more, and two at least. */
export function weaknesses({ genres }: ListFigures): readonly string[] {
  const worst = [...genres].sort((a, b) => a.recall - b.recall);
  return worst
    .filter(({ recall }, place) => place < 2 || recall <= 0.5)
    .map(
      ({ genre, songs, recall }) =>
        `${genreName(genre)}: of ${songs} songs it recognised ${Math.round(recall * songs)}.`,
    );
}

/** What it says too easily: the genre whose name is wrong most often when it falls. */
export function leastTrusted({ genres }: ListFigures): string | null {
  const [worst] = [...genres].sort((a, b) => a.precision - b.precision);
  if (!worst) return null;
  return `When it says ${genreName(worst.genre)}, it is right ${percent(worst.precision)} of the time.`;
}

/** Where it says "Not sure", and what that does; null where nobody has chosen a limit. */
export function whenNotSure(card: ModelCard): string | null {
  const limit = card.measured?.recommended;
  if (!limit) return null;
  const { min_confidence, coverage, accuracy } = limit;
  return (
    `Under ${percent(min_confidence)} it says “Not sure”: of ${percent(1 - coverage)} of the songs. ` +
    `Of the others, ${percent(accuracy)} are right.`
  );
}
