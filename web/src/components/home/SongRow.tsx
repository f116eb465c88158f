/** One song of the list: what it is called, where it stands, what was heard. */
import { memo, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { pathOf } from "../../router";
import { useServices } from "../../services";
import { hasEnded, type Song } from "../../songs/song";
import { PageLink } from "../shell/PageLink";
import { SongAnswer } from "./SongAnswer";
import { SongTrouble } from "./SongTrouble";
import { addedWhen, KEY_NEEDED, mayBeRetried, shareDone, whereItStands } from "./song-words";
import { useNow } from "./useNow";

export interface SongRowProps {
  readonly song: Song;
  /** Whether the row speaks up by itself where the song was refused. */
  readonly isAlert: boolean;
  /** Whether so many wait that places in the queue are known too late. */
  readonly isOneOfMany: boolean;
}

/** A row is drawn anew when its own song changes, whatever the others do. */
export const SongRow = memo(function SongRow({ song, isAlert, isOneOfMany }: SongRowProps) {
  const { keys } = useServices();
  const isKeyNeeded = useSyncExternalStore(keys.subscribe, keys.isNeeded) && song.phase === "accepted";
  const hasCome = hasEnded(song);
  const now = useNow(song.phase === "waiting" && song.retryAt !== null);
  return (
    <li className="song-row" data-genre={song.summary?.genre ?? undefined}>
      <div className="song-row-what">
        <SongName song={song} />
        <p className="song-row-meta">
          <span data-testid="standing">
            {isKeyNeeded && !hasCome ? KEY_NEEDED : whereItStands(song, now, isOneOfMany)}
          </span>
          <span aria-hidden="true"> · </span>
          <time dateTime={new Date(song.addedAt).toISOString()}>{addedWhen(song.addedAt, now)}</time>
        </p>
      </div>
      {hasCome ? (
        <SongAnswer summary={song.summary} />
      ) : (
        <div className="song-row-bar" aria-hidden="true">
          {/* Anew for each step: one bar would run back from the end of the last. */}
          <div
            key={song.summary?.status ?? song.phase}
            style={{ transform: `scaleX(${shareDone(song) ?? 0})` }}
          />
        </div>
      )}
      <SongButtons song={song} />
      <SongTrouble song={song} isAlert={isAlert} />
    </li>
  );
});

function SongName({ song }: { readonly song: Song }) {
  if (song.jobId === null)
    return (
      <span className="song-row-name">
        <bdi>{song.name}</bdi>
      </span>
    );
  return (
    <PageLink to={pathOf(song.jobId)} className="song-row-name">
      <bdi>{song.name}</bdi>
    </PageLink>
  );
}

function SongButtons({ song }: { readonly song: Song }) {
  const { songs } = useServices();
  const name = <span className="visually-hidden">{`${song.name} `}</span>;
  return (
    <div className="song-row-buttons">
      {mayBeRetried(song) && (
        <button type="button" className="quiet" onClick={() => songs.retry(song.key)}>
          <span>Try {name}again</span>
        </button>
      )}
      {hasEnded(song) ? (
        <button type="button" className="song-row-remove" onClick={() => songs.forget(song.key)}>
          <span className="visually-hidden">Remove {song.name}</span>
          <span aria-hidden="true">×</span>
        </button>
      ) : (
        <CancelButton song={song} />
      )}
    </div>
  );
}

/** Another button than the one that removes: pressed twice, it does not take the song away. */
function CancelButton({ song }: { readonly song: Song }) {
  const { songs } = useServices();
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const element = button.current;
    return () => {
      if (element && element === document.activeElement) element.closest("li")?.querySelector("a")?.focus();
    };
  }, []);
  return (
    <button ref={button} type="button" className="quiet" onClick={() => songs.cancel(song.key)}>
      <span>
        Cancel <span className="visually-hidden">{song.name}</span>
      </span>
    </button>
  );
}
