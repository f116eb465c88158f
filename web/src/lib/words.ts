/** Numbers and names as people read them. Pure. */

const NAMES: Readonly<Record<string, string>> = { hiphop: "Hip-hop" };

/** "Disco"; "Hip-hop". */
export function genreName(genre: string): string {
  return (Object.hasOwn(NAMES, genre) && NAMES[genre]) || genre.charAt(0).toUpperCase() + genre.slice(1);
}

/** A share as whole per cent, "72 %"; what is above nothing is never "0 %", what is below all never "100 %". */
export function percent(share: number): string {
  if (share > 0 && share < 0.005) return "<1 %";
  if (share < 1 && share >= 0.995) return ">99 %";
  return `${Math.round(share * 100)} %`;
}

/** Seconds as m:ss, or h:mm:ss from an hour on. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds + 1e-6));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const tail = `${String(minutes).padStart(hours ? 2 : 1, "0")}:${String(rest).padStart(2, "0")}`;
  return hours ? `${hours}:${tail}` : tail;
}

/** Where a job stands, as far as its own words tell. */
export interface Standing {
  readonly status: string;
  readonly stage: string | null;
  readonly fraction: number;
  readonly queuePosition: number | null;
  readonly isCancelling?: boolean;
  /** Some of its windows are known. */
  readonly isHeard?: boolean;
}

const STAGES: Readonly<Record<string, string>> = {
  fetch: "Fetching the song",
  decode: "Reading the song",
};

const ENDS: Readonly<Record<string, string>> = {
  succeeded: "Done",
  failed: "Failed",
  cancelled: "Cancelled",
  expired: "Not begun in time",
};

/** "Waiting, 3 songs before this one"; "Listening, 40 %"; "Done". */
export function standing(at: Standing): string {
  if (Object.hasOwn(ENDS, at.status)) return ENDS[at.status] ?? "";
  if (at.isCancelling) return "Stopping";
  if (at.status === "queued") {
    if (at.queuePosition === null) return "Waiting";
    if (at.queuePosition === 0) return "Waiting, next in line";
    return `Waiting, ${at.queuePosition} ${at.queuePosition === 1 ? "song" : "songs"} before this one`;
  }
  if (at.isHeard && at.fraction === 0) return "Listening"; // nobody knows how long it is
  const isHeard = at.stage === "decode" && at.fraction > 0; // while the rest of it is still being read
  const stage = at.stage ?? "";
  if (!isHeard && Object.hasOwn(STAGES, stage)) return STAGES[stage] ?? "";
  return `Listening, ${Math.round(at.fraction * 100)} %`;
}
