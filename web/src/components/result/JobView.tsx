/** A job that is known: where it stands, the answer, the song over time, and what can be taken from here. */
import { useState } from "react";
import { lengthSoFar } from "../../lib/length";
import { soFar } from "../../lib/so-far";
import { navigate } from "../../router";
import { useServices } from "../../services";
import { ApiError } from "../../problem";
import { isFinished, type Job, type ModelCard, type TimelineEntry } from "../../types";
import { useModel } from "../shell/useModel";
import { Actions } from "./Actions";
import { Bars } from "./Bars";
import { Refused } from "../shell/Refused";
import { Details } from "./Details";
import { Failure } from "./Failure";
import { likeliest } from "./naming";
import { Standing } from "./Standing";
import { Tracks } from "./Tracks";
import { usePlayer } from "./usePlayer";
import { Verdict } from "./Verdict";

interface Props {
  readonly job: Job;
  readonly name: string;
  readonly windows: readonly TimelineEntry[];
}

export function JobView({ job, name, windows }: Props) {
  const { api, songs } = useServices();
  const [isCancelling, setIsCancelling] = useState(false);
  const [notCancelled, setNotCancelled] = useState<ApiError | null>(null);
  const card = useModel().card ?? null;
  const file = songs.fileOf(job.id);
  const cancel = () => {
    setIsCancelling(true);
    setNotCancelled(null);
    api.cancel(job.id).catch((error: unknown) => {
      setIsCancelling(false);
      if (error instanceof ApiError && error.status !== 409) setNotCancelled(error); // 409: it was quicker
    });
  };
  const url = songs.urlOf(job.id);
  const again = () => {
    if (file) songs.addFiles([file]);
    else if (url !== null) songs.addUrl(url);
    navigate("/");
  };
  const isLost = isFinished(job) && job.status !== "succeeded";
  return (
    <>
      <Standing
        job={job}
        isHeard={windows.length > 0}
        onCancel={isCancelling || job.cancel_requested ? null : cancel}
      />
      {notCancelled && !isFinished(job) && (
        <p className="standing-trouble" role="alert">
          <Refused error={notCancelled} />
        </p>
      )}
      {isLost ? (
        <Failure
          detail={job.error?.detail ?? ENDS[job.status] ?? "There is no answer."}
          code={job.error?.code ?? null}
          trace={`Job ${job.id}`}
          onRetry={(file ?? url) !== null && (job.error?.retryable ?? true) ? again : null}
          isCalm={job.status !== "failed"}
        />
      ) : (
        <Answer job={job} name={name} windows={windows} card={card} file={file} />
      )}
      <Actions job={job} name={name} />
      <Details job={job} />
    </>
  );
}

const ENDS: Readonly<Partial<Record<Job["status"], string>>> = {
  cancelled: "This was cancelled before there was an answer.",
  expired: "Its turn did not come in time.",
};

interface AnswerProps extends Props {
  readonly card: ModelCard | null;
  readonly file: File | null;
}

function Answer({ job, name, windows, card, file }: AnswerProps) {
  const playing = usePlayer(file);
  const top = likeliest(job, soFar(windows, card?.genres ?? []));
  const fraction = isFinished(job) ? 1 : job.progress.fraction;
  const durationSeconds =
    job.source.duration_seconds ?? (playing?.durationSeconds || lengthSoFar(windows, fraction));
  return (
    <>
      <div className="result-answer">
        <Verdict result={job.result} soFar={top} card={card} isQueued={job.status === "queued"} />
        <Bars top={top} />
      </div>
      {durationSeconds > 0 && (
        <Tracks
          job={job}
          name={name}
          windows={windows}
          durationSeconds={durationSeconds}
          card={card}
          playing={playing}
        />
      )}
    </>
  );
}
