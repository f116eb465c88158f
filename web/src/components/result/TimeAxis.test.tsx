import { render } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { clock } from "../../lib/words";
import { TimeAxis } from "./TimeAxis";

const PIXELS_PER_LETTER = 7.2;

/** Where each label begins and ends, in pixels. */
function labels(durationSeconds: number, widthPixels: number): readonly (readonly [number, number])[] {
  const { container } = render(<TimeAxis durationSeconds={durationSeconds} widthPixels={widthPixels} />);
  return [...container.querySelectorAll<HTMLElement>("[data-at]")].map((label) => {
    const at = (Number.parseFloat(label.style.left) / 100) * widthPixels;
    const wide = label.textContent.length * PIXELS_PER_LETTER;
    const before = { start: 0, middle: 0.5, end: 1 }[label.dataset.at ?? ""] ?? 0;
    return [at - before * wide, at + (1 - before) * wide];
  });
}

describe("TimeAxis", () => {
  it.each([3, 29.7, 111, 599, 600, 900, 3_599, 3_600, 7_260, 10_800])(
    "has marks that touch neither one another nor the edge, of %i seconds",
    (seconds) => {
      for (const width of [230, 320, 560, 860]) {
        const all = labels(seconds, width);
        all.slice(1).forEach(([begin], index) => expect(begin).toBeGreaterThan(all[index]?.[1] ?? 0));
        expect(all.at(-1)?.[1]).toBeLessThanOrEqual(width + 4);
        expect(all.length).toBeGreaterThan(1);
      }
    },
  );

  it.each([3.5, 10.9, 29.7])("says no second twice, of %f seconds", (seconds) => {
    const { container } = render(<TimeAxis durationSeconds={seconds} widthPixels={860} />);

    const words = [...container.querySelectorAll("[data-at]")].map(({ textContent }) => textContent);
    expect(new Set(words).size).toBe(words.length);
  });

  it.each([29.7, 599, 840, 3_600, 7_260])("ends with the song's length, of %i seconds", (seconds) => {
    const { container } = render(<TimeAxis durationSeconds={seconds} widthPixels={230} />);

    expect([...container.querySelectorAll("[data-at]")].at(-1)).toHaveTextContent(clock(seconds));
  });
});
