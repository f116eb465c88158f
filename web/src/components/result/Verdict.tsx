/** The genre, big; while the song is heard, the answer so far. It does not jump: its room is kept. */
import { genreName, percent } from "../../lib/words";
import type { ModelCard, Prediction, Result } from "../../types";
import { isUnsure, meaning } from "./verdict";
import "./Verdict.css";

interface Props {
  /** null until the job has succeeded. */
  readonly result: Result | null;
  /** The answer so far, likeliest first; empty while nothing was heard. */
  readonly soFar: readonly Prediction[];
  readonly card: ModelCard | null;
  /** Nothing is done with it yet. */
  readonly isQueued: boolean;
}

export function Verdict({ result, soFar, card, isQueued }: Props) {
  if (result) return <Final result={result} card={card} />;
  const [first] = soFar;
  if (!first) return <Nothing isQueued={isQueued} />;
  if (isUnsure(first.probability, card)) return <Undecided closest={first} />;
  return (
    <div className="verdict" data-genre={first.genre}>
      <p className="verdict-genre" data-testid="genre" key={first.genre}>
        {genreName(first.genre)}
      </p>
      <p className="verdict-sure">
        {percent(first.probability)} sure <span className="verdict-so-far">so far</span>
      </p>
      <p className="verdict-words">The rest of the song may change this.</p>
    </div>
  );
}

function Final({ result, card }: { readonly result: Result; readonly card: ModelCard | null }) {
  const [closest] = result.top;
  const words = meaning(result, card);
  return (
    <div className="verdict" data-genre={result.genre ?? undefined}>
      <p className="verdict-genre" data-testid="genre" key={result.genre}>
        {result.genre ? genreName(result.genre) : "Not sure"}
      </p>
      <p className="verdict-sure">
        {result.genre
          ? `${percent(result.confidence)} sure`
          : closest && `Closest: ${genreName(closest.genre)}, ${percent(closest.probability)}`}
      </p>
      {words && <p className="verdict-words">{words}</p>}
    </div>
  );
}

/** So far no genre is likely enough to be named big. */
function Undecided({ closest }: { readonly closest: Prediction }) {
  return (
    <div className="verdict">
      <p className="verdict-genre verdict-undecided" data-testid="genre">
        Not sure yet
      </p>
      <p className="verdict-sure">
        Closest so far: {genreName(closest.genre)}, {percent(closest.probability)}
      </p>
      <p className="verdict-words">The rest of the song may decide it.</p>
    </div>
  );
}

/** Before the first window is known. */
function Nothing({ isQueued }: Pick<Props, "isQueued">) {
  return (
    <div className="verdict">
      <p className="verdict-waiting">
        {isQueued ? "Waiting…" : "Listening…"}
        {!isQueued && (
          <span className="verdict-beat" aria-hidden="true">
            <i />
            <i />
            <i />
            <i />
          </span>
        )}
      </p>
      <p className="verdict-words">
        {isQueued
          ? "It is heard when its turn comes."
          : "The first answer comes after half a minute of the song."}
      </p>
    </div>
  );
}
