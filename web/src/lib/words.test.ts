import { describe, expect, it } from "vitest";
import { clock, genreName, percent, standing } from "./words";

describe("words", () => {
  it("names genres as people write them", () => {
    expect(["disco", "hiphop"].map(genreName)).toEqual(["Disco", "Hip-hop"]);
    expect(genreName("constructor")).toBe("Constructor");
  });

  it("rounds shares, and calls neither nothing what is something nor all what is less", () => {
    expect([0, 0.001, 0.005, 0.724, 0.994, 0.9999, 1].map(percent)).toEqual([
      "0 %",
      "<1 %",
      "1 %",
      "72 %",
      "99 %",
      ">99 %",
      "100 %",
    ]);
  });

  it("writes seconds as clocks do", () => {
    expect([0, 9.99, 61, 600, 3_661].map(clock)).toEqual(["0:00", "0:09", "1:01", "10:00", "1:01:01"]);
  });

  it("tells where a job stands", () => {
    const at = { status: "queued", stage: null, fraction: 0, queuePosition: null };
    expect(standing(at)).toBe("Waiting");
    expect(standing({ ...at, queuePosition: 0 })).toBe("Waiting, next in line");
    expect(standing({ ...at, queuePosition: 1 })).toBe("Waiting, 1 song before this one");
    expect(standing({ ...at, queuePosition: 3 })).toBe("Waiting, 3 songs before this one");
    const running = { ...at, status: "running", fraction: 0.404 };
    expect(standing({ ...running, stage: "fetch" })).toBe("Fetching the song");
    expect(standing({ ...running, stage: "decode", fraction: 0 })).toBe("Reading the song");
    expect(standing({ ...running, stage: "decode" })).toBe("Listening, 40 %");
    expect(standing({ ...running, stage: "predict" })).toBe("Listening, 40 %");
    expect(standing({ ...running, stage: "predict", isCancelling: true })).toBe("Stopping");
    expect(standing({ ...running, status: "expired" })).toBe("Not begun in time");
    expect(standing({ ...running, stage: "constructor" })).toBe("Listening, 40 %");
  });
});
