/** Asks whoever leaves while songs have yet to reach the service: they would be lost. Jobs go on without the page. */
import { useEffect } from "react";
import { useServices } from "../../services";
import { isOnItsWay } from "./song-words";

export function useUnsent(): void {
  const { songs } = useServices();
  useEffect(() => {
    const ask = (event: Event) => event.preventDefault();
    // Only meanwhile: browsers keep a page that asks less readily for the way back.
    const look = () => {
      if (songs.list().some(isOnItsWay)) window.addEventListener("beforeunload", ask);
      else window.removeEventListener("beforeunload", ask);
    };
    const end = songs.subscribe(look);
    look();
    return () => {
      end();
      window.removeEventListener("beforeunload", ask);
    };
  }, [songs]);
}
