/** Why a song got no answer: what happened, what to do, and the id to ask about. */
import { advice } from "../../lib/advice";
import { hasEnded } from "../../songs/song";
import { Refused } from "../shell/Refused";
import type { SongRowProps } from "./SongRow";

export function SongTrouble({ song, isAlert }: Omit<SongRowProps, "isOneOfMany">) {
  const isRefused = song.phase === "refused";
  const refusal = isRefused ? song.error : hasEnded(song) ? null : song.cancelError;
  if (refusal)
    return (
      <p className="song-trouble" role={isAlert || !isRefused ? "alert" : undefined}>
        <Refused error={refusal} />
      </p>
    );
  const error = song.summary?.isGone ? null : song.summary?.error;
  if (!error) return null;
  return (
    <p className="song-trouble">
      {error.detail} {advice(error.code)}
      <span className="refused-id"> Job {song.jobId}</span>
    </p>
  );
}
