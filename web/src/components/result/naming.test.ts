import { describe, expect, it } from "vitest";
import { aJob, running, succeeded } from "../../test/job";
import { titleOf } from "./naming";

describe("titleOf", () => {
  it("tells in the tab how far it is, and then what it is", () => {
    expect(titleOf(null, null)).toBe("GenreWiz");
    expect(titleOf(aJob(), "song.mp3")).toBe("song.mp3 · GenreWiz");
    expect(titleOf(running(0), "song.mp3")).toBe("song.mp3 · GenreWiz");
    expect(titleOf(running(0.404), "song.mp3")).toBe("40 % · song.mp3");
    expect(titleOf(succeeded(), "song.mp3")).toBe("Disco · song.mp3 · GenreWiz");
  });
});
