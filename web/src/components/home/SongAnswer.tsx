/** What was heard in a song: its genre, or that the model is not sure, and what else comes close. */
import { genreName, percent } from "../../lib/words";
import type { Summary } from "../../songs/songs";

export function SongAnswer({ summary }: { readonly summary: Summary | null }) {
  const [first, ...rest] = summary?.top.slice(0, 3) ?? [];
  if (summary?.status !== "succeeded" || summary.isGone || !first) return null;
  const others = summary.genre === null ? [first, ...rest] : rest;
  return (
    <div className="song-answer">
      <p className="song-answer-genre">
        {summary.genre === null ? (
          "Not sure"
        ) : (
          <>
            {genreName(summary.genre)} <small>{percent(summary.confidence ?? first.probability)}</small>
          </>
        )}
      </p>
      <div className="song-answer-bar" aria-hidden="true">
        {[first, ...rest].map(({ genre, probability }) => (
          <div key={genre} data-genre={genre} style={{ width: `${probability * 100}%` }} />
        ))}
      </div>
      <p className="song-answer-rest">
        {others.map(({ genre, probability }) => `${genreName(genre)} ${percent(probability)}`).join(", ")}
      </p>
    </div>
  );
}
