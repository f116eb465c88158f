/** One job as it goes on: the one door to its stream (`watch-job.ts`, `stream.ts`). It draws nothing. */
import { useCallback, useEffect, useRef, useState } from "react";
import { NOTHING, type Seen } from "./seen";
import { useServices } from "./services";
import { watchJob, type Watch } from "./watch-job";

/** Statuses that another key may change. */
const HANG_ON_THE_KEY: readonly unknown[] = [401, 403, 404];

export interface Watched extends Seen {
  /** Asks anew at once. */
  retry(): void;
}

export function useJob(id: string): Watched {
  const { api, keys, songs } = useServices();
  const [told, setTold] = useState({ id, seen: NOTHING });
  const watching = useRef<Watch | null>(null);

  useEffect(() => {
    let last = NOTHING;
    const watch = watchJob(api, id, (seen) => {
      if (seen.job && seen.job !== last.job) songs.note(seen.job);
      if (seen.error?.status === 410) songs.noteGone(id);
      last = seen;
      setTold({ id, seen });
    });
    const endListening = keys.subscribe(() => {
      if (HANG_ON_THE_KEY.includes(last.error?.status) && !keys.isNeeded()) watch.retry();
    });
    watching.current = watch;
    return () => {
      endListening();
      watch.stop();
    };
  }, [api, keys, songs, id]);

  const retry = useCallback(() => watching.current?.retry(), []);
  return { ...(told.id === id ? told.seen : NOTHING), retry };
}
