/** The songs of this browser: those on their way to the service, and those that it has answered. It draws nothing. */
import type { Api } from "../api";
import type { KeyRing } from "../keys";
import type { TextStore } from "../lib/storage";
import { ApiError } from "../problem";
import { isFinished, type Job } from "../types";
import { createPoller } from "./poller";
import { hasEnded, nameOf, nameOfUrl, newSong, songOfJob, summaryOf, type Song } from "./song";
import { createSongList } from "./song-list";
import { createUploadQueue } from "./upload-queue";

export { hasEnded, nameOf } from "./song";
export type { Song, Summary } from "./song";

export interface Songs {
  /** The newest first; the same array until something changes. */
  list: () => readonly Song[];
  /** Calls on every change of `list`; what it returns ends that. */
  subscribe: (listener: () => void) => () => void;
  /** Sends them, a few at a time, in this order. */
  addFiles(files: readonly File[]): readonly Song[];
  addUrl(url: string): Song;
  /** Stops an upload and forgets it, or asks the job's worker to stop. */
  cancel(key: string): void;
  /** Sends a refused song again. */
  retry(key: string): void;
  /** Takes what has ended from the list; the job stays at the server. */
  forget(key: string): void;
  /** Forgets all that has ended. */
  clear(): void;
  /** What was forgotten last and can come back; the same array until something changes. */
  forgotten: () => readonly Song[];
  /** Takes that back. */
  restore(): void;
  /** The song of a job, where this page sent it itself. */
  fileOf(jobId: string): File | null;
  /** The whole link of a job, where this page sent it itself: the service tells no query. */
  urlOf(jobId: string): string | null;
  /** What somebody has just heard of a job (adds it where it was not in the list: a shared page that was opened). */
  note(job: Job): void;
  /** A job is no longer at the server. */
  noteGone(jobId: string): void;
}

/** A file that was chosen stays on the disk, and is no more than its name here. */
const MOST_FILES = 1_000;
/** A short song has ended by then. */
const ACCEPTED_MS = 700;
/** Whoever has told of a job is likely to tell more. */
const NOTED_MS = 3_000;

export function createSongs(api: Api, keys: KeyRing, storage: TextStore): Songs {
  const all = createSongList(storage);
  const files = new Map<string, File>(); // by job
  const urls = new Map<string, string>(); // by job
  const unsent = new Map<string, File | string>(); // by song; a link as text
  let forgotten: readonly Song[] = [];

  const poller = createPoller(api, {
    jobs: () => (keys.isNeeded() ? [] : all.list().flatMap(goingOn)),
    heard: hear,
    gone: noteGone,
    missing(jobId) {
      const song = all.ofJob(jobId);
      if (song) all.change(song.key, { isMissing: true });
    },
  });
  const queue = createUploadQueue({
    changed: (key, change) => all.change(key, change),
    accepted,
    unwanted: (job) => void api.cancel(job.id).catch(() => undefined), // it ends by itself at last
  });

  function accepted(key: string, job: Job): void {
    const source = unsent.get(key);
    unsent.delete(key);
    if (typeof source === "string") urls.set(job.id, source);
    else if (source) keepFile(job.id, source);
    all.drop((song) => song.jobId === job.id && song.key !== key); // somebody was quicker to tell of it
    poller.leaveFor(job.id, ACCEPTED_MS);
    all.change(key, {
      phase: "accepted",
      sentFraction: 1,
      retryAt: null,
      error: null,
      jobId: job.id,
      summary: summaryOf(job),
    });
  }

  function keepFile(jobId: string, file: File): void {
    files.set(jobId, file);
    const [oldest] = files.keys();
    if (files.size > MOST_FILES && oldest !== undefined) files.delete(oldest);
  }

  function hear(job: Job): void {
    const song = all.ofJob(job.id);
    // What was asked before the end may be answered after it. What was gone may be back, with another key.
    if (song && (!song.summary || !isFinished(song.summary) || isFinished(job)))
      all.change(song.key, { summary: summaryOf(job), isMissing: false });
  }

  function noteGone(jobId: string): void {
    const song = all.ofJob(jobId);
    if (song?.summary) all.change(song.key, { summary: { ...song.summary, isGone: true } });
  }

  async function cancelJob(key: string, jobId: string): Promise<void> {
    all.change(key, { cancelError: null });
    try {
      hear(await api.cancel(jobId));
    } catch (error) {
      if (error instanceof ApiError && error.status === 409) hear(await api.job(jobId)); // it was quicker
      if (error instanceof ApiError && (error.status === 404 || error.status === 410)) noteGone(jobId);
      else if (error instanceof ApiError && error.status !== 409) all.change(key, { cancelError: error });
    }
  }

  keys.subscribe(() => {
    if (keys.isNeeded()) return;
    sendAgain(all.list());
    for (const { key, isMissing } of all.list()) if (isMissing) all.change(key, { isMissing: false });
    poller.hurry();
  });
  all.subscribe(poller.wake);
  poller.wake();

  return {
    list: all.list,
    subscribe: all.subscribe,
    addFiles(chosen) {
      const now = Date.now();
      const songs = chosen.map((file, at) => newSong(file.name, now - at)); // in this order, whoever comes back
      forgetForGood();
      all.add(songs);
      songs.forEach((song, at) => {
        const file = chosen[at];
        if (!file) return;
        unsent.set(song.key, file);
        queue.add(song.key, (ask) => api.submitFile(file, ask));
      });
      return songs;
    },
    addUrl(url) {
      const song = newSong(nameOfUrl(url), Date.now());
      forgetForGood();
      all.add([song]);
      unsent.set(song.key, url);
      queue.add(song.key, (ask) => api.submitUrl(url, ask));
      return song;
    },
    cancel(key) {
      const song = all.find(key);
      if (song?.jobId) void cancelJob(key, song.jobId).catch(() => undefined);
      else stopUpload(key);
    },
    retry: (key) => queue.again(key),
    forget: (key) => forget((song) => song.key === key),
    clear: () => forget(hasEnded),
    forgotten: () => forgotten,
    restore() {
      const songs = forgotten.filter(({ jobId }) => jobId === null || !all.ofJob(jobId)); // opened meanwhile
      forgotten = [];
      all.add(songs);
      if (!keys.isNeeded()) sendAgain(songs);
    },
    fileOf: (jobId) => files.get(jobId) ?? null,
    urlOf: (jobId) => urls.get(jobId) ?? null,
    note(job) {
      poller.leaveFor(job.id, NOTED_MS);
      if (all.ofJob(job.id)) hear(job);
      else all.add([songOfJob(job.id, nameOf(job.source), Date.now(), summaryOf(job))]);
    },
    noteGone,
  };

  /** What only wanted a key. */
  function sendAgain(songs: readonly Song[]): void {
    for (const { key, error } of songs) if (error?.code === "unauthorized") queue.again(key);
  }

  function forget(isMeant: (song: Song) => boolean): void {
    forgetForGood();
    forgotten = all.list().filter(isMeant);
    all.drop(isMeant);
  }

  function forgetForGood(): void {
    for (const { key } of forgotten) release(key);
    forgotten = [];
  }

  function stopUpload(key: string): void {
    release(key);
    all.drop((song) => song.key === key);
  }

  function release(key: string): void {
    queue.stop(key);
    unsent.delete(key);
  }
}

function goingOn(song: Song): readonly string[] {
  return song.jobId !== null && !hasEnded(song) ? [song.jobId] : [];
}
