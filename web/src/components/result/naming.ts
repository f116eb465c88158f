/** What a song is called, and what the tab of its page says. Pure. */
import { genreName } from "../../lib/words";
import { isFinished, type Job, type Prediction } from "../../types";

/** "40 % · song", "Disco · song · GenreWiz", "song · GenreWiz". */
export function titleOf(job: Job | null, name: string | null): string {
  const song = name ?? "GenreWiz";
  if (job?.status === "running" && job.progress.fraction > 0)
    return `${Math.round(job.progress.fraction * 100)} % · ${song}`;
  const parts = [job?.result?.genre ? genreName(job.result.genre) : null, name, "GenreWiz"];
  return parts.filter(Boolean).join(" · ");
}

/** The genres of an answer as it stands: of the result, or of what was heard so far. */
export function likeliest(job: Job, soFar: readonly Prediction[]): readonly Prediction[] {
  return job.result?.top ?? (isFinished(job) ? [] : soFar);
}
