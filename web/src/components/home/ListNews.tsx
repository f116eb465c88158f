/** Speaks of what changes in the list to those who do not see it: in steps, never of each per cent. */
import { useEffect, useRef, useState } from "react";
import { useSongs } from "../../songs/useSongs";
import { newsOf } from "./list-news";

/** What changes in that time is told as one. */
const PAUSE_MS = 1_000;

export function ListNews() {
  const list = useSongs();
  const latest = useRef(list);
  const told = useRef(list);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [news, setNews] = useState("");
  useEffect(() => {
    latest.current = list;
    if (list === told.current) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      const next = newsOf(told.current, latest.current);
      told.current = latest.current;
      if (next) setNews(next);
    }, PAUSE_MS);
  }, [list]);
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
  return (
    <p className="visually-hidden" role="status">
      {news}
    </p>
  );
}
