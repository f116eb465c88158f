/** What each window says, as a table: for those who cannot see the pictures, and for those who want the numbers. */
import { useId, useState } from "react";
import { clock, genreName, percent } from "../../lib/words";
import type { TimelineEntry } from "../../types";
import "./WindowTable.css";

interface Props {
  readonly windows: readonly TimelineEntry[];
  /** The model's, in the order of the probabilities; empty where unknown. */
  readonly genres: readonly string[];
}

export function WindowTable({ windows, genres }: Props) {
  const [isOpen, setIsOpen] = useState(false);
  const id = useId();
  return (
    <>
      <button
        type="button"
        className="quiet"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => setIsOpen(!isOpen)}
      >
        {isOpen ? "Hide table" : "Show as table"}
      </button>
      <div id={id} className="windows" hidden={!isOpen}>
        {isOpen && <Table windows={windows} genres={genres} />}
      </div>
    </>
  );
}

function Table({ windows, genres }: Props) {
  return (
    <div className="windows-scroll" tabIndex={0} role="region" aria-label="Window by window">
      <table>
        <caption>Window by window</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            <th scope="col" className="windows-more">
              To
            </th>
            <th scope="col">Likeliest</th>
            <th scope="col">Second</th>
            <th scope="col">Third</th>
          </tr>
        </thead>
        <tbody>
          {windows.map((window) => (
            <tr key={window.start_seconds}>
              <td>{clock(Math.round(window.start_seconds))}</td>
              <td className="windows-more">{clock(Math.round(window.end_seconds))}</td>
              {ranked(window, genres).map(({ genre, share }) => (
                <td key={genre}>
                  {genreName(genre)} <span className="windows-share">{percent(share)}</span>
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Ranked {
  readonly genre: string;
  readonly share: number;
}

/** Likeliest first; the first alone where the others' names are unknown. */
function ranked({ genre, probabilities }: TimelineEntry, genres: readonly string[]): readonly Ranked[] {
  if (genres.length !== probabilities.length) return [{ genre, share: Math.max(...probabilities) }];
  return genres
    .map((name, index) => ({ genre: name, share: probabilities[index] ?? 0 }))
    .sort((a, b) => b.share - a.share)
    .slice(0, 3);
}
