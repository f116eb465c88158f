import { describe, expect, it } from "vitest";
import { frequencyMarks, heightOfHz, hzOfMel, melOfHz } from "./mel";

const OURS = { sampleRate: 22_050, bands: 128 };

/** Index and Hz of `librosa.mel_frequencies(n_mels=130, fmin=0, fmax=11025)`. */
const LIBROSA = [
  [0, 0],
  [1, 25.7936],
  [5, 128.9679],
  [38, 980.1564],
  [39, 1006.1549],
  [40, 1033.2781],
  [65, 2009.2159],
  [92, 4120.4128],
  [117, 8012.169],
  [128, 10735.5976],
  [129, 11025],
] as const;

describe("mel", () => {
  it("has the frequencies of librosa", () => {
    const mels = melOfHz(11_025);
    for (const [index, hz] of LIBROSA) expect(hzOfMel((index / 129) * mels)).toBeCloseTo(hz, 2);
  });

  it("goes there and back", () => {
    for (const hz of [50, 999, 1_000, 1_001, 7_777]) expect(hzOfMel(melOfHz(hz))).toBeCloseTo(hz, 6);
  });

  it("puts a filter's centre into the middle of its row", () => {
    expect(heightOfHz(10_735.5976, OURS)).toBeCloseTo(0.5 / 128, 5);
    expect(heightOfHz(25.7936, OURS)).toBeCloseTo(127.5 / 128, 5);
    expect(heightOfHz(8_012.169, OURS)).toBeCloseTo(11.5 / 128, 5);
  });

  it("leaves marks out rather than letting them touch", () => {
    const marks = frequencyMarks(OURS, 200, 14);
    expect(marks.map((mark) => mark.hz)).toEqual([8_000, 4_000, 2_000, 1_000, 500, 250]);
    const small = frequencyMarks(OURS, 100, 14);
    const places = small.map((mark) => mark.fromTop * 100);
    expect(places.every((place, index) => index === 0 || place - (places[index - 1] ?? 0) >= 14)).toBe(true);
  });

  it("has no mark above what the sample rate can hold", () => {
    expect(frequencyMarks({ sampleRate: 8_000, bands: 128 }, 400, 10).map((mark) => mark.hz)).not.toContain(
      8_000,
    );
  });
});
