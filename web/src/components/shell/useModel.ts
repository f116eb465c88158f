/** The model's card, asked for until the server has answered. */
import { useCallback, useEffect, useRef, useState } from "react";
import { persist, type Persistence } from "../../lib/persist";
import { useServices } from "../../services";
import type { ModelCard } from "../../types";

const LONGEST_WAIT_MS = 60_000;

export interface KnownModel {
  /** undefined: not known yet; null: the server does not know it. */
  readonly card: ModelCard | null | undefined;
  /** The last try got no answer; another follows by itself. */
  readonly hasFailed: boolean;
  /** Asks anew at once, where there was no answer yet. */
  readonly ask: () => void;
}

export function useModel(): KnownModel {
  const { api, keys } = useServices();
  const [known, setKnown] = useState<Omit<KnownModel, "ask">>({ card: undefined, hasFailed: false });
  const asking = useRef<Persistence | null>(null);
  useEffect(() => {
    const { hurry, stop } = (asking.current = persist({
      ask: () => api.model(),
      answered: (card) => setKnown({ card, hasFailed: false }),
      failed() {
        setKnown({ card: undefined, hasFailed: true });
        return true;
      },
      longestWaitMs: LONGEST_WAIT_MS,
    }));
    const endListening = keys.subscribe(() => keys.isNeeded() || hurry());
    return () => {
      endListening();
      stop();
    };
  }, [api, keys]);
  const ask = useCallback(() => asking.current?.hurry(), []);
  return { ...known, ask };
}
