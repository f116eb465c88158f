/** Play, pause, and where the song is: its time, and the genre that is heard there. */
import { clock } from "../../lib/words";
import type { Playing } from "./usePlayer";
import "./PlayerBar.css";

interface Props {
  readonly playing: Playing;
  readonly durationSeconds: number;
  /** In words, of where it is now; null where nothing was heard. */
  readonly genre: string | null;
}

export function PlayerBar({ playing, durationSeconds, genre }: Props) {
  const { player, status, isPlaying, currentSeconds } = playing;
  if (status === "unplayable") return <p className="player-none">This browser cannot play this format.</p>;
  return (
    <div className="player" role="group" aria-label="Player">
      <button
        type="button"
        className="player-toggle"
        aria-label={isPlaying ? "Pause" : "Play"}
        disabled={status === "loading"}
        onClick={() => player.toggle()}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true" focusable="false">
          {isPlaying ? (
            <path d="M7 5h3.6v14H7zM13.4 5H17v14h-3.6z" />
          ) : (
            <path d="M8 4.8v14.4c0 .6.7 1 1.2.6l10.6-7.2a.75.75 0 0 0 0-1.2L9.2 4.2c-.5-.4-1.2 0-1.2.6z" />
          )}
        </svg>
      </button>
      <p className="player-time">
        <span data-testid="position">{clock(currentSeconds)}</span>
        <span className="player-length"> / {clock(durationSeconds)}</span>
        {genre && <span className="player-genre"> · {genre}</span>}
      </p>
    </div>
  );
}
