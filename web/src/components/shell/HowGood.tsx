/** How good the answers are, by the figures of the model's card. */
import { genreName, percent } from "../../lib/words";
import type { ModelCard } from "../../types";
import { Dialog } from "./Dialog";
import {
  calibration,
  leastTrusted,
  range,
  testFigures,
  weaknesses,
  whenNotSure,
  type ListFigures,
} from "./figures";
import "./HowGood.css";

export interface HowGoodProps {
  /** undefined: not known yet; null: the server does not know it. */
  readonly card: ModelCard | null | undefined;
  /** The server was asked, and there was no answer. */
  readonly hasFailed: boolean;
  readonly onClose: () => void;
}

export function HowGood({ card, hasFailed, onClose }: HowGoodProps) {
  const figures = testFigures(card);
  return (
    <Dialog title="How good is it?" hasClose onClose={onClose}>
      <div className="how-good">
        {card === undefined && (
          <p role="status">
            {hasFailed ? "The server did not answer. It is asked again by itself." : "Asking the server…"}
          </p>
        )}
        {card === null && <p>The server cannot tell: it does not know which model answers.</p>}
        {card && !figures && <p>Nobody has measured the model that answers here.</p>}
        {card && (
          <p>
            It knows {card.genres.length} genres: {card.genres.map(genreName).join(", ")}. A song of any other
            kind is called by one of these all the same.
          </p>
        )}
        {card && figures && <Figures card={card} figures={figures} />}
      </div>
    </Dialog>
  );
}

function Figures({ card, figures }: { readonly card: ModelCard; readonly figures: ListFigures }) {
  const notSure = whenNotSure(card);
  const tooOften = leastTrusted(figures);
  return (
    <>
      <dl className="how-good-big">
        <div>
          <dt>right at the first guess</dt>
          <dd>{percent(figures.accuracy)}</dd>
        </div>
        <div>
          <dt>among its first three</dt>
          <dd>{percent(figures.top_3)}</dd>
        </div>
      </dl>
      <p>
        Measured on {figures.songs} songs that it had never heard. On other songs of the same kind, expect{" "}
        {range(figures.accuracy_interval)}; on music unlike them, less.
      </p>
      <h3>What “72 % sure” means</h3>
      <p>
        Of all songs that it is 72 % sure of, 72 in a hundred should be right. {calibration(figures)}{" "}
        {notSure}
      </p>
      <h3>What it is bad at</h3>
      <ul>
        {weaknesses(figures).map((weakness) => (
          <li key={weakness}>{weakness}</li>
        ))}
        {tooOften && <li>{tooOften}</li>}
      </ul>
      <h3>Genre by genre</h3>
      <GenreTable figures={figures} />
    </>
  );
}

function GenreTable({ figures }: { readonly figures: ListFigures }) {
  return (
    <div className="how-good-table">
      <table>
        <thead>
          <tr>
            <th scope="col">Genre</th>
            <th scope="col">Songs</th>
            <th scope="col">Recognised</th>
            <th scope="col">Right when said</th>
          </tr>
        </thead>
        <tbody>
          {figures.genres.map(({ genre, songs, recall, precision }) => (
            <tr key={genre} data-genre={genre}>
              <th scope="row">{genreName(genre)}</th>
              <td>{songs}</td>
              <td>
                <span className="how-good-share">
                  <span className="how-good-bar" aria-hidden="true">
                    <span style={{ width: `${recall * 100}%` }} />
                  </span>
                  {percent(recall)}
                </span>
              </td>
              <td>{percent(precision)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
