/** That there is no network, or no server. It mends neither: what waits goes on by itself. */
import { useSyncExternalStore } from "react";
import { useServices } from "../../services";
import { useOnline } from "./useOnline";

export const OFFLINE =
  "You are offline. What is being listened to goes on; this page catches up when you are back.";
export const UNREACHABLE = "The server cannot be reached. This page tries again by itself.";

export function Banner() {
  const isOnline = useOnline();
  const { reach } = useServices().api;
  const isReachable = useSyncExternalStore(reach.subscribe, reach.isReachable);
  return (
    <div aria-live="polite">
      {!(isOnline && isReachable) && (
        <p className={isOnline ? "banner banner-bad" : "banner"} role="status">
          {isOnline ? UNREACHABLE : OFFLINE}
        </p>
      )}
    </div>
  );
}
