/** Where a song of the list stands, in words and as a share. Pure. */
import { standing } from "../../lib/words";
import type { Song } from "../../songs/song";

/** Whether its bytes, or its link, have yet to reach the service. */
export function isOnItsWay(song: Song): boolean {
  return song.phase === "waiting" || song.phase === "sending";
}

/** Refusals that the same song, sent again, meets again. */
const FOR_GOOD: readonly string[] = [
  "unsupported_format",
  "upload_too_large",
  "too_large_here",
  "empty_file",
  "url_blocked",
  "invalid_request",
];

/** Whether it was refused for a reason that may have gone. */
export function mayBeRetried(song: Song): boolean {
  return song.phase === "refused" && !FOR_GOOD.includes(song.error?.code ?? "");
}

export const KEY_NEEDED = "Waiting for an API key";

const MISSING = "Not found. It may belong to another key";

/** now: milliseconds since 1970. isOneOfMany: of so many that wait that their places are known too late. */
export function whereItStands(song: Song, now: number, isOneOfMany = false): string {
  if (song.phase === "refused") return song.error?.code === "unauthorized" ? KEY_NEEDED : "Not accepted";
  if (song.phase === "sending") return `Uploading, ${Math.floor(song.sentFraction * 100)} %`;
  if (song.phase === "waiting") {
    if (song.retryAt === null) return "Waiting for its turn";
    const seconds = Math.max(0, Math.ceil((song.retryAt - now) / 1000));
    return `${song.error?.code === "unreachable" ? "No connection" : "Busy"}: tried again in ${seconds} s`;
  }
  if (song.isMissing) return MISSING;
  if (!song.summary) return "Waiting";
  if (song.summary.isGone) return "The result is gone";
  return standing(isOneOfMany ? { ...song.summary, queuePosition: null } : song.summary);
}

/** How much of what goes on now is done; null where nobody knows, or nothing goes on. */
export function shareDone(song: Song): number | null {
  if (song.phase === "sending") return song.sentFraction;
  return song.summary?.status === "running" && !song.summary.isGone ? song.summary.fraction : null;
}

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** "14:05" of today, "12 Nov" before. Both in milliseconds since 1970. */
export function addedWhen(addedAt: number, now: number): string {
  const isToday = new Date(addedAt).toDateString() === new Date(now).toDateString();
  return (isToday ? TIME : DAY).format(addedAt);
}
