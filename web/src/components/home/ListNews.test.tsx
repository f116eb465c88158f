import { act, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../../problem";
import type { Song } from "../../songs/song";
import { aJob, aSong, fakeSongs, renderWith } from "../../test/services";
import { SongList } from "./SongList";

const songs = fakeSongs();

function becomes(...list: readonly Song[]): void {
  act(() => songs.become(list));
}

/** What is spoken after a while. */
function spoken(): string {
  act(() => {
    vi.advanceTimersByTime(1_000);
  });
  return screen.getByRole("status").textContent;
}

function refused(name: string): Song {
  const error = new ApiError({ code: "unsupported_format", detail: "No audio." });
  return aSong(name, { phase: "refused", error });
}

/** The same song before and after it is a job. */
function answered(name: string, genre: string | null): Song {
  return { ...aJob(name, "1", { status: "succeeded", genre }), key: name };
}

beforeEach(() => {
  vi.useFakeTimers();
  songs.become([]);
  renderWith({ songs }, <SongList />);
});
afterEach(() => vi.useRealTimers());

describe("what is spoken of the list", () => {
  it("is nothing at first", () => {
    expect(spoken()).toBe("");
  });

  it("is the way of a single song, but not each per cent", () => {
    becomes(aSong("a.mp3", { phase: "sending" }));
    expect(spoken()).toBe("Uploading a.mp3.");
    becomes(aSong("a.mp3", { phase: "sending", sentFraction: 0.5 }));
    expect(spoken()).toBe("Uploading a.mp3.");
    becomes(answered("a.mp3", "hiphop"));
    expect(spoken()).toBe("a.mp3: Hip-hop.");
  });

  it("is that the model is not sure, or that there is no answer", () => {
    becomes(answered("a.mp3", null));
    expect(spoken()).toBe("a.mp3: not sure.");
    becomes(answered("a.mp3", null), aJob("b.mp3", "2", { status: "failed" }));
    expect(spoken()).toBe("b.mp3: failed.");
  });

  it("is one sentence for several at once", () => {
    const names = ["a.mp3", "b.mp3", "c.mp3"];
    becomes(...names.map((name) => aSong(name, { phase: "sending" })));
    expect(spoken()).toBe("3 songs added.");
    becomes(answered("a.mp3", "disco"), aSong("b.mp3"), aSong("c.mp3"));
    becomes(answered("a.mp3", "disco"), answered("b.mp3", "jazz"), aSong("c.mp3"));
    expect(spoken()).toBe("2 of 3 answered.");
  });

  it("is what was removed, but not that a song which was sent turned out to be one of the list", () => {
    const [a, b, c] = [answered("a.mp3", "disco"), answered("b.mp3", "jazz"), answered("c.mp3", "pop")];
    becomes(a, { ...b, jobId: "job_b" }, { ...c, jobId: "job_c" });
    spoken();
    becomes({ ...b, jobId: "job_b" }, { ...c, jobId: "job_c" });
    expect(spoken()).toMatch(/a\.mp3 removed\.$/);
    becomes();
    expect(spoken()).toBe("2 songs removed.");
    becomes(a);
    spoken();
    becomes({ ...a, key: "the same job" });
    expect(spoken()).not.toMatch(/removed/);
  });

  it("is not of the one that was refused, whose row alerts, but of several, whose rows are silent", () => {
    becomes(refused("a.txt"));
    expect(spoken()).toBe("");
    expect(screen.getByRole("alert")).toHaveTextContent("No audio.");
    becomes(refused("a.txt"), refused("b.txt"));
    expect(spoken()).toBe("b.txt was not accepted: No audio.");
    becomes(refused("a.txt"), refused("b.txt"), refused("c.txt"), refused("d.txt"));
    expect(spoken()).toBe("2 songs were not accepted.");
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
