/** Instead of a job: it is gone, there is none, or nobody answers. */
import type { ApiError } from "../../problem";
import { useServices } from "../../services";
import { Blank } from "../shell/Blank";
import { PageLink } from "../shell/PageLink";
import { Failure } from "./Failure";

interface Props {
  readonly error: ApiError;
  readonly name: string | null;
  readonly retry: () => void;
}

export function NoJob({ error, name, retry }: Props) {
  const { keys } = useServices();
  const { title, words, isFailure } = wordsOf(error);
  return (
    <Blank title={title} above={name}>
      {words && <p>{words}</p>}
      {isFailure ? (
        <Failure
          detail={error.message}
          code={error.code}
          trace={error.requestId && `Request ${error.requestId}`}
          onRetry={retry}
        />
      ) : (
        <p className="blank-ways">
          {error.code === "unreachable" && (
            <button type="button" className="quiet" onClick={retry}>
              Try now
            </button>
          )}
          {error.code === "unauthorized" && (
            <button type="button" className="quiet" onClick={() => keys.ask()}>
              Give a key
            </button>
          )}
          <PageLink to="/" className="quiet">
            Try another song
          </PageLink>
        </p>
      )}
    </Blank>
  );
}

interface Words {
  readonly title: string;
  readonly words?: string;
  readonly isFailure?: boolean;
}

function wordsOf(error: ApiError): Words {
  const known: Readonly<Record<string, Words>> = {
    result_gone: {
      title: "This result is gone",
      words:
        "Results are kept for some days, or until they are deleted. Send the song again to hear what it is.",
    },
    unknown_job: {
      title: "There is no such result",
      words: "See whether the link is whole. A result can also belong to another API key.",
    },
    unauthorized: {
      title: "This result needs an API key",
      words: "It is shown as soon as there is one.",
    },
    unreachable: {
      title: "The server cannot be reached",
      words: "This page asks again by itself until it answers.",
    },
  };
  return (
    (Object.hasOwn(known, error.code) && known[error.code]) || {
      title: "This result cannot be shown",
      isFailure: true,
    }
  );
}
