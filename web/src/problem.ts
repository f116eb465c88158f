/** What went wrong, as the page keeps it. It knows no URL and no words for people: `lib/advice.ts` has those. */

/**
 * Codes of the page's own, beside those of the service (GET /problems/<code>).
 *
 * unreachable: no answer. broken_off: none either, but the upload had begun, so the server may have refused it.
 * too_large_here, empty_file, unreadable_file: the song was not sent. not_understood: an answer that is none of
 * the service's.
 */
export type OwnCode =
  "unreachable" | "broken_off" | "too_large_here" | "empty_file" | "unreadable_file" | "not_understood";

export interface Wrong {
  readonly code: string;
  /** A sentence for people. */
  readonly detail: string;
  /** HTTP status; null where there was no answer. */
  readonly status?: number | null;
  /** Whether the same request may succeed later. */
  readonly retryable?: boolean;
  readonly retryAfterSeconds?: number | null;
  /** Names the request in the server's logs. */
  readonly requestId?: string | null;
}

/** A request that was refused, or got no answer. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number | null;
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | null;
  readonly requestId: string | null;

  constructor(wrong: Wrong) {
    super(wrong.detail);
    this.name = "ApiError";
    this.code = wrong.code;
    this.status = wrong.status ?? null;
    this.retryable = wrong.retryable ?? false;
    this.retryAfterSeconds = wrong.retryAfterSeconds ?? null;
    this.requestId = wrong.requestId ?? null;
  }
}

/** No answer came. */
export function unreachable(): ApiError {
  return new ApiError({ code: "unreachable", detail: "The server cannot be reached.", retryable: true });
}

/** An answer that is none of the service's. */
export function notUnderstood(
  more: Pick<Wrong, "status" | "retryAfterSeconds" | "requestId"> = {},
): ApiError {
  const status = more.status ?? 200;
  return new ApiError({
    ...more,
    code: "not_understood",
    detail: `The server gave an answer that this page does not understand (status ${status}).`,
    retryable: status === 429 || status >= 502, // a proxy, whose server may come back
  });
}

/** What an answer that is no success says; `header` gives its headers. */
export function refusal(status: number, header: (name: string) => string | null, text: string): ApiError {
  const requestId = header("X-Request-Id");
  const retryAfterSeconds = seconds(header("Retry-After"));
  const problem = parsed(text);
  if (typeof problem?.["code"] !== "string") return notUnderstood({ status, retryAfterSeconds, requestId });
  const { code, detail, title, retryable, retry_after_seconds, request_id } = problem;
  return new ApiError({
    code,
    detail: [detail, title].find((words) => typeof words === "string") ?? "The server refused this.",
    status,
    retryable: retryable === true,
    retryAfterSeconds: typeof retry_after_seconds === "number" ? retry_after_seconds : retryAfterSeconds,
    requestId: typeof request_id === "string" ? request_id : requestId,
  });
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Of a header `Retry-After`: a number of seconds, or a date. */
function seconds(text: string | null): number | null {
  if (!text) return null;
  const after = /^\d+$/.test(text) ? Number(text) : (Date.parse(text) - Date.now()) / 1000;
  return Number.isFinite(after) ? Math.max(0, after) : null;
}
