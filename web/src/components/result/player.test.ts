import { expect, it, vi } from "vitest";
import { createPlayer, type Player } from "./player";

const FILE = new File(["bytes"], "song.mp3", { type: "audio/mpeg" });

/** Watched, and as a browser has it once it knows the file. */
function ready(player: Player, durationSeconds = 60): () => void {
  const leave = player.subscribe(() => undefined);
  Object.defineProperty(player.audio, "readyState", { value: 4, configurable: true });
  Object.defineProperty(player.audio, "duration", { value: durationSeconds, configurable: true });
  player.audio.dispatchEvent(new Event("loadedmetadata"));
  return leave;
}

it("opens the file for the first who watches, and lets go of it after the last", () => {
  const open = vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:here/1");
  const close = vi.spyOn(URL, "revokeObjectURL").mockReturnValue();
  const player = createPlayer(FILE);
  expect(open).not.toHaveBeenCalled();

  const [first, second] = [player.subscribe(() => undefined), player.subscribe(() => undefined)];
  expect(open).toHaveBeenCalledOnce();
  first();
  expect(close).not.toHaveBeenCalled();
  second();

  expect(close).toHaveBeenCalledExactlyOnceWith("blob:here/1");
  expect(player.audio.getAttribute("src")).toBeNull();
});

it("is ready once the browser knows the file, and tells its length", () => {
  const player = createPlayer(FILE);
  expect(player.state().status).toBe("loading");

  ready(player, 60);

  expect(player.state()).toMatchObject({ status: "ready", durationSeconds: 60 });
});

it("says that a format cannot be played here", () => {
  const player = createPlayer(FILE);
  const heard = vi.fn();
  player.subscribe(heard);

  Object.defineProperty(player.audio, "error", { value: { code: 4 } });
  player.audio.dispatchEvent(new Event("error"));

  expect(player.state().status).toBe("unplayable");
  expect(heard).toHaveBeenCalled();
});

it("seeks within the song alone", () => {
  const player = createPlayer(FILE);
  player.seek(10);
  expect(player.audio.currentTime).toBe(0); // not before it is known

  ready(player, 60);
  player.seek(-5);
  expect(player.state().currentSeconds).toBe(0);
  player.seek(1_000);
  expect(player.state().currentSeconds).toBe(60);
});

it("gives the same state until something changes", () => {
  const player = createPlayer(FILE);
  ready(player);

  expect(player.state()).toBe(player.state());
});
