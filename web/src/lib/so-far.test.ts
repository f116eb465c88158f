import { describe, expect, it } from "vitest";
import { soFar } from "./so-far";

const GENRES = ["blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock"];

/**
 * What the service says of a real song of three windows: `genrewiz classify --json` on the bundled riff.mp3 with
 * nocturne.mp3 behind it (22,050 Hz, mono, 16 bits), checkpoint 96fb715c04557ff6.
 */
const WINDOWS = [
  {
    probabilities: [
      0.001981, 0.013632, 0.001833, 0.014648, 0.002343, 0.020797, 0.822344, 0.011099, 0.003053, 0.10827,
    ],
  },
  {
    probabilities: [
      0.004135, 0.561725, 0.015055, 0.043212, 0.007831, 0.069321, 0.199126, 0.052168, 0.004075, 0.04335,
    ],
  },
  {
    probabilities: [
      0.00323, 0.956169, 0.009294, 0.00707, 0.001544, 0.008728, 0.003831, 0.004751, 0.000926, 0.004459,
    ],
  },
] as const;
const ANSWER = [
  { genre: "classical", probability: 0.516812 },
  { genre: "metal", probability: 0.22783 },
  { genre: "rock", probability: 0.073342 },
  { genre: "jazz", probability: 0.061902 },
  { genre: "disco", probability: 0.043858 },
];

describe("the answer so far", () => {
  it("is the service's own, once all windows are there", () => {
    const top = soFar(WINDOWS, GENRES).slice(0, 5);
    expect(top.map(({ genre }) => genre)).toEqual(ANSWER.map(({ genre }) => genre));
    top.forEach(({ probability }, at) => expect(probability).toBeCloseTo(ANSWER[at]?.probability ?? NaN, 3));
  });

  it("is the window's, where there is one alone", () => {
    const [first] = soFar(WINDOWS.slice(0, 1), GENRES);
    expect(first?.genre).toBe("metal");
    expect(first?.probability).toBeCloseTo(0.822344, 5);
  });

  it("sums to one, and stays finite where a genre was ruled out", () => {
    const all = soFar([{ probabilities: [1, 0] }, { probabilities: [0, 1] }], ["jazz", "rock"]);
    expect(all.map(({ probability }) => probability)).toEqual([0.5, 0.5]);
  });

  it("is nothing before the first window", () => {
    expect(soFar([], GENRES)).toEqual([]);
  });
});
