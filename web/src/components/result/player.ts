/**
 * Plays a file that lies on this computer: one audio element, as a store that components can watch.
 *
 * It draws nothing and sends nothing. The file is open for as long as somebody watches.
 */

export interface PlayerState {
  /** unplayable: this browser does not know the format. */
  readonly status: "loading" | "ready" | "unplayable";
  readonly isPlaying: boolean;
  readonly currentSeconds: number;
  /** 0 until known. */
  readonly durationSeconds: number;
}

export interface Player {
  readonly audio: HTMLAudioElement;
  readonly bytes: number;
  /** The same object until something changes. */
  state: () => PlayerState;
  subscribe: (listener: () => void) => () => void;
  readonly toggle: () => void;
  /** Goes there, as near as the song has it. */
  readonly seek: (seconds: number) => void;
}

const START: PlayerState = { status: "loading", isPlaying: false, currentSeconds: 0, durationSeconds: 0 };
const EVENTS = [
  "loadedmetadata",
  "durationchange",
  "play",
  "pause",
  "ended",
  "timeupdate",
  "seeked",
  "error",
];

export function createPlayer(file: File): Player {
  const audio = new Audio();
  audio.preload = "auto";
  const listeners = new Set<() => void>();
  let state = START;
  let url: string | null = null;

  const look = () => {
    state = read(audio, state);
    for (const listener of listeners) listener();
  };
  const open = () => {
    url = URL.createObjectURL(file);
    for (const event of EVENTS) audio.addEventListener(event, look);
    audio.src = url;
  };
  const close = () => {
    for (const event of EVENTS) audio.removeEventListener(event, look);
    audio.pause();
    audio.removeAttribute("src");
    audio.load(); // lets go of the file
    if (url) URL.revokeObjectURL(url);
    state = START;
  };

  return {
    audio,
    bytes: file.size,
    state: () => state,
    subscribe(listener) {
      if (listeners.size === 0) open();
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) close();
      };
    },
    toggle() {
      if (audio.paused) audio.play().catch(look);
      else audio.pause();
    },
    seek(seconds) {
      if (state.status !== "ready") return;
      audio.currentTime = Math.min(Math.max(0, seconds), state.durationSeconds || seconds);
      look();
    },
  };
}

function read(audio: HTMLAudioElement, before: PlayerState): PlayerState {
  const duration = Number.isFinite(audio.duration) ? audio.duration : before.durationSeconds;
  return {
    status: audio.error ? "unplayable" : audio.readyState > 0 ? "ready" : before.status,
    isPlaying: !audio.paused && !audio.ended,
    currentSeconds: audio.currentTime,
    durationSeconds: duration,
  };
}
