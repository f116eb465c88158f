import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Api } from "./api";
import { ApiError, unreachable } from "./problem";
import type { Seen } from "./seen";
import { FakeEventSource } from "./test/fake-event-source";
import { fakeApi, pending, setHidden, setOnline } from "./test/fakes";
import { aJob, JOB_ID, running, succeeded } from "./test/job";
import type { Job } from "./types";
import { watchJob, type Watch } from "./watch-job";

const PROGRESS = { status: "running", cancel_requested: false, attempt: 1, stage: "predict", fraction: 0.4 };
const WINDOW = { attempt: 1, start_seconds: 0, end_seconds: 29.7, genre: "disco", probabilities: [1, 0] };

let answer: () => Promise<Job>;
let asked: number;
let sources: FakeEventSource[];
let watch: Watch | undefined;
let told: Seen[];

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeEventSource);
  answer = () => Promise.resolve(running());
  asked = 0;
  sources = [];
  told = [];
});

afterEach(() => {
  watch?.stop();
  vi.useRealTimers();
});

async function follow(methods: Partial<Api> = {}): Promise<void> {
  const api = fakeApi({
    job() {
      asked += 1;
      return answer();
    },
    events() {
      const source = new FakeEventSource();
      sources.push(source);
      return Promise.resolve(source as unknown as EventSource);
    },
    ...methods,
  });
  watch = watchJob(api, JOB_ID, (seen) => told.push(seen));
  await passes(0);
}

async function passes(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

function last(): Seen {
  const seen = told.at(-1);
  if (!seen) throw new Error("nothing was told");
  return seen;
}

function stream(at = -1): FakeEventSource {
  const source = sources.at(at);
  if (!source) throw new Error("there is no stream");
  return source;
}

function refused(status: number, code: string, retryable = false): () => Promise<Job> {
  return () => Promise.reject(new ApiError({ code, detail: "", status, retryable }));
}

describe("a job that has ended", () => {
  it("is asked for once, and no stream is opened", async () => {
    answer = () => Promise.resolve(succeeded());
    await follow();
    await passes(60);
    expect(last().job?.status).toBe("succeeded");
    expect(last().windows).toHaveLength(1);
    expect([asked, sources.length]).toEqual([1, 0]);
  });

  it("is asked for anew on demand", async () => {
    answer = () => Promise.resolve(succeeded());
    await follow();
    answer = refused(410, "result_gone");
    watch?.retry();
    await passes(0);
    expect(last().error?.code).toBe("result_gone");
  });
});

describe("a job that goes on", () => {
  it("is asked for again where somebody else than the service has answered in its place", async () => {
    await follow();
    stream().say("snapshot", running(0.5));
    answer = refused(403, "not_understood");
    setHidden(true);
    setHidden(false);
    await passes(0);
    expect(last()).toMatchObject({ error: { code: "not_understood" }, job: { status: "running" } });
    answer = () => Promise.resolve(succeeded());
    await passes(10);
    expect(last()).toMatchObject({ error: null, job: { status: "succeeded" } });
  });

  it("is followed by its stream to the end, which closes it", async () => {
    await follow();
    stream().say("snapshot", running());
    stream().say("progress", PROGRESS);
    expect(last().job?.progress.fraction).toBe(0.4);
    stream().say("window", WINDOW);
    expect(last().windows).toHaveLength(1);
    stream().say("finished", succeeded());
    expect(last().job?.status).toBe("succeeded");
    expect(stream().isClosed).toBe(true);
    const before = asked;
    await passes(60);
    expect([asked, sources.length]).toEqual([before, 1]);
  });

  it("is asked after while it waits, for the stream says nothing of its place in the queue", async () => {
    answer = () => Promise.resolve(aJob({ progress: { ...aJob().progress, queue_position: 3 } }));
    await follow();
    answer = () => Promise.resolve(aJob({ progress: { ...aJob().progress, queue_position: 1 } }));
    await passes(2);
    expect(last().job?.progress.queue_position).toBe(1);
    expect(sources).toHaveLength(1);
  });

  it("is asked after now and then while it streams, for a connection can die without a word", async () => {
    await follow();
    answer = () => Promise.resolve(succeeded());
    await passes(10);
    expect(last().job?.status).toBe("succeeded");
    expect(stream().isClosed).toBe(true);
  });

  it("is asked for anew when nobody knows what was missed", async () => {
    await follow();
    stream().say("reset", {});
    expect(stream().isClosed).toBe(true);
    await passes(1);
    expect(asked).toBeGreaterThan(1);
    expect(sources).toHaveLength(2);
  });
});

describe("without a stream", () => {
  it.each([
    ["the server refuses one", () => stream().refuse()],
    ["it breaks three times without an event", () => [1, 2, 3].forEach(() => stream().break())],
  ])("the job is asked after each second where %s, and a stream is tried again later", async (_, lose) => {
    await follow();
    lose();
    expect(stream().isClosed).toBe(true);
    await passes(0);
    const before = asked;
    await passes(3);
    expect(asked).toBe(before + 3);
    expect(sources).toHaveLength(1);
    await passes(28);
    expect(sources).toHaveLength(2);
  });

  it("one is tried again soon where it had been well (its token is too old), and less and less often in vain", async () => {
    await follow();
    const lose = async () => {
      stream().refuse();
      await passes(0);
    };
    stream().say("snapshot", running());
    await lose();
    await passes(1);
    expect(sources).toHaveLength(2);
    await lose();
    await passes(1);
    expect(sources).toHaveLength(2);
    await passes(1);
    expect(sources).toHaveLength(3);
    stream().say("snapshot", running());
    await lose();
    await passes(1);
    expect(sources).toHaveLength(4);
    for (let loss = 0; loss < 6; loss += 1) {
      await lose();
      await passes(30);
    }
    expect(sources).toHaveLength(10);
  });

  it("the job is asked after where no token is to be had", async () => {
    await follow({
      events: () => Promise.reject(new ApiError({ code: "rate_limited", detail: "", status: 429 })),
    });
    const before = asked;
    await passes(3);
    expect(asked).toBe(before + 3);
    expect(last().error).toBeNull();
  });

  it("the end is heard all the same", async () => {
    await follow();
    stream().refuse();
    answer = () => Promise.resolve(succeeded());
    await passes(1);
    expect(last().job?.status).toBe("succeeded");
  });

  it("an event in between means that the stream is well", async () => {
    await follow();
    stream().break();
    stream().break();
    stream().say("progress", PROGRESS);
    stream().break();
    expect(stream().isClosed).toBe(false);
  });
});

describe("what cannot be reached", () => {
  it("is said, what was known stays, and it goes on by itself", async () => {
    await follow();
    answer = () => Promise.reject(unreachable());
    stream().refuse();
    await passes(0);
    expect(last().error?.code).toBe("unreachable");
    expect(last().job?.status).toBe("running");
    answer = () => Promise.resolve(running(0.9));
    await passes(2);
    expect(last().error).toBeNull();
    expect(last().job?.progress.fraction).toBe(0.9);
    expect(sources).toHaveLength(2); // what ended the first stream is over
  });

  it("is asked for less and less often, and at least each fifteen seconds", async () => {
    answer = () => Promise.reject(unreachable());
    await follow();
    await passes(2 + 4 + 8);
    expect(asked).toBe(4);
    await passes(60);
    expect(asked).toBe(8);
  });

  it("is asked for as late as the service wishes, and no later than fifteen seconds", async () => {
    const later = {
      code: "store_unavailable",
      detail: "",
      status: 503,
      retryable: true,
      retryAfterSeconds: 5,
    };
    answer = () => Promise.reject(new ApiError(later));
    await follow();
    expect(last().error?.code).toBe("store_unavailable");
    await passes(4.9);
    expect(asked).toBe(1);
    await passes(0.2);
    expect(asked).toBe(2);
  });

  it("is said at once when the browser goes offline, and asked for at once when it is back", async () => {
    await follow();
    setOnline(false);
    await passes(0);
    expect(last().error?.code).toBe("unreachable");
    const before = asked;
    await passes(60);
    expect(asked).toBe(before);
    setOnline(true);
    await passes(0);
    expect(asked).toBe(before + 1);
    expect(last().error).toBeNull();
  });
});

describe("what is final", () => {
  it.each([
    [401, "unauthorized"],
    [403, "missing_right"],
    [404, "unknown_job"],
    [410, "result_gone"],
  ])("%i is told, and nothing is asked any more", async (status, code) => {
    answer = refused(status, code);
    await follow();
    expect(last().error).toMatchObject({ status, code });
    await passes(120);
    expect([asked, sources.length]).toEqual([1, 0]);
  });

  it("goes on where somebody asks for it", async () => {
    answer = refused(401, "unauthorized");
    await follow();
    answer = () => Promise.resolve(running());
    watch?.retry();
    await passes(0);
    expect(last().error).toBeNull();
    expect(sources).toHaveLength(1);
  });
});

describe("at the end of watching", () => {
  it("nothing is open, nothing is asked and nothing is told", async () => {
    await follow();
    watch?.stop();
    const before = [asked, told.length];
    stream().say("progress", PROGRESS);
    setOnline(true);
    await passes(60);
    expect(stream().isClosed).toBe(true);
    expect([asked, told.length]).toEqual(before);
  });

  it("a stream that opens late is closed at once", async () => {
    const late = pending<EventSource>();
    const source = new FakeEventSource();
    await follow({ events: () => late.promise });
    watch?.stop();
    late.resolve(source as unknown as EventSource);
    await passes(0);
    expect(source.isClosed).toBe(true);
  });

  it("an answer that comes late is told to nobody", async () => {
    const late = pending<Job>();
    answer = () => late.promise;
    await follow();
    watch?.stop();
    late.resolve(running());
    await passes(0);
    expect([told.length, sources.length]).toEqual([0, 0]);
  });
});

describe("a page that nobody looks at", () => {
  it("holds no connection, asks each five seconds, and goes on when it is shown", async () => {
    await follow();
    setHidden(true);
    expect(stream().isClosed).toBe(true);
    const before = asked;
    await passes(20);
    expect([asked, sources.length]).toEqual([before + 4, 1]);
    setHidden(false);
    await passes(0);
    expect(sources).toHaveLength(2);
  });

  it("rests while it is kept for the way back, and goes on when it is shown again", async () => {
    await follow();
    window.dispatchEvent(new Event("pagehide"));
    expect(stream().isClosed).toBe(true);
    const before = asked;
    await passes(60);
    expect(asked).toBe(before);
    window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
    await passes(0);
    expect([asked, sources.length]).toEqual([before + 1, 2]);
  });
});
