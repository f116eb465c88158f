/** Services that components are tested on. They answer nothing by themselves. */
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi, type Mock } from "vitest";
import type { Api } from "../api";
import type { KeyRing } from "../keys";
import { ServicesContext } from "../services";
import { newSong, type Song, type Summary } from "../songs/song";
import type { Songs } from "../songs/songs";
import { WITHIN_REACH } from "./fakes";

export interface FakeSongs extends Songs {
  readonly addFiles: Mock<(files: readonly File[]) => readonly Song[]>;
  readonly addUrl: Mock<(url: string) => Song>;
  readonly cancel: Mock<(key: string) => void>;
  readonly retry: Mock<(key: string) => void>;
  readonly forget: Mock<(key: string) => void>;
  readonly clear: Mock<() => void>;
  readonly restore: Mock<() => void>;
  /** What the list is from now on. */
  become(list: readonly Song[]): void;
}

export function aSong(name: string, change: Partial<Song> = {}): Song {
  return { ...newSong(name, Date.now()), key: name, ...change };
}

/** A song that is a job; id: its last hex digit. */
export function aJob(name: string, id: string, change: Partial<Summary> = {}): Song {
  const summary: Summary = {
    status: "running",
    stage: "predict",
    fraction: 0,
    queuePosition: null,
    genre: null,
    confidence: null,
    top: [],
    durationSeconds: null,
    error: null,
    isGone: false,
    ...change,
  };
  return aSong(name, { phase: "accepted", sentFraction: 1, jobId: `job_${id.padStart(24, "0")}`, summary });
}

export function fakeSongs(before: readonly Song[] = []): FakeSongs {
  let list = before;
  let forgotten: readonly Song[] = [];
  const listeners = new Set<() => void>();
  const forget = (gone: readonly Song[]) => {
    forgotten = gone;
    become(list.filter((song) => !gone.includes(song)));
  };
  const become = (after: readonly Song[]) => {
    list = after;
    listeners.forEach((listener) => listener());
  };
  const add = (songs: readonly Song[]) => {
    become([...songs, ...list]);
    return songs;
  };
  return {
    become,
    list: () => list,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    addFiles: vi.fn((files: readonly File[]) =>
      add(files.map(({ name }) => aSong(name, { phase: "sending" }))),
    ),
    addUrl: vi.fn((url: string) => {
      const song = aSong(url, { phase: "sending" });
      add([song]);
      return song;
    }),
    cancel: vi.fn(),
    retry: vi.fn(),
    forget: vi.fn((key: string) => forget(list.filter((song) => song.key === key))),
    clear: vi.fn(() => forget(list)),
    forgotten: () => forgotten,
    restore: vi.fn(() => {
      const back = forgotten;
      forgotten = [];
      become([...back, ...list]);
    }),
    fileOf: () => null,
    urlOf: () => null,
    note: vi.fn(),
    noteGone: vi.fn(),
  };
}

export interface FakeKeys extends KeyRing {
  readonly use: Mock<(key: string | null) => void>;
  demand: () => void;
}

export function fakeKeys(before: string | null = null): FakeKeys {
  let key = before;
  let isNeeded = false;
  const listeners = new Set<() => void>();
  const tell = () => listeners.forEach((listener) => listener());
  const ask = () => {
    key = null;
    isNeeded = true;
    tell();
  };
  return {
    current: () => key,
    isNeeded: () => isNeeded,
    use: vi.fn((given: string | null) => {
      key = given;
      isNeeded = false;
      tell();
    }),
    demand: () => {
      if (!isNeeded || key !== null) ask();
    },
    ask,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Each method is to be given where a test uses it. */
export function fakeApi(methods: Partial<Api> = {}): Api {
  return { maxUploadBytes: null, reach: WITHIN_REACH, model: () => Promise.resolve(null), ...methods } as Api;
}

export interface FakeServices {
  readonly api?: Api;
  readonly keys?: KeyRing;
  readonly songs?: Songs;
}

export function renderWith(services: FakeServices, page: ReactNode): ReturnType<typeof render> {
  const { api = fakeApi(), keys = fakeKeys(), songs = fakeSongs() } = services;
  return render(<ServicesContext value={{ api, keys, songs }}>{page}</ServicesContext>);
}
