import { expect, it } from "vitest";
import { aJob } from "../test/job";
import { nameOf } from "./song";

function from(filename: string | null, url: string | null): string {
  return nameOf({ ...aJob().source, filename, url });
}

it("a song is called by its file, or by what its link ends in", () => {
  expect(from("song.mp3", null)).toBe("song.mp3");
  expect(from(null, "https://a.example/x/Two%20words.mp3")).toBe("Two words.mp3");
  expect(from(null, "https://a.example/100%.mp3")).toBe("100%.mp3");
  expect(from(null, "https://a.example/")).toBe("a.example");
  expect(from(null, null)).toBe("A song");
});
