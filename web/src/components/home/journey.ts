/** Where the page goes by itself: to the result of a song that was added alone. It adds and removes no songs. */
import { pathOf } from "../../router";
import type { Song, Songs } from "../../songs/songs";

export interface Journey {
  /** Goes to the song's page as soon as there is one. */
  follow(song: Song): void;
  /** The person has turned to something else: goes nowhere. */
  stay(): void;
}

export function createJourney(songs: Songs, go: (path: string) => void): Journey {
  let end: (() => void) | null = null;

  function stay(): void {
    end?.();
    end = null;
  }

  return {
    stay,
    follow({ key }) {
      stay();
      const look = () => {
        const song = songs.list().find((each) => each.key === key);
        if (song && song.jobId === null) return;
        stay();
        if (song?.jobId) go(pathOf(song.jobId));
      };
      end = songs.subscribe(look);
      look();
    },
  };
}
