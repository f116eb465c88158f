/** A player for the song of a job, where its file is at hand. */
import { useMemo, useSyncExternalStore } from "react";
import { createPlayer, type Player, type PlayerState } from "./player";

export interface Playing extends PlayerState {
  readonly player: Player;
}

const nothing = () => () => undefined;

/** null where there is no file. */
export function usePlayer(file: File | null): Playing | null {
  const player = useMemo(() => (file ? createPlayer(file) : null), [file]);
  const state = useSyncExternalStore(player?.subscribe ?? nothing, player?.state ?? (() => null));
  return useMemo(() => (player && state ? { ...state, player } : null), [player, state]);
}
