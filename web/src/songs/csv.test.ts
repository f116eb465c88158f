import { describe, expect, it } from "vitest";
import { ApiError } from "../problem";
import { newSong, songOfJob, summaryOf } from "../songs/song";
import { aJob, JOB_ID, succeeded } from "../test/job";
import { csvOf } from "./csv";

const HEADER =
  "song,status,genre,confidence,first,first_probability,second,second_probability,third,third_probability,duration_seconds,error,job";

function named(name: string) {
  return songOfJob(JOB_ID, name, 0, summaryOf(succeeded()));
}

/** The lines behind the header. */
function rows(csv: string): readonly string[] {
  return csv.split("\r\n").slice(1, -1);
}

describe("the table of songs", () => {
  it("begins with a byte order mark and a header, and ends each line with CRLF", () => {
    expect(csvOf([])).toBe(`\uFEFF${HEADER}\r\n`);
  });

  it("has the answer, the three likeliest genres and the job", () => {
    const source = { ...aJob().source, duration_seconds: 59.999 };
    const song = songOfJob(JOB_ID, "night.mp3", 0, summaryOf(succeeded({ source })));
    expect(rows(csvOf([song]))).toEqual([
      `night.mp3,succeeded,disco,0.72,disco,0.72,pop,0.2,rock,0.05,59.999,,${JOB_ID}`,
    ]);
  });

  it("keeps what comes closest where the model is not sure", () => {
    const { result } = succeeded();
    const unsure = succeeded({ result: result && { ...result, genre: null, confidence: 0.3 } });
    const song = songOfJob(JOB_ID, "hum.mp3", 0, summaryOf(unsure));
    expect(rows(csvOf([song]))).toEqual([`hum.mp3,succeeded,,0.3,disco,0.72,pop,0.2,rock,0.05,,,${JOB_ID}`]);
  });

  it("says of the others how far they came and what went wrong", () => {
    const error = {
      type: "",
      title: "",
      detail: "There is nothing to hear.",
      code: "audio_silent",
      retryable: false,
    };
    const failed = songOfJob(JOB_ID, "a.wav", 0, summaryOf(aJob({ status: "failed", error })));
    const refused = {
      ...newSong("b.zip", 0),
      phase: "refused",
      error: new ApiError({ code: "x", detail: "No." }),
    } as const;
    const gone = songOfJob(JOB_ID, "c.wav", 0, { ...summaryOf(aJob()), isGone: true });
    expect(rows(csvOf([failed, refused, newSong("d.wav", 0), gone]))).toEqual([
      `a.wav,failed,,,,,,,,,,There is nothing to hear.,${JOB_ID}`,
      "b.zip,refused,,,,,,,,,,No.,",
      "d.wav,waiting,,,,,,,,,,,",
      `c.wav,gone,,,,,,,,,,,${JOB_ID}`,
    ]);
  });

  it("quotes commas, quotes and line breaks", () => {
    const [row] = rows(csvOf([named('Say "yes", twice')]));
    expect(row).toMatch(/^"Say ""yes"", twice",succeeded,/);
    expect(csvOf([named("a\r\nb")])).toContain('"a\r\nb",succeeded');
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("lets no spreadsheet run %j", (name) => {
    expect(rows(csvOf([named(name)]).replace("\r=", "="))[0]).toMatch(/^"?'/);
  });
});
