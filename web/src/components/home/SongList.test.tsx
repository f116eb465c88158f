import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, describe, expect, it, vi } from "vitest";
import { advice } from "../../lib/advice";
import * as downloads from "../../lib/download";
import { ApiError } from "../../problem";
import type { Song } from "../../songs/song";
import { aJob, aSong, fakeKeys, fakeSongs, renderWith } from "../../test/services";
import { SongList } from "./SongList";

const DISCO = aJob("disco.mp3", "1", {
  status: "succeeded",
  genre: "disco",
  confidence: 0.72,
  top: [
    { genre: "disco", probability: 0.72 },
    { genre: "hiphop", probability: 0.2 },
    { genre: "pop", probability: 0.04 },
  ],
});
const UNSURE = aJob("hum.mp3", "2", {
  status: "succeeded",
  genre: null,
  confidence: 0.41,
  top: [{ genre: "rock", probability: 0.41 }],
});
const REFUSED = aSong("notes.txt", {
  phase: "refused",
  error: new ApiError({ code: "unsupported_format", detail: "No audio.", requestId: "req_1" }),
});

function show(...list: readonly Song[]) {
  const songs = fakeSongs(list);
  renderWith({ songs }, <SongList />);
  return songs;
}

function rows(): readonly HTMLElement[] {
  return within(screen.getByRole("list", { name: "Your songs" })).getAllByRole("listitem");
}

afterEach(() => vi.useRealTimers());

describe("the list", () => {
  it("is empty at first, and says what will be there", () => {
    show();
    expect(screen.getByRole("region", { name: "Your songs" })).toHaveTextContent(/None yet/);
    expect(screen.queryByRole("list")).toBeNull();
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("has the songs in their order, those that are jobs with a link to their page", () => {
    show(aSong("new.mp3"), DISCO);
    expect(rows().map((row) => within(row).queryByRole("link")?.getAttribute("href"))).toEqual([
      undefined,
      `/r/${DISCO.jobId ?? ""}`,
    ]);
  });

  it("offers a table once two have ended, of all songs", async () => {
    const songs = show(DISCO);
    expect(screen.queryByRole("button", { name: "Download CSV" })).toBeNull();
    act(() => songs.become([DISCO, UNSURE]));
    const download = vi.spyOn(downloads, "download").mockImplementation(() => undefined);
    await userEvent.click(screen.getByRole("button", { name: "Download CSV" }));
    const text = download.mock.calls[0]?.[2] ?? "";
    expect(text).toMatch(/disco\.mp3.*\r\n.*hum\.mp3/s);
  });

  it("comes into view when songs are added, and stays where it is when they get on", () => {
    const seen = vi.spyOn(Element.prototype, "scrollIntoView").mockImplementation(() => undefined);
    const songs = show(DISCO);
    act(() => songs.become([aSong("a.mp3"), aSong("b.mp3"), DISCO]));
    expect(seen.mock.contexts).toEqual([screen.getByRole("heading", { name: "Your songs" })]);
    act(() => songs.become([aSong("a.mp3", { phase: "sending" }), aSong("b.mp3"), DISCO]));
    act(() => songs.become([aJob("a.mp3", "3"), DISCO]));
    expect(seen).toHaveBeenCalledOnce();
  });

  it("is cleared, and the focus goes on from its heading", async () => {
    const songs = show(DISCO);
    await userEvent.click(screen.getByRole("button", { name: "Clear list" }));
    expect(songs.clear).toHaveBeenCalledOnce();
    expect(screen.getByRole("heading", { name: "Your songs" })).toHaveFocus();
  });

  it("has back what was cleared, and what was removed", async () => {
    show(DISCO, UNSURE);
    expect(screen.queryByRole("button", { name: /^Undo/ })).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Clear list" }));
    await userEvent.click(screen.getByRole("button", { name: "Undo removing 2 songs" }));
    expect(screen.getByRole("heading", { name: "Your songs" })).toHaveFocus();
    expect(rows()).toHaveLength(2);
    await userEvent.click(screen.getByRole("button", { name: "Remove hum.mp3" }));
    await userEvent.click(screen.getByRole("button", { name: "Undo removing hum.mp3" }));
    expect(rows()).toHaveLength(2);
    expect(screen.queryByRole("button", { name: /^Undo/ })).toBeNull();
  });

  it("is not cleared while nothing has ended", () => {
    show(aSong("new.mp3"));
    expect(screen.queryByRole("button", { name: "Clear list" })).toBeNull();
  });
});

describe("a song of the list", () => {
  it("tells its place in the queue while few wait, and only that it waits among many", () => {
    const waiting = Array.from({ length: 9 }, (_, at) =>
      aJob(`${at}`, `${at}`, { status: "queued", queuePosition: at + 1 }),
    );
    const songs = show(...waiting.slice(0, 8));
    expect(rows()[7]).toHaveTextContent("Waiting, 8 songs before this one");
    act(() => songs.become(waiting));
    expect(screen.queryByText(/before this one/)).toBeNull();
  });

  it("can be removed where the server does not know it", () => {
    show({ ...aJob("a.mp3", "1"), isMissing: true });
    expect(screen.getByTestId("standing")).toHaveTextContent("Not found. It may belong to another key");
    expect(screen.getByRole("button", { name: "Remove a.mp3" })).toBeVisible();
    expect(screen.getByRole("button", { name: "Clear list" })).toBeVisible();
  });

  it("shows its genre and what else it may be", () => {
    show(DISCO);
    expect(screen.getByTestId("standing")).toHaveTextContent("Done");
    expect(rows()[0]).toHaveTextContent("Disco 72 %Hip-hop 20 %, Pop 4 %");
  });

  it("says that the model is not sure, and what comes closest", () => {
    show(UNSURE);
    expect(rows()[0]).toHaveTextContent("Not sureRock 41 %");
  });

  it("that was refused says why, what to do, and whom to ask by which id", () => {
    show(REFUSED);
    expect(screen.getByRole("alert")).toHaveTextContent(
      `No audio. ${advice("unsupported_format")} Request req_1`,
    );
  });

  it("that could not be cancelled says why, until it has ended", () => {
    const cancelError = new ApiError({ code: "rate_limited", detail: "Too many.", requestId: "req_7" });
    const going = aJob("going.mp3", "4");
    const songs = show({ ...going, cancelError });
    expect(screen.getByRole("alert")).toHaveTextContent(`Too many. ${advice("rate_limited")} Request req_7`);
    act(() => songs.become([{ ...DISCO, cancelError }]));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("that failed says why, what to do, and which job to ask about", () => {
    const hush = aJob("hush.wav", "3", {
      status: "failed",
      error: { code: "audio_silent", detail: "It is silent." },
    });
    show(hush);
    expect(rows()[0]).toHaveTextContent(
      `It is silent. ${advice("audio_silent")} Job ${hush.jobId ?? "unknown"}`,
    );
  });

  it("has a bar that grows, and that never runs back where the next begins", () => {
    const bar = () => rows()[0]?.querySelector(".song-row-bar div");
    const songs = show(aSong("new.mp3", { phase: "sending", sentFraction: 0.2 }));
    const sending = bar();
    act(() => songs.become([aSong("new.mp3", { phase: "sending", sentFraction: 1 })]));
    expect(bar()).toBe(sending);
    const job = (status: "queued" | "running", fraction: number) => ({
      ...aJob("new.mp3", "1", { status, fraction }),
    });
    act(() => songs.become([job("queued", 0)]));
    expect(bar()).not.toBe(sending); // a new element has nothing to run back from
    act(() => songs.become([job("running", 0.8)]));
    const listening = bar();
    act(() => songs.become([job("queued", 0)])); // tried again
    expect(bar()).not.toBe(listening);
  });

  it("whose result is gone shows no genre", () => {
    show({ ...DISCO, summary: DISCO.summary && { ...DISCO.summary, isGone: true } });
    expect(screen.getByTestId("standing")).toHaveTextContent("The result is gone");
    expect(screen.queryByText(/72 %/)).toBeNull();
  });

  it("is not tried again where the same song would be refused again", () => {
    show(REFUSED);
    expect(screen.queryByRole("button", { name: /^Try/ })).toBeNull();
    expect(screen.getByRole("button", { name: "Remove notes.txt" })).toBeVisible();
  });

  it("is cancelled while it goes on, removed when it has ended, tried again when it was refused", async () => {
    const unlucky = aSong("unlucky.mp3", {
      phase: "refused",
      error: new ApiError({ code: "internal_error", detail: "Something went wrong." }),
    });
    const going = aSong("going.mp3", { phase: "sending" });
    const songs = show(going, DISCO, unlucky);
    await userEvent.click(screen.getByRole("button", { name: "Cancel going.mp3" }));
    expect(songs.cancel).toHaveBeenCalledWith(going.key);
    await userEvent.click(screen.getByRole("button", { name: "Try unlucky.mp3 again" }));
    expect(songs.retry).toHaveBeenCalledWith(unlucky.key);
    await userEvent.click(screen.getByRole("button", { name: "Remove disco.mp3" }));
    expect(songs.forget).toHaveBeenCalledWith(DISCO.key);
    expect(screen.queryByRole("button", { name: "Cancel unlucky.mp3" })).toBeNull();
  });

  it("cannot be removed by who meant to cancel it: the focus goes on to its link", () => {
    const songs = show(aJob("going.mp3", "4"), DISCO);
    const cancel = screen.getByRole("button", { name: "Cancel going.mp3" });
    cancel.focus();
    act(() => songs.become([aJob("going.mp3", "4", { status: "cancelled" }), DISCO]));
    expect(screen.getByRole("button", { name: "Remove going.mp3" })).not.toBe(cancel);
    expect(screen.getByRole("link", { name: "going.mp3" })).toHaveFocus();
  });

  it("that goes on waits for a key where one is wanted", () => {
    const keys = fakeKeys();
    renderWith({ songs: fakeSongs([aJob("going.mp3", "4"), DISCO]), keys }, <SongList />);
    const standings = () => screen.getAllByTestId("standing").map(({ textContent }) => textContent);
    act(() => keys.demand());
    expect(standings()).toEqual(["Waiting for an API key", "Done"]);
    act(() => keys.use("gw_1"));
    expect(standings()).toEqual(["Listening, 0 %", "Done"]);
  });

  it("has its name in its own direction of writing", () => {
    show({ ...DISCO, name: "שיר.mp3" });
    expect(screen.getByText("שיר.mp3", { selector: "bdi" })).toBeVisible();
  });

  it("counts down to its next try, from when it is known", () => {
    vi.useFakeTimers({ now: 0 });
    const songs = show(aSong("busy.mp3", { phase: "sending" }));
    vi.setSystemTime(60_000);
    const error = new ApiError({ code: "queue_full", detail: "" });
    act(() => songs.become([aSong("busy.mp3", { retryAt: 67_000, error })]));
    expect(screen.getByTestId("standing")).toHaveTextContent("Busy: tried again in 7 s");
    act(() => {
      vi.advanceTimersByTime(3_000);
    });
    expect(screen.getByTestId("standing")).toHaveTextContent("Busy: tried again in 4 s");
  });
});
