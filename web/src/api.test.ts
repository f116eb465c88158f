import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createApi, type Api, type Ask } from "./api";
import { createKeyRing, type KeyRing } from "./keys";
import { ApiError } from "./problem";
import { fakeStore } from "./test/fakes";
import { fakeRequests, type FakeRequest } from "./test/fake-xhr";
import { aJob, JOB_ID, succeeded } from "./test/job";
import type { Job } from "./types";

const PROBLEM = {
  type: "/problems/queue-full",
  title: "Queue is full",
  status: 503,
  detail: "Too many songs wait.",
  code: "queue_full",
  retryable: true,
  request_id: "req_1",
  retry_after_seconds: 7,
};
const CARD = { name: "pcrnn", measured: { recommended: { min_confidence: 0.45 } } };
const SONG = new File(["a song"], "song.mp3", { type: "audio/mpeg" });

type Answer = (path: string, init: RequestInit) => Response | Promise<Response>;

let keys: KeyRing;
let asked: { readonly path: string; readonly init: RequestInit }[];
let answers: Record<string, Answer>;
let requests: readonly FakeRequest[];

beforeEach(() => {
  keys = createKeyRing(fakeStore());
  asked = [];
  answers = { "/models": () => Response.json({ models: [CARD] }) };
  requests = fakeRequests();
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    asked.push({ path, init });
    const answer = answers[path];
    if (!answer) throw new TypeError("Failed to fetch");
    return answer(path, init);
  });
});

afterEach(() => {
  vi.useRealTimers();
});

function api(limit = "1000"): Api {
  const page = document.implementation.createHTMLDocument();
  page.head.innerHTML = `<meta name="genrewiz-max-upload-bytes" content="${limit}" />`;
  return createApi(keys, page.defaultView ? page : withLocation(page));
}

/** An answer that does not come: what is asked can only be given up. */
function never(_path: string, { signal }: RequestInit): Promise<Response> {
  return new Promise((_resolve, reject) => {
    signal?.addEventListener("abort", () => reject(new DOMException("", "AbortError")));
  });
}

/** A document that was never shown has no address. */
function withLocation(page: Document): Document {
  Object.defineProperty(page, "location", { value: new URL("https://genre.example/") });
  return page;
}

function ask(change: Partial<Ask> = {}): Ask {
  return { idempotencyKey: "k1", signal: new AbortController().signal, ...change };
}

async function refusalOf(promise: Promise<unknown>): Promise<ApiError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ApiError)) throw new Error(`no ApiError: ${String(error)}`);
  return error;
}

/** The upload that is on its way, once it is. */
async function upload(at = 0): Promise<FakeRequest> {
  return vi.waitFor(() => {
    const request = requests[at];
    if (!request?.form) throw new Error("nothing is sent yet");
    return request;
  });
}

describe("what is asked", () => {
  it("bears the key, where there is one", async () => {
    answers[`/jobs/${JOB_ID}`] = () => Response.json(aJob());
    await api().job(JOB_ID);
    keys.use("gw_1_secret");
    await api().job(JOB_ID);
    expect(asked.map(({ init }) => new Headers(init.headers).get("Authorization"))).toEqual([
      null,
      "Bearer gw_1_secret",
    ]);
  });

  it("asks for the key where the service does, and forgets one that was refused", async () => {
    answers[`/jobs/${JOB_ID}`] = () =>
      Response.json({ ...PROBLEM, code: "unauthorized", retryable: false }, { status: 401 });
    keys.use("gw_1_old");
    expect((await refusalOf(api().job(JOB_ID))).code).toBe("unauthorized");
    expect([keys.isNeeded(), keys.current()]).toEqual([true, null]);
  });

  it("keeps a key that was given after what is refused was asked", async () => {
    keys.use("gw_1_old");
    answers[`/jobs/${JOB_ID}`] = () => {
      keys.use("gw_2_new");
      return Response.json({ ...PROBLEM, code: "unauthorized" }, { status: 401 });
    };
    await refusalOf(api().job(JOB_ID));
    expect([keys.isNeeded(), keys.current()]).toEqual([false, "gw_2_new"]);
  });

  it("cancels and removes", async () => {
    answers[`/jobs/${JOB_ID}/cancel`] = () => Response.json(aJob({ status: "cancelled" }));
    answers[`/jobs/${JOB_ID}`] = () => new Response(null, { status: 204 });
    expect((await api().cancel(JOB_ID)).status).toBe("cancelled");
    await api().remove(JOB_ID);
    expect(asked.map(({ init, path }) => `${init.method ?? ""} ${path}`)).toEqual([
      `POST /jobs/${JOB_ID}/cancel`,
      `DELETE /jobs/${JOB_ID}`,
    ]);
  });
});

describe("what goes wrong", () => {
  it("is told as the service tells it", async () => {
    answers[`/jobs/${JOB_ID}`] = () => Response.json(PROBLEM, { status: 503 });
    expect(await refusalOf(api().job(JOB_ID))).toMatchObject({
      code: "queue_full",
      message: "Too many songs wait.",
      status: 503,
      retryable: true,
      retryAfterSeconds: 7,
      requestId: "req_1",
    });
  });

  it("is not understood where no service of ours has answered, with what the headers say", async () => {
    const headers = { "Retry-After": "9", "X-Request-Id": "req_2" };
    answers[`/jobs/${JOB_ID}`] = () => new Response("<h1>Bad gateway</h1>", { status: 502, headers });
    expect(await refusalOf(api().job(JOB_ID))).toMatchObject({
      code: "not_understood",
      status: 502,
      retryable: true,
      retryAfterSeconds: 9,
      requestId: "req_2",
    });
  });

  it("is not understood where a success is no job", async () => {
    answers[`/jobs/${JOB_ID}`] = () => new Response("<h1>Welcome to this hotel</h1>");
    expect(await refusalOf(api().job(JOB_ID))).toMatchObject({ code: "not_understood", retryable: false });
  });

  it("is unreachable, and may heal, where no answer comes", async () => {
    expect(await refusalOf(api().job(JOB_ID))).toMatchObject({
      code: "unreachable",
      retryable: true,
      status: null,
    });
  });

  it("is unreachable where an answer takes too long", async () => {
    vi.useFakeTimers();
    answers[`/jobs/${JOB_ID}`] = never;
    const refusal = refusalOf(api().job(JOB_ID));
    await vi.advanceTimersByTimeAsync(20_000);
    vi.useRealTimers();
    expect((await refusal).code).toBe("unreachable");
  });

  it("is the key's fault, not the server's, where no header can bear the key", async () => {
    vi.spyOn(keys, "current").mockReturnValue("gw_•••");
    answers[`/jobs/${JOB_ID}`] = () => Response.json(aJob());
    expect(await refusalOf(api().job(JOB_ID))).toMatchObject({ code: "unauthorized", retryable: false });
    expect((await refusalOf(api().submitFile(SONG, ask()))).code).toBe("unauthorized");
    expect(keys.isNeeded()).toBe(true);
  });

  it("is an AbortError where it was stopped", async () => {
    const controller = new AbortController();
    answers[`/jobs/${JOB_ID}`] = () => {
      controller.abort();
      throw new DOMException("", "AbortError");
    };
    await expect(api().job(JOB_ID, controller.signal)).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("an upload", () => {
  it("says what is wanted before the song, under the song's own key", async () => {
    const answer = api().submitFile(SONG, ask());
    const request = await upload();
    request.answer(202, aJob());
    expect((await answer).id).toBe(JOB_ID);
    const parts = [...(request.form ?? [])];
    expect(parts.map(([name]) => name)).toEqual(["job", "file"]);
    expect(JSON.parse(parts[0]?.[1] as string)).toEqual({
      options: { spectrogram: true, min_confidence: 0.45 },
    });
    expect((parts[1]?.[1] as File).name).toBe("song.mp3");
    expect(request.headers).toEqual({ "Idempotency-Key": "k1" });
    expect(request.path).toBe("/jobs");
  });

  it("is sent with the key", async () => {
    keys.use("gw_1_secret");
    void api().submitFile(SONG, ask());
    expect((await upload()).headers["Authorization"]).toBe("Bearer gw_1_secret");
  });

  it("tells how much of it was sent", async () => {
    const onSent = vi.fn();
    void api().submitFile(SONG, ask({ onSent }));
    (await upload()).sent(43, 100);
    expect(onSent).toHaveBeenCalledExactlyOnceWith(0.43);
  });

  it("can be stopped", async () => {
    const controller = new AbortController();
    const answer = api().submitFile(SONG, ask({ signal: controller.signal }));
    await upload();
    controller.abort();
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
  });

  it("that was stopped before it began is not sent", async () => {
    const answer = api().submitFile(SONG, ask({ signal: AbortSignal.abort() }));
    await expect(answer).rejects.toMatchObject({ name: "AbortError" });
    expect(requests.every(({ form }) => form === null)).toBe(true);
  });

  it("is refused in the service's words", async () => {
    const refusal = refusalOf(api().submitFile(SONG, ask()));
    (await upload()).answer(503, PROBLEM);
    expect(await refusal).toMatchObject({ code: "queue_full", retryAfterSeconds: 7, requestId: "req_1" });
  });

  it("asks for a key where it is refused for want of one", async () => {
    const refusal = refusalOf(api().submitFile(SONG, ask()));
    (await upload()).answer(401, { ...PROBLEM, code: "unauthorized" });
    expect((await refusal).code).toBe("unauthorized");
    expect(keys.isNeeded()).toBe(true);
  });

  it("is told apart: nobody there, or the connection closed in the middle", async () => {
    const early = refusalOf(api().submitFile(SONG, ask()));
    (await upload(0)).fail();
    expect((await early).code).toBe("unreachable");
    const late = refusalOf(api().submitFile(SONG, ask()));
    (await upload(1)).sent(1, 2);
    (await upload(1)).fail();
    expect(await late).toMatchObject({ code: "broken_off", retryable: true });
  });

  it("is given up where nothing more of it goes out for a minute, or no answer comes to all of it", async () => {
    vi.useFakeTimers();
    for (const [last, patience] of [
      [1, 60],
      [2, 60],
    ] as const) {
      const controller = new AbortController();
      const settled = vi.fn();
      const refusal = refusalOf(api().submitFile(SONG, ask({ signal: controller.signal }))).finally(settled);
      await vi.advanceTimersByTimeAsync(2_100);
      const request = requests.at(-1);
      const abort = vi.spyOn(request ?? {}, "abort" as never);
      await vi.advanceTimersByTimeAsync(50_000);
      request?.sent(1, 2);
      await vi.advanceTimersByTimeAsync(50_000);
      request?.sent(last, 2);
      request?.sent(last, 2); // says nothing new
      await vi.advanceTimersByTimeAsync(last === 1 ? 9_900 : patience * 1_000 - 100);
      expect(settled).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(200);
      expect(await refusal).toMatchObject({ code: "broken_off", retryable: true });
      expect(abort).toHaveBeenCalled();
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it("of which nothing ever goes out finds nobody there", async () => {
    vi.useFakeTimers();
    const refusal = refusalOf(api().submitFile(SONG, ask()));
    await vi.advanceTimersByTimeAsync(2_100 + 60_000);
    expect((await refusal).code).toBe("unreachable");
  });

  it("is not begun with a file that is too large, and both sizes are told", async () => {
    const large = new File(["x".repeat(1_001)], "long.wav");
    const error = await refusalOf(api().submitFile(large, ask()));
    expect(error).toMatchObject({ code: "too_large_here", retryable: false });
    expect(error.message).toBe("This file has 1001 bytes, and at most 1000 bytes are taken.");
    expect(requests).toHaveLength(0);
  });

  it("is begun with a file of any size where the server names no limit", async () => {
    expect(api("{{max_upload_bytes}}").maxUploadBytes).toBeNull();
    void api("{{max_upload_bytes}}").submitFile(new File(["x".repeat(1_001)], "long.wav"), ask());
    await upload();
  });

  it("is not begun with a file that is empty, or that cannot be read", async () => {
    expect((await refusalOf(api().submitFile(new File([], "song.mp3"), ask()))).code).toBe("empty_file");
    const folder = new File(["x"], "folder");
    vi.spyOn(folder, "slice").mockReturnValue({
      arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")),
    } as unknown as Blob);
    expect((await refusalOf(api().submitFile(folder, ask()))).code).toBe("unreadable_file");
    expect(requests).toHaveLength(0);
  });

  it("goes without a threshold where the model's card does not come in two seconds, and so does every other try", async () => {
    vi.useFakeTimers();
    answers["/models"] = never;
    const one = api();
    void refusalOf(one.submitFile(SONG, ask()));
    await vi.advanceTimersByTimeAsync(2_100);
    const first = requests[0];
    expect(JSON.parse(first?.form?.get("job") as string)).toEqual({ options: { spectrogram: true } });
    first?.fail();
    await vi.advanceTimersByTimeAsync(20_000); // the card is given up, and asked for anew
    answers["/models"] = () => Response.json({ models: [CARD] });
    await one.model();
    void refusalOf(one.submitFile(SONG, ask()));
    void refusalOf(one.submitFile(SONG, ask({ idempotencyKey: "k2" })));
    await vi.advanceTimersByTimeAsync(0);
    vi.useRealTimers();
    expect(JSON.parse((await upload(1)).form?.get("job") as string)).toEqual({
      options: { spectrogram: true },
    });
    expect(JSON.parse((await upload(2)).form?.get("job") as string)).toEqual({
      options: { spectrogram: true, min_confidence: 0.45 },
    });
  });
});

describe("a link", () => {
  it("is submitted as JSON under the song's own key", async () => {
    answers["/jobs"] = () => Response.json(aJob(), { status: 202 });
    expect((await api().submitUrl("https://radio.example/a.mp3", ask())).id).toBe(JOB_ID);
    const { init } = asked.at(-1) ?? {};
    expect(JSON.parse(init?.body as string)).toEqual({
      url: "https://radio.example/a.mp3",
      options: { spectrogram: true, min_confidence: 0.45 },
    });
    const headers = new Headers(init?.headers);
    expect([headers.get("Content-Type"), headers.get("Idempotency-Key")]).toEqual(["application/json", "k1"]);
  });
});

describe("a link that is on its way", () => {
  it("is sent as a whole", async () => {
    answers["/jobs"] = () => Response.json(aJob(), { status: 202 });
    const onSent = vi.fn(() => expect(asked.map(({ path }) => path)).not.toContain("/jobs"));
    await api().submitUrl("https://radio.example/a.mp3", ask({ onSent }));
    expect(onSent).toHaveBeenCalledExactlyOnceWith(1);
  });
});

describe("the stream of a job", () => {
  beforeEach(() => {
    vi.stubGlobal(
      "EventSource",
      class {
        constructor(readonly url: string) {}
      },
    );
  });

  it("is opened plainly without a key", async () => {
    expect((await api().events(JOB_ID)).url).toBe(`/jobs/${JOB_ID}/events`);
    expect(asked).toEqual([]);
  });

  it("is opened with a token where there is a key, for no header can be sent", async () => {
    keys.use("gw_1_secret");
    answers[`/jobs/${JOB_ID}/events-token`] = () => Response.json({ token: "a+b/c", expires_at: "" });
    expect((await api().events(JOB_ID)).url).toBe(`/jobs/${JOB_ID}/events?token=a%2Bb%2Fc`);
    expect(asked[0]?.init.method).toBe("POST");
  });
});

describe("the model's card", () => {
  it("is asked for once", async () => {
    const one = api();
    expect(await Promise.all([one.model(), one.model()])).toEqual([CARD, CARD]);
    expect(asked).toHaveLength(1);
  });

  it("is refused where it cannot be had, and asked for again by the next one who wants it", async () => {
    const one = api();
    const good = answers["/models"];
    delete answers["/models"];
    expect((await refusalOf(one.model())).code).toBe("unreachable");
    if (good) answers["/models"] = good;
    expect(await one.model()).toEqual(CARD);
  });
});

describe("what else there is to get", () => {
  it("is the picture, with the key", async () => {
    keys.use("gw_1_secret");
    answers[`/jobs/${JOB_ID}/spectrogram.png`] = () => new Response("a picture");
    const picture = await api().spectrogram(aJob(), new AbortController().signal);
    expect(await picture.text()).toBe("a picture");
    expect(new Headers(asked[0]?.init.headers).get("Authorization")).toBe("Bearer gw_1_secret");
  });

  it("is a bundled song, as a file", async () => {
    answers["/static/samples/riff.mp3"] = () => new Response("an mp3");
    const file = await api().sample("riff");
    expect([file.name, file.type, await file.text()]).toEqual(["riff.mp3", "audio/mpeg", "an mp3"]);
  });

  it("is a job's page and a command for a shell, both of this server", () => {
    const { origin } = new URL(api().pageOf(JOB_ID));
    expect(api().pageOf(JOB_ID)).toBe(`${origin}/r/${JOB_ID}`);
    expect(api().curl(aJob(), null)).toContain(`${origin}/jobs`);
    expect(api().curl(aJob(), null)).not.toContain("GENREWIZ_KEY");
    keys.use("gw_1_secret");
    expect(api().curl(aJob(), null)).toContain("$GENREWIZ_KEY");
    expect(api().curl(aJob(), null)).not.toContain("secret");
  });

  it("does not ask for more certainty than an answer has that somebody else has asked for", async () => {
    const one = api();
    await one.model();
    const { result } = succeeded();
    const heard = (change: Partial<NonNullable<Job["result"]>>) =>
      one.curl(succeeded({ result: result && { ...result, ...change } }), null);
    expect(heard({ genre: "pop", confidence: 0.34 })).not.toContain("min_confidence");
    expect(heard({ genre: "pop", confidence: 0.5 })).toContain('"min_confidence":0.45');
    expect(heard({ genre: null, confidence: 0.34 })).toContain('"min_confidence":0.45');
  });
});
