import { describe, expect, it } from "vitest";
import { lengthSoFar } from "./length";

const HEARD = [{ end_seconds: 30 }, { end_seconds: 60 }, { end_seconds: 45 }];

describe("lengthSoFar", () => {
  it("takes what was heard for the share of the song that is done", () => {
    expect(lengthSoFar(HEARD, 0.2)).toBe(300);
  });

  it("is what was heard at the end, and where nobody knows how much is done", () => {
    expect(lengthSoFar(HEARD, 1)).toBe(60);
    expect(lengthSoFar(HEARD, 0)).toBe(60);
  });

  it("is nothing before the first window", () => {
    expect(lengthSoFar([], 0.3)).toBe(0);
  });
});
