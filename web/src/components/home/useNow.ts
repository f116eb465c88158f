/** The time to the second, told again every second while somebody counts. */
import { useCallback, useSyncExternalStore } from "react";

/** Milliseconds since 1970. */
export function useNow(isCounting: boolean): number {
  const subscribe = useCallback(
    (listener: () => void) => {
      if (!isCounting) return () => undefined;
      const timer = setInterval(listener, 1000);
      return () => clearInterval(timer);
    },
    [isCounting],
  );
  return useSyncExternalStore(subscribe, wholeSecond);
}

function wholeSecond(): number {
  return Math.floor(Date.now() / 1000) * 1000;
}
