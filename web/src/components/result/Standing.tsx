/** Where a job stands, how far it is, and the way to stop it. */
import { clock, genreName, standing } from "../../lib/words";
import { isFinished, type Job, type Result } from "../../types";
import { about, took } from "./about";
import "./Standing.css";

interface Props {
  readonly job: Job;
  /** Some of its windows are known. */
  readonly isHeard: boolean;
  /** null while it is being stopped already. */
  readonly onCancel: (() => void) | null;
}

export function Standing({ job, isHeard, onCancel }: Props) {
  const { stage, fraction, queue_position: queuePosition, eta_seconds: left } = job.progress;
  const goesOn = !isFinished(job);
  const at = { status: job.status, stage, queuePosition, isCancelling: !onCancel, isHeard };
  const readOut = fraction < 0.1 ? fraction : Math.floor(fraction * 10) / 10; // not each per cent
  const facts = factsOf(job);
  const isCounted = job.status !== "queued" && !(isHeard && fraction === 0);
  return (
    <div className="standing" data-status={job.status}>
      <p className="standing-words">
        <span aria-hidden={facts === null}>{facts ?? standing({ ...at, fraction })}</span>
        <span role="status" className="visually-hidden">
          {standing({ ...at, fraction: readOut })}
          {job.result && `: ${answerOf(job.result)}`}
        </span>
        {job.status === "queued" && left !== null && <span className="standing-left">{about(left)}</span>}
      </p>
      {goesOn && (
        <>
          <progress
            className="standing-bar"
            aria-label="Progress"
            {...(isCounted ? { value: fraction, max: 1 } : {})}
          />
          <button
            type="button"
            className="quiet"
            ref={handOver}
            aria-disabled={!onCancel}
            onClick={() => onCancel?.()}
          >
            Cancel
          </button>
        </>
      )}
    </div>
  );
}

/** Who has the focus on a button that goes, goes on from the heading. */
function handOver(button: HTMLButtonElement | null) {
  if (!button) return undefined;
  return () => {
    if (document.activeElement === button) document.querySelector<HTMLElement>("main h1")?.focus();
  };
}

/** Of a song that was answered: "Heard in 0.7 s · 1:50". null where nothing is to be said. */
function factsOf({ status, cached, source, timings_seconds: timings }: Job): string | null {
  if (status !== "succeeded") return null;
  const total = cached ? null : (timings?.total ?? null);
  const parts = [
    total === null ? null : `Heard in ${took(total - (timings?.queue ?? 0))}`, // its turn had to come first
    source.duration_seconds === null ? null : clock(source.duration_seconds),
  ];
  return parts.filter(Boolean).join(" · ") || null;
}

/** For those who hear the page: the answer comes with the news that it is there. */
function answerOf({ genre }: Result): string {
  return genre === null ? "not sure" : genreName(genre);
}
