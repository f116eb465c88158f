import { describe, expect, it } from "vitest";
import { about, took } from "./about";

describe("about", () => {
  it("promises no more than a guess can keep", () => {
    expect([0.4, 7, 9, 21, 44, 59, 130].map(about)).toEqual([
      "a few seconds",
      "a few seconds",
      "about 10 s",
      "about 20 s",
      "about 45 s",
      "about 1 min",
      "about 2 min",
    ]);
  });

  it("says what something took, finer where it was quick", () => {
    expect([0.187, 4.21, 74.9].map(took)).toEqual(["0.19 s", "4.2 s", "75 s"]);
  });
});
