/** The songs of this browser, the newest first. */
import { useEffect, useRef } from "react";
import { csvOf } from "../../songs/csv";
import { download } from "../../lib/download";
import { useServices } from "../../services";
import { hasEnded, type Song } from "../../songs/song";
import { useForgotten, useSongs } from "../../songs/useSongs";
import { isOnItsWay } from "./song-words";
import { ListNews } from "./ListNews";
import { SongRow } from "./SongRow";
import "./SongList.css";

/** Of so many the places in the queue are asked for often enough to be true. */
const MOST_PLACES = 8;

export function SongList() {
  const { songs } = useServices();
  const list = useSongs();
  const forgotten = useForgotten();
  const heading = useRef<HTMLHeadingElement>(null);
  useKeptFocus(list.length, heading);
  useSeenNews(list.filter(isOnItsWay).length, heading);
  const finished = list.filter((song) => song.phase === "accepted" && hasEnded(song));
  const queued = list.filter(({ summary }) => summary?.status === "queued").length;
  const refused = list.filter(({ phase }) => phase === "refused").length;

  return (
    <section className="song-list" aria-labelledby="your-songs">
      <div className="song-list-head">
        <h2 id="your-songs" ref={heading} tabIndex={-1}>
          Your songs
        </h2>
        <div className="song-list-actions">
          {forgotten.length > 0 && (
            <button
              type="button"
              className="quiet"
              onClick={() => {
                songs.restore();
                heading.current?.focus(); // the button goes
              }}
            >
              Undo
              <span className="visually-hidden"> removing {namesOf(forgotten)}</span>
            </button>
          )}
          {finished.length >= 2 && (
            <button
              type="button"
              className="quiet"
              onClick={() => download("genrewiz.csv", "text/csv;charset=utf-8", csvOf(list))}
            >
              Download CSV
            </button>
          )}
          {list.some(hasEnded) && (
            <button type="button" className="quiet" onClick={() => songs.clear()}>
              Clear list
            </button>
          )}
        </div>
      </div>
      {list.length === 0 ? (
        <p className="song-list-empty">
          None yet. What you add is listed here, in this browser alone, with a page of its own for each song.
        </p>
      ) : (
        <ul aria-label="Your songs">
          {list.map((song) => (
            <SongRow key={song.key} song={song} isAlert={refused === 1} isOneOfMany={queued > MOST_PLACES} />
          ))}
        </ul>
      )}
      <ListNews />
    </section>
  );
}

function namesOf(songs: readonly Song[]): string {
  const [first, second] = songs;
  return first && !second ? first.name : `${songs.length} songs`;
}

/** Whose button has gone with its row goes on from the heading, not from the top of the page. */
function useKeptFocus(count: number, heading: React.RefObject<HTMLHeadingElement | null>): void {
  const before = useRef(count);
  useEffect(() => {
    if (count < before.current && document.activeElement === document.body) heading.current?.focus();
    before.current = count;
  }, [count, heading]);
}

/** Songs that were just added are seen: the list comes into view where it is not. */
function useSeenNews(onTheirWay: number, heading: React.RefObject<HTMLHeadingElement | null>): void {
  const before = useRef(onTheirWay);
  useEffect(() => {
    if (onTheirWay > before.current) {
      const isStill = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
      heading.current?.scrollIntoView({ block: "nearest", behavior: isStill ? "instant" : "smooth" });
    }
    before.current = onTheirWay;
  }, [onTheirWay, heading]);
}
