/** Requests with the key, and refusals as ApiErrors. It knows no URL and tries nothing twice. */
import { keyIn, type KeyRing } from "./keys";
import { ApiError, notUnderstood, refusal, unreachable } from "./problem";

const PATIENCE_SECONDS = 20;
/** Of an upload: without another byte on its way, or without an answer to all of them. */
const STALLED_SECONDS = 60;

export interface Upload {
  readonly path: string;
  readonly form: FormData;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly onSent?: ((fraction: number) => void) | undefined;
}

export interface Http {
  /** A good answer read by `read`; ApiError otherwise, or an AbortError. */
  ask<T>(path: string, read: (response: Response) => Promise<T>, init?: RequestInit): Promise<T>;
  /** The text that answers an upload; the same errors. */
  send(upload: Upload): Promise<string>;
}

export function createHttp(keys: KeyRing): Http {
  function authorization(key: string | null): Readonly<Record<string, string>> {
    if (key === null) return {};
    if (keyIn(key) !== key) throw told(unbearable(), key); // it would look as if nobody had answered
    return { Authorization: `Bearer ${key}` };
  }

  function told(error: ApiError, usedKey: string | null): ApiError {
    // A refusal that comes late says nothing against a key that was given meanwhile.
    if (error.status === 401 && keys.current() === usedKey) keys.demand();
    return error;
  }

  async function ask<T>(
    path: string,
    read: (response: Response) => Promise<T>,
    init: RequestInit = {},
  ): Promise<T> {
    const key = keys.current();
    const headers = { ...authorization(key), ...(init.headers as Record<string, string> | undefined) };
    return withPatience(init.signal ?? null, async (signal) => {
      const response = await fetch(path, { cache: "no-cache", ...init, headers, signal });
      if (response.ok) return read(response);
      const text = await response.text();
      throw told(
        refusal(response.status, (name) => response.headers.get(name), text),
        key,
      );
    });
  }

  async function send({ path, form, headers, signal, onSent }: Upload): Promise<string> {
    const key = keys.current();
    const authorized = { ...authorization(key), ...headers };
    const request = new XMLHttpRequest(); // fetch tells nobody how much of a body it has sent
    let loadedBytes = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    return new Promise((resolve, reject) => {
      const abort = () => request.abort();
      const failed = () => reject(loadedBytes > 0 ? brokenOff() : unreachable());
      const stalled = () => {
        failed();
        abort();
      };
      const isAlive = () => {
        clearTimeout(timer);
        timer = setTimeout(stalled, STALLED_SECONDS * 1000);
      };
      const aborted = () => reject(new DOMException("The upload was stopped.", "AbortError"));
      if (signal.aborted) {
        aborted();
        return;
      }
      signal.addEventListener("abort", abort);
      request.upload.onprogress = ({ loaded, total }) => {
        if (loaded > loadedBytes) isAlive();
        loadedBytes = Math.max(loadedBytes, loaded);
        if (total > 0) onSent?.(loaded / total);
      };
      request.onabort = aborted;
      request.onerror = failed;
      request.onload = () => {
        const { status, responseText } = request;
        if (status < 200 || status >= 300)
          reject(
            told(
              refusal(status, (name) => request.getResponseHeader(name), responseText),
              key,
            ),
          );
        else resolve(responseText);
      };
      request.onloadend = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", abort);
      };
      request.open("POST", path);
      for (const [name, value] of Object.entries(authorized)) request.setRequestHeader(name, value);
      isAlive();
      request.send(form);
    });
  }

  return { ask, send };
}

function brokenOff(): ApiError {
  return new ApiError({
    code: "broken_off",
    detail: "The connection was closed while the song was sent.",
    retryable: true,
  });
}

/** A key that no header can have. */
function unbearable(): ApiError {
  return new ApiError({ code: "unauthorized", detail: "This can be no API key.", status: 401 });
}

/** Ends what takes too long as what cannot be reached; every other failure of the way is that, too. */
async function withPatience<T>(
  outer: AbortSignal | null,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort();
  if (outer?.aborted) abort();
  outer?.addEventListener("abort", abort);
  const timer = setTimeout(abort, PATIENCE_SECONDS * 1000);
  try {
    return await call(controller.signal);
  } catch (error) {
    if (error instanceof ApiError) throw error;
    if (outer?.aborted) throw new DOMException("The request was stopped.", "AbortError");
    if (error instanceof SyntaxError) throw notUnderstood();
    throw unreachable();
  } finally {
    clearTimeout(timer);
    outer?.removeEventListener("abort", abort);
  }
}
