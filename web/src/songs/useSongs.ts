/** The songs, as a component sees them. */
import { useSyncExternalStore } from "react";
import { useServices } from "../services";
import type { Song } from "./songs";

export function useSongs(): readonly Song[] {
  const { songs } = useServices();
  return useSyncExternalStore(songs.subscribe, songs.list);
}

/** Those that were forgotten last and can come back. */
export function useForgotten(): readonly Song[] {
  const { songs } = useServices();
  return useSyncExternalStore(songs.subscribe, songs.forgotten);
}
