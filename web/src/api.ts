/** The service over HTTP: the one module that knows its URLs. It keeps no job. */
import { createHttp } from "./http";
import type { KeyRing } from "./keys";
import { curlOf, type Options } from "./lib/curl";
import { pathOf } from "./lib/paths";
import { notUnderstood } from "./problem";
import { withReach, type Reach } from "./reach";
import type { Job, ModelCard } from "./types";
import { assertSendable } from "./uploadable";

export type SampleName = "nightdrive" | "nocturne" | "riff" | "medley";

export interface Ask {
  /** The same for every try of one song: however often it is sent, it makes one job. */
  readonly idempotencyKey: string;
  readonly signal: AbortSignal;
  /** Share of the upload that has been sent, 0 to 1. */
  readonly onSent?: (fraction: number) => void;
}

/** Every method rejects with ApiError (an aborted one with a DOMException named AbortError); a 401 also calls `keys.demand()`. */
export interface Api {
  /** Bytes that an upload may have; null where the server did not say. */
  readonly maxUploadBytes: number | null;
  readonly reach: Reach;
  submitFile(file: File, ask: Ask): Promise<Job>;
  submitUrl(url: string, ask: Ask): Promise<Job>;
  job(id: string, signal?: AbortSignal): Promise<Job>;
  cancel(id: string): Promise<Job>;
  remove(id: string): Promise<void>;
  /** The stream of a job's events, with a token where there is a key. */
  events(id: string): Promise<EventSource>;
  /** What the model is; null where the server does not know. Asked for until there is an answer, then no more. */
  model(): Promise<ModelCard | null>;
  /** The picture of a job whose `links.spectrogram` is there. */
  spectrogram(job: Job, signal: AbortSignal): Promise<Blob>;
  /** One of the bundled songs. */
  sample(name: SampleName): Promise<File>;
  /** A command that asks for the same of this server, by the whole URL where there is one and it is known. */
  curl(job: Job, url: string | null): string;
  /** Where a job's page is, for others. */
  pageOf(id: string): string;
}

/** So long a song waits for the model's card, whose threshold it is asked with. */
const CARD_SECONDS = 2;
const MOST_OPTIONS_KEPT = 500;

export function createApi(keys: KeyRing, document: Document = window.document): Api {
  const [http, reach] = withReach(createHttp(keys), "/livez");
  const origin = document.location.origin;
  const maxUploadBytes = uploadLimit(document);
  let card: Promise<ModelCard | null> | null = null;
  let options: Options = { spectrogram: true };
  const asked = new Map<string, Options>();

  function model(): Promise<ModelCard | null> {
    card ??= http
      .ask("/models", (response) => response.json() as Promise<{ readonly models: readonly ModelCard[] }>)
      .then(({ models }) => {
        const first = models[0] ?? null;
        const threshold = first?.measured?.recommended?.min_confidence;
        if (threshold !== undefined) options = { ...options, min_confidence: threshold };
        return first;
      })
      .catch((error: unknown) => {
        card = null; // the next one to ask may have more luck
        throw error;
      });
    return card;
  }

  /** The same for every try: under one Idempotency-Key, other options would be another request. */
  async function optionsOf(idempotencyKey: string): Promise<Options> {
    const before = asked.get(idempotencyKey);
    if (before) return before;
    await Promise.race([model().catch(() => null), seconds(CARD_SECONDS)]);
    asked.set(idempotencyKey, options);
    const [oldest] = asked.keys();
    if (asked.size > MOST_OPTIONS_KEPT && oldest !== undefined) asked.delete(oldest);
    return options;
  }

  return {
    maxUploadBytes,
    reach,
    async submitFile(file, { idempotencyKey, signal, onSent }) {
      await assertSendable(file, maxUploadBytes);
      const form = new FormData();
      form.append("job", JSON.stringify({ options: await optionsOf(idempotencyKey) }));
      form.append("file", file, file.name);
      const headers = { "Idempotency-Key": idempotencyKey };
      return jobIn(await http.send({ path: "/jobs", form, headers, signal, onSent }));
    },
    async submitUrl(url, { idempotencyKey, signal, onSent }) {
      const body = JSON.stringify({ url, options: await optionsOf(idempotencyKey) });
      const headers = { "Content-Type": "application/json", "Idempotency-Key": idempotencyKey };
      onSent?.(1);
      return http.ask("/jobs", readJob, { method: "POST", headers, body, signal });
    },
    job: (id, signal) => http.ask(jobPath(id), readJob, { signal: signal ?? null }),
    cancel: (id) => http.ask(`${jobPath(id)}/cancel`, readJob, { method: "POST" }),
    remove: (id) => http.ask(jobPath(id), () => Promise.resolve(), { method: "DELETE" }),
    async events(id) {
      const path = `${jobPath(id)}/events`;
      if (keys.current() === null) return new EventSource(path);
      const { token } = await http.ask(
        `${path}-token`,
        (response) => response.json() as Promise<{ readonly token: string }>,
        { method: "POST" },
      );
      return new EventSource(`${path}?token=${encodeURIComponent(token)}`);
    },
    model,
    spectrogram: (job, signal) =>
      http.ask(job.links.spectrogram ?? `${jobPath(job.id)}/spectrogram.png`, (r) => r.blob(), { signal }),
    async sample(name) {
      const bytes = await http.ask(`/static/samples/${name}.mp3`, (response) => response.blob());
      return new File([bytes], `${name}.mp3`, { type: "audio/mpeg" });
    },
    curl: ({ source, result }, url) =>
      curlOf({ origin, source, url, options: askedFor(options, result), hasKey: keys.current() !== null }),
    pageOf: (id) => origin + pathOf(id),
  };
}

/** What an answer can have been asked with: it names a genre that these would not let it name. */
function askedFor(options: Options, result: Job["result"]): Options {
  const { min_confidence: least, ...rest } = options;
  return least !== undefined && result?.genre && result.confidence < least ? rest : options;
}

function jobPath(id: string): string {
  return `/jobs/${encodeURIComponent(id)}`;
}

async function readJob(response: Response): Promise<Job> {
  return jobIn(await response.text());
}

function jobIn(text: string): Job {
  try {
    const job = JSON.parse(text) as Job;
    if (typeof job.id === "string" && typeof job.status === "string") return job;
  } catch {
    // as below
  }
  throw notUnderstood();
}

function uploadLimit(document: Document): number | null {
  const text =
    document.querySelector<HTMLMetaElement>('meta[name="genrewiz-max-upload-bytes"]')?.content ?? "";
  return /^\d+$/.test(text) ? Number(text) : null;
}

function seconds(count: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, count * 1000));
}
