/** The likeliest genres as bars, with their share in words beside them. */
import { genreName, percent } from "../../lib/words";
import type { Prediction } from "../../types";
import "./Bars.css";

export function Bars({ top }: { readonly top: readonly Prediction[] }) {
  if (top.length === 0) return <Room />;
  return (
    <ol className="bars" aria-label="Likeliest genres">
      {top.slice(0, 5).map(({ genre, probability }) => (
        <li key={genre} className="bars-row" data-genre={genre}>
          <span className="bars-name">{genreName(genre)}</span>{" "}
          <span className="bars-bar" aria-hidden="true">
            {probability > 0 && <span className="bars-fill" style={{ width: `${probability * 100}%` }} />}
          </span>{" "}
          <span className="bars-share">{percent(probability)}</span>
        </li>
      ))}
    </ol>
  );
}

/** What is kept free for them, so that nothing jumps when they come. */
function Room() {
  return (
    <div className="bars bars-room" aria-hidden="true">
      {[1, 2, 3, 4, 5].map((row) => (
        <div key={row} className="bars-row">
          <span className="bars-bar" />
        </div>
      ))}
    </div>
  );
}
