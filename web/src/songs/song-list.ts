/** The list itself: the newest first, kept in the browser, the same in every tab. It asks the service nothing. */
import { createListeners } from "../lib/listeners";
import { unbreakable, type TextStore } from "../lib/storage";
import { parseSongs, readSongs, STORE_NAME, textOf, writeSongs } from "./kept";
import { hasEnded, type Song } from "./song";

export interface SongList {
  list: () => readonly Song[];
  subscribe: (listener: () => void) => () => void;
  find(key: string): Song | null;
  ofJob(jobId: string): Song | null;
  add(songs: readonly Song[]): void;
  /** Nothing happens where it is no longer there. */
  change(key: string, change: Partial<Song>): void;
  drop(isDropped: (song: Song) => boolean): void;
}

export function createSongList(storage: TextStore): SongList {
  const store = unbreakable(() => storage);
  const listeners = createListeners();
  const dropped = new Map<string, number>(); // jobs that another tab's list may still have; when, in ms since 1970
  let songs = sorted(readSongs(store));
  let written = textOf(songs);

  function put(next: readonly Song[]): void {
    songs = sorted(next);
    keep();
    listeners.tell();
  }

  function keep(): void {
    if (textOf(songs) === written) return;
    const there = store.getItem(STORE_NAME);
    if (there !== written) songs = sorted([...songs, ...unknown(parseSongs(there))]); // another tab has just added
    written = textOf(songs);
    writeSongs(store, songs);
  }

  function unknown(others: readonly Song[]): readonly Song[] {
    const known = new Set(songs.map((song) => song.jobId));
    return others.filter(
      ({ jobId, addedAt }) =>
        jobId !== null && !known.has(jobId) && addedAt > (dropped.get(jobId) ?? -Infinity),
    );
  }

  /** Another tab has written. What it had and has no more, it has dropped. */
  function hear({ key, oldValue, newValue }: StorageEvent): void {
    if (key !== STORE_NAME && key !== null) return;
    const theirs = new Map(parseSongs(newValue).map((song) => [song.jobId, song]));
    const theirDropped = new Set(
      parseSongs(oldValue).flatMap(({ jobId }) => (theirs.has(jobId) ? [] : [jobId])),
    );
    const stay = songs.filter(({ jobId }) => jobId === null || !theirDropped.has(jobId));
    songs = sorted([
      ...stay.map((song) => later(song, theirs.get(song.jobId))),
      ...unknown([...theirs.values()]),
    ]);
    written = textOf(songs);
    listeners.tell();
  }

  window.addEventListener("storage", hear);

  return {
    list: () => songs,
    subscribe: listeners.subscribe,
    find: (key) => songs.find((song) => song.key === key) ?? null,
    ofJob: (jobId) => songs.find((song) => song.jobId === jobId) ?? null,
    add(added) {
      for (const { jobId } of added) if (jobId !== null) dropped.delete(jobId);
      put([...added, ...songs]);
    },
    change(key, change) {
      if (songs.some((song) => song.key === key))
        put(songs.map((song) => (song.key === key ? { ...song, ...change } : song)));
    },
    drop(isDropped) {
      const gone = songs.filter(isDropped);
      for (const { jobId } of gone) if (jobId !== null) dropped.set(jobId, Date.now());
      if (gone.length > 0) put(songs.filter((song) => !gone.includes(song)));
    },
  };
}

/** Those that were added together stay in their order. */
function sorted(songs: readonly Song[]): readonly Song[] {
  return songs.toSorted((a, b) => b.addedAt - a.addedAt);
}

/** What two tabs know of one job: the end, where one of them knows it. */
function later(ours: Song, theirs: Song | undefined): Song {
  return theirs && hasEnded(theirs) && !hasEnded(ours) ? { ...ours, summary: theirs.summary } : ours;
}
