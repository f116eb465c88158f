import { describe, expect, it } from "vitest";
import { aCard } from "../../test/card";
import {
  calibration,
  inOneLine,
  leastTrusted,
  testFigures,
  weaknesses,
  whenNotSure,
  type ListFigures,
} from "./figures";

const FIGURES = testFigures(aCard()) as ListFigures;

describe("the figures in words", () => {
  it("are those of the songs that chose nothing about the model", () => {
    expect(FIGURES.list).toBe("test_filtered");
    expect(testFigures(null)).toBeNull();
    expect(testFigures(undefined)).toBeNull();
    expect(testFigures({ ...aCard(), measured: null })).toBeNull();
    expect(
      testFigures({ ...aCard(), measured: { lists: [], recommended: null, accuracy_over_seeds: null } }),
    ).toBeNull();
  });

  it("fit on a line", () => {
    expect(inOneLine(FIGURES)).toBe("Right about 66 % of 290 songs that it had never heard (60 to 71 %).");
  });

  it("warn of per cent that are further off than chance", () => {
    expect(calibration(FIGURES)).toMatch(
      /were 11 points apart on average; .* luck alone would make that 3 to 8\. So take them with care/,
    );
    expect(calibration({ ...FIGURES, ece: 0.08 })).toMatch(/at their word/);
  });

  it("name the genres that are found least: those of which half is missed, and two at least", () => {
    expect(weaknesses(FIGURES)).toEqual([
      "Blues: of 31 songs it recognised 9.",
      "Rock: of 32 songs it recognised 10.",
    ]);
    const genres = FIGURES.genres.map((each) => ({ ...each, recall: each.genre === "jazz" ? 0.9 : 1 }));
    expect(weaknesses({ ...FIGURES, genres })).toHaveLength(2);
    expect(weaknesses({ ...FIGURES, genres: genres.map((each) => ({ ...each, recall: 0.2 })) })).toHaveLength(
      3,
    );
  });

  it("name the genre that is said too easily", () => {
    expect(leastTrusted(FIGURES)).toBe("When it says Rock, it is right 43 % of the time.");
    expect(leastTrusted({ ...FIGURES, genres: [] })).toBeNull();
  });

  it("tell what being not sure costs and brings, where somebody chose a limit", () => {
    expect(whenNotSure(aCard())).toBe(
      "Under 50 % it says “Not sure”: of 22 % of the songs. Of the others, 70 % are right.",
    );
    expect(whenNotSure({ ...aCard(), measured: null })).toBeNull();
  });
});
