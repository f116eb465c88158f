/** The page of one job, from its first moment until it is gone. */
import { useJob } from "../../useJob";
import { nameOf } from "../../songs/song";
import { useSongs } from "../../songs/useSongs";
import { isFinished } from "../../types";
import { PageLink } from "../shell/PageLink";
import { Refused } from "../shell/Refused";
import { useTitle } from "../shell/useTitle";
import { JobView } from "./JobView";
import { titleOf } from "./naming";
import { NoJob } from "./NoJob";
import "./ResultPage.css";

export function ResultPage({ jobId }: { readonly jobId: string }) {
  const watched = useJob(jobId);
  const { job, windows, error } = watched;
  const song = useSongs().find((candidate) => candidate.jobId === jobId);
  const name = song?.name ?? (job && nameOf(job.source));
  const isGone = error?.code === "result_gone" || error?.code === "unknown_job";
  const shown = isGone ? null : job;
  const heading = shown ? (name ?? shown.id) : error ? null : (name ?? "Looking for the result");
  useTitle(titleOf(shown, name));
  return (
    <article className="result">
      <PageLink to="/" className="result-back">
        ← All songs
      </PageLink>
      {heading !== null && (
        <h1 className="result-name" title={heading} dir="auto" tabIndex={-1} ref={handOver}>
          {heading}
        </h1>
      )}
      {shown ? (
        <>
          {error && error.code !== "unreachable" && !isFinished(shown) && (
            <div className="result-unheard" role="alert">
              <p>
                <Refused error={error} />
              </p>
              {error.code !== "unauthorized" && (
                <button type="button" className="quiet" onClick={() => watched.retry()}>
                  Ask again
                </button>
              )}
            </div>
          )}
          <JobView job={shown} name={name ?? shown.id} windows={windows} />
        </>
      ) : error ? (
        <NoJob error={error} name={name} retry={() => watched.retry()} />
      ) : (
        <p className="result-quiet">One moment.</p>
      )}
    </article>
  );
}

/** Who reads on from a heading that goes, goes on from the one that comes. */
function handOver(heading: HTMLElement | null) {
  if (!heading) return undefined;
  return () => {
    if (document.activeElement === heading)
      queueMicrotask(() => document.querySelector<HTMLElement>("main h1")?.focus({ preventScroll: true }));
  };
}
