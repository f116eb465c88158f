/** What can be taken from here: the link, the same request as a command, the answer as a file. */
import { useState } from "react";
import { download } from "../../lib/download";
import { useServices } from "../../services";
import type { Job } from "../../types";
import { copy } from "./clipboard";
import "./Actions.css";

interface Props {
  readonly job: Job;
  readonly name: string;
}

interface Outcome {
  readonly said: string;
  /** What could not be copied, to be copied by hand. */
  readonly text: string | null;
}

export function Actions({ job, name }: Props) {
  const { api, songs } = useServices();
  const [outcome, setOutcome] = useState<Outcome>({ said: "", text: null });
  const take = async (text: string) => {
    setOutcome({ said: "", text: null }); // so that the same words are read out again
    const isCopied = await copy(text);
    setOutcome(isCopied ? { said: "Copied", text: null } : { said: "Copy it from here", text });
  };
  const isDone = job.status === "succeeded";
  return (
    <div className="actions">
      <div className="actions-buttons">
        <button type="button" className="quiet" onClick={() => void take(api.pageOf(job.id))}>
          Copy link
        </button>
        {isDone && (
          <>
            <button
              type="button"
              className="quiet"
              onClick={() => void take(api.curl(job, songs.urlOf(job.id)))}
            >
              Copy as curl
            </button>
            <button
              type="button"
              className="quiet"
              onClick={() =>
                download(`${name}.genrewiz.json`, "application/json", `${JSON.stringify(job, null, 2)}\n`)
              }
            >
              Download JSON
            </button>
          </>
        )}
        <span className="actions-said" aria-live="polite">
          {outcome.said}
        </span>
      </div>
      {outcome.text !== null && (
        <textarea
          className="actions-text"
          aria-label="Copy it from here"
          readOnly
          rows={3}
          value={outcome.text}
          ref={(field) => field?.select()}
        />
      )}
    </div>
  );
}
