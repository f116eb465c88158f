/** How songs get in: chosen, dropped, pasted, by their link or from our samples. `songs` alone sends them. */
import { useEffect, useMemo, useState } from "react";
import type { SampleName } from "../../api";
import { navigate, routeOf, useRoute } from "../../router";
import { useServices } from "../../services";
import type { Song } from "../../songs/songs";
import { createJourney } from "./journey";
import { isOnItsWay } from "./song-words";
import { useDrops } from "./useDrops";
import { useUnsent } from "./useUnsent";

export interface Intake {
  /** Something that could be dropped is above the window. */
  readonly isDropping: boolean;
  /** What to say of the last try; null where there is nothing to say. */
  readonly remark: string | null;
  readonly addFiles: (files: readonly File[]) => void;
  readonly addUrl: (url: string) => void;
  readonly addSample: (name: SampleName) => Promise<void>;
  /** The person has turned to something else: the page goes nowhere by itself. */
  readonly stay: () => void;
}

export const NO_SAMPLE = "This song cannot be fetched at the moment. Try again, or choose one of yours.";

export function useIntake(): Intake {
  const { api, songs } = useServices();
  const [remark, setRemark] = useState<string | null>(null);
  const journey = useMemo(() => createJourney(songs, goUnlessBusy), [songs]);
  useUnsent();
  const isHome = useRoute().page === "home";
  useEffect(() => {
    if (!isHome) journey.stay();
  }, [isHome, journey]);
  useEffect(() => () => journey.stay(), [journey]);

  function add(submit: () => readonly Song[]): void {
    const isAlone = !songs.list().some(isOnItsWay);
    if (!isAtHome()) navigate("/");
    setRemark(null);
    const added = submit();
    const [first] = added;
    if (first && added.length === 1 && isAlone) journey.follow(first);
    else journey.stay();
  }

  const isDropping = useDrops((taken) => {
    const { files, url } = taken;
    if (files.length) add(() => songs.addFiles(files));
    else if (url) add(() => [songs.addUrl(url)]);
    setRemark(taken.remark);
  });

  return {
    isDropping,
    remark,
    addFiles: (files) => add(() => songs.addFiles(files)),
    addUrl: (url) => add(() => [songs.addUrl(url)]),
    async addSample(name) {
      setRemark(null);
      try {
        const song = await api.sample(name);
        if (isAtHome()) add(() => songs.addFiles([song]));
        else songs.addFiles([song]);
      } catch {
        setRemark(NO_SAMPLE);
      }
    },
    stay: () => journey.stay(),
  };
}

/** Now, not when the component was drawn. */
function isAtHome(): boolean {
  return routeOf(window.location.pathname).page === "home";
}

/** Nobody is taken away from a dialog that they read. */
function goUnlessBusy(path: string): void {
  if (!document.querySelector("dialog[open]")) navigate(path);
}
