import { describe, expect, it, vi } from "vitest";
import { aJob, aSong, fakeSongs } from "../../test/services";
import { createJourney } from "./journey";

const SONG = aSong("song.mp3", { phase: "sending" });
const ACCEPTED = { ...aJob("song.mp3", "1"), key: SONG.key };

function setOut() {
  const songs = fakeSongs([SONG]);
  const go = vi.fn();
  return { songs, go, journey: createJourney(songs, go) };
}

describe("the journey to a result", () => {
  it("begins when the song is a job, and is made once", () => {
    const { songs, go, journey } = setOut();
    journey.follow(SONG);
    expect(go).not.toHaveBeenCalled();
    songs.become([ACCEPTED]);
    songs.become([{ ...ACCEPTED }]);
    expect(go.mock.calls).toEqual([["/r/job_000000000000000000000001"]]);
  });

  it("begins at once where it is a job already", () => {
    const { songs, go, journey } = setOut();
    songs.become([ACCEPTED]);
    journey.follow(SONG);
    expect(go).toHaveBeenCalledOnce();
  });

  it("is not made by who has turned to something else", () => {
    const { songs, go, journey } = setOut();
    journey.follow(SONG);
    journey.stay();
    songs.become([ACCEPTED]);
    expect(go).not.toHaveBeenCalled();
  });

  it("is not made to a song that was taken from the list", () => {
    const { songs, go, journey } = setOut();
    journey.follow(SONG);
    songs.become([]);
    songs.become([ACCEPTED]);
    expect(go).not.toHaveBeenCalled();
  });
});
