/** Which page is shown, and going to another. Which addresses there are is `lib/paths.ts`' business. */
import { useSyncExternalStore } from "react";
import { routeOf, type Route } from "./lib/paths";

export { pathOf, routeOf, type Route } from "./lib/paths";

const MOVED = "genrewiz:moved";

/** Goes to another page of ours without loading it. */
export function navigate(path: string): void {
  if (path !== window.location.pathname) window.history.pushState(null, "", path);
  window.scrollTo(0, 0);
  window.dispatchEvent(new Event(MOVED));
}

export function useRoute(): Route {
  const path = useSyncExternalStore(subscribe, () => window.location.pathname);
  return routeOf(path);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("popstate", listener);
  window.addEventListener(MOVED, listener);
  return () => {
    window.removeEventListener("popstate", listener);
    window.removeEventListener(MOVED, listener);
  };
}
