import { act } from "@testing-library/react";
import { expect, it } from "vitest";
import { aJob, aSong, fakeSongs, renderWith } from "../../test/services";
import type { Song } from "../../songs/song";
import { useUnsent } from "./useUnsent";

function Page() {
  useUnsent();
  return null;
}

/** Whether the browser is to ask before the page is left. */
function asks(): boolean {
  return !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
}

it.each<readonly [string, Song]>([
  ["is being sent", aSong("a.mp3", { phase: "sending" })],
  ["waits to be sent", aSong("a.mp3", { phase: "waiting" })],
])("asks whoever leaves while a song %s, and nobody once it is a job", (_, song) => {
  const songs = fakeSongs([song]);
  renderWith({ songs }, <Page />);
  expect(asks()).toBe(true);

  act(() => songs.become([aJob("a.mp3", "1")]));

  expect(asks()).toBe(false);
});

it("asks nobody of songs that were refused, or where there are none", () => {
  const songs = fakeSongs();
  renderWith({ songs }, <Page />);
  expect(asks()).toBe(false);

  act(() => songs.become([aSong("a.mp3", { phase: "refused" })]));

  expect(asks()).toBe(false);
});

it("asks no more once the page is taken away", () => {
  const { unmount } = renderWith({ songs: fakeSongs([aSong("a.mp3", { phase: "sending" })]) }, <Page />);

  unmount();

  expect(asks()).toBe(false);
});
