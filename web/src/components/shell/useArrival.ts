/** Who goes to another page of ours goes on from its heading, as after a load. Nothing is done at the first page. */
import { useEffect, useRef } from "react";

/** page: names what is shown. */
export function useArrival(page: string): void {
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    const heading = document.querySelector<HTMLElement>("main h1");
    if (!heading) return;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }, [page]);
}
