/** The picture of a job's song, as an address that an image can show. */
import { useEffect, useState } from "react";
import { persist } from "../../lib/persist";
import { ApiError } from "../../problem";
import { useServices } from "../../services";
import { isFinished, type Job } from "../../types";

const LONGEST_WAIT_MS = 15_000;

/** none: nobody asked for one, or the job came to no result. loading: also until the job has ended. */
export type Picture =
  | { readonly state: "none" | "loading" | "missing" | "delayed" }
  | { readonly state: "ready"; readonly url: string };

export function useSpectrogram(job: Job): Picture {
  const { api, keys } = useServices();
  const [picture, setPicture] = useState<Picture>({ state: "loading" });
  const isThere = job.status === "succeeded" && job.links.spectrogram !== null;
  useEffect(() => {
    if (!isThere) return undefined;
    let url: string | null = null;
    const { hurry, stop } = persist({
      ask: (signal) => api.spectrogram(job, signal),
      answered(png) {
        url = URL.createObjectURL(png);
        setPicture({ state: "ready", url });
      },
      failed(error) {
        const isGone = error instanceof ApiError && (error.status === 404 || error.status === 410);
        setPicture({ state: isGone ? "missing" : "delayed" });
        return !isGone;
      },
      longestWaitMs: LONGEST_WAIT_MS,
    });
    const endListening = keys.subscribe(() => keys.isNeeded() || hurry());
    return () => {
      endListening();
      stop();
      if (url) URL.revokeObjectURL(url);
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- a finished job never changes: its id says all
  }, [api, keys, job.id, isThere]);
  if (job.links.spectrogram === null || (isFinished(job) && !isThere)) return { state: "none" };
  return picture;
}
