/** Why there is no answer, what to do about it, and the id that whoever runs the service can look for. */
import { advice } from "../../lib/advice";
import { PageLink } from "../shell/PageLink";
import "./Failure.css";

interface Props {
  readonly detail: string;
  /** null where nobody did anything wrong. */
  readonly code: string | null;
  /** "Job job_…" or "Request …"; null where there is none. */
  readonly trace: string | null;
  /** Where another try may succeed. */
  readonly onRetry?: (() => void) | null;
  /** Nothing went wrong: it was stopped, or nobody came to it. */
  readonly isCalm?: boolean;
}

export function Failure({ detail, code, trace, onRetry = null, isCalm = false }: Props) {
  const what = code && advice(code);
  return (
    <div className={isCalm ? "failure failure-calm" : "failure"}>
      <div role={isCalm ? undefined : "alert"}>
        <p className="failure-detail">{detail}</p>
        {what && <p>{what}</p>}
        {trace && <p className="failure-trace">{trace}</p>}
      </div>
      <div className="failure-ways">
        {onRetry && (
          <button type="button" className="quiet" onClick={onRetry}>
            {isCalm ? "Send it again" : "Try again"}
          </button>
        )}
        <PageLink to="/" className="quiet">
          Try another song
        </PageLink>
      </div>
    </div>
  );
}
