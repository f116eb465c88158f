import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Api, Ask } from "../api";
import { createKeyRing, type KeyRing } from "../keys";
import type { TextStore } from "../lib/storage";
import { ApiError, unreachable } from "../problem";
import { blockedStore, fakeApi, fakeStore, pending, setHidden, setOnline, type Pending } from "../test/fakes";
import { aJob, jobId, running, succeeded } from "../test/job";
import type { Job } from "../types";
import { writeSongs } from "./kept";
import { songOfJob, summaryOf } from "./song";
import { createSongs, type Song, type Songs } from "./songs";

interface Sending extends Pending<Job> {
  readonly file: File;
  readonly ask: Ask;
}

let keys: KeyRing;
let sending: Sending[];
let asked: string[];
let answers: Record<string, () => Job>;

beforeEach(() => {
  vi.useFakeTimers();
  vi.setSystemTime(new Date("2026-11-23T20:00:00Z"));
  keys = createKeyRing(fakeStore());
  sending = [];
  asked = [];
  answers = {};
});

afterEach(() => {
  vi.useRealTimers();
});

function open(store: TextStore = fakeStore(), methods: Partial<Api> = {}): Songs {
  const api = fakeApi({
    submitFile(file, ask) {
      const answer = pending<Job>();
      sending.push({ file, ask, ...answer });
      ask.signal.addEventListener("abort", () => answer.reject(new DOMException("", "AbortError")));
      return answer.promise;
    },
    submitUrl: () => Promise.resolve(aJob({ id: jobId(99) })),
    async job(id) {
      await Promise.resolve();
      asked.push(id);
      return answers[id]?.() ?? running(0, { id });
    },
    ...methods,
  });
  return createSongs(api, keys, store);
}

function file(name: string): File {
  return new File(["a song"], name);
}

function files(...names: readonly string[]): readonly File[] {
  return names.map(file);
}

/** The submission that was begun as the n-th. */
function sent(at: number): Sending {
  const found = sending.at(at);
  if (!found) throw new Error("nothing was sent");
  return found;
}

function only(songs: Songs): Song {
  const [song, ...more] = songs.list();
  if (!song || more.length > 0) throw new Error(`there are ${songs.list().length} songs`);
  return song;
}

async function passes(seconds: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(seconds * 1000);
}

function refused(status: number, code: string, retryAfterSeconds: number | null = null): ApiError {
  const retryable = status === 429 || status === 503;
  return new ApiError({ code, detail: "No.", status, retryable, retryAfterSeconds });
}

describe("songs that are sent", () => {
  it("are sent three at a time and in order", async () => {
    const songs = open();
    songs.addFiles(files("1", "2", "3", "4", "5"));
    expect(sending.map((one) => one.file.name)).toEqual(["1", "2", "3"]);
    expect(songs.list().map(({ phase }) => phase)).toEqual([
      "sending",
      "sending",
      "sending",
      "waiting",
      "waiting",
    ]);
    sent(1).resolve(aJob({ id: jobId(2) }));
    await passes(0);
    expect(sending.map((one) => one.file.name)).toEqual(["1", "2", "3", "4"]);
  });

  it("stand together in the order that they were chosen in, the newest on top", async () => {
    const songs = open();
    songs.addFiles(files("1", "2"));
    await passes(1);
    songs.addFiles(files("3"));
    expect(songs.list().map(({ name }) => name)).toEqual(["3", "1", "2"]);
  });

  it("tell how far they are, and become jobs", async () => {
    const songs = open();
    songs.addFiles(files("night.mp3"));
    sent(0).ask.onSent?.(0.43);
    expect(only(songs).sentFraction).toBe(0.43);
    sent(0).resolve(aJob({ id: jobId(1) }));
    await passes(0);
    expect(only(songs)).toMatchObject({
      phase: "accepted",
      name: "night.mp3",
      jobId: jobId(1),
      summary: { status: "queued", queuePosition: 0 },
    });
  });

  it("have a key of their own each, though the page is not a secure context", () => {
    vi.stubGlobal("crypto", { getRandomValues: crypto.getRandomValues.bind(crypto) });
    const songs = open();
    songs.addFiles(files("1", "2"));
    expect(new Set(sending.map(({ ask }) => ask.idempotencyKey)).size).toBe(2);
    expect(new Set(songs.list().map(({ key }) => key)).size).toBe(2);
  });

  it("can be links, named by their last part", async () => {
    const songs = open();
    songs.addUrl("https://radio.example/music/night%20drive.mp3?signature=secret");
    await passes(0);
    expect(only(songs)).toMatchObject({ name: "night drive.mp3", phase: "accepted", jobId: jobId(99) });
  });

  it("by a link have the whole of it at hand, which the service does not tell", async () => {
    const songs = open();
    const url = "https://radio.example/a.mp3?signature=secret";
    songs.addUrl(url);
    await passes(0);
    expect(songs.urlOf(jobId(99))).toBe(url);
    expect(songs.fileOf(jobId(99))).toBeNull();
    expect(songs.urlOf(jobId(1))).toBeNull();
  });

  it("are at hand for the player, the last thousand of them", async () => {
    const songs = open();
    songs.addFiles(Array.from({ length: 1_001 }, (_, at) => file(`${at}`)));
    for (let at = 0; at < 1_001; at += 1) {
      sent(at).resolve(aJob({ id: jobId(at) }));
      await passes(0);
    }
    expect(songs.fileOf(jobId(1_000))?.name).toBe("1000");
    expect(songs.fileOf(jobId(1))?.name).toBe("1");
    expect(songs.fileOf(jobId(0))).toBeNull();
    expect(songs.fileOf(jobId(7_777))).toBeNull();
  });
});

describe("songs that are refused for now", () => {
  it("are sent again when the service says, under the same key", async () => {
    const songs = open();
    songs.addFiles(files("1"));
    sent(0).reject(refused(503, "queue_full", 7));
    await passes(0);
    expect(only(songs)).toMatchObject({
      phase: "waiting",
      retryAt: Date.now() + 7_000,
      error: { code: "queue_full" },
    });
    await passes(6.9);
    expect(sending).toHaveLength(1);
    await passes(0.2);
    expect(sending).toHaveLength(2);
    expect(sent(1).ask.idempotencyKey).toBe(sent(0).ask.idempotencyKey);
    expect(only(songs)).toMatchObject({ phase: "sending", retryAt: null, error: null });
  });

  it("hold back the others where the service has no room", async () => {
    open().addFiles(files("1", "2", "3", "4"));
    sent(0).reject(refused(429, "quota_exceeded", 5));
    await passes(0);
    expect(sending).toHaveLength(3);
    await passes(5);
    expect(sending.map((one) => one.file.name)).toEqual(["1", "2", "3", "1"]);
  });

  it("are sent after 2, 4, 8, 16 and then each 30 seconds, ten times in all", async () => {
    const songs = open();
    songs.addFiles(files("1"));
    const waits: number[] = [];
    for (let at = 0; at < 10; at += 1) {
      sent(at).reject(unreachable());
      await passes(0);
      const { retryAt } = only(songs);
      if (retryAt === null) break;
      waits.push((retryAt - Date.now()) / 1000);
      await passes(30);
    }
    expect(waits).toEqual([2, 4, 8, 16, 30, 30, 30, 30, 30]);
    expect(only(songs)).toMatchObject({ phase: "refused", error: { code: "unreachable" } });
  });

  it("are sent at once when the browser is online again, and being offline is no try", async () => {
    const songs = open();
    songs.addFiles(files("1"));
    setOnline(false);
    for (let at = 0; at < 15; at += 1) {
      sent(-1).reject(unreachable());
      await passes(30);
    }
    expect(only(songs).phase).not.toBe("refused");
    sent(-1).reject(unreachable());
    await passes(0);
    const before = sending.length;
    setOnline(true);
    expect(sending).toHaveLength(before + 1);
  });

  it("are given up sooner where the connection was closed in the middle: it may be a refusal", async () => {
    const songs = open();
    songs.addFiles(files("1"));
    for (let at = 0; at < 3; at += 1) {
      sent(at).reject(new ApiError({ code: "broken_off", detail: "", retryable: true }));
      await passes(30);
    }
    expect([only(songs).phase, sending.length]).toEqual(["refused", 3]);
  });
});

describe("songs that are refused", () => {
  it("stay so, do not hold up the others, and can be sent again under the same key", async () => {
    const songs = open();
    const [first] = songs.addFiles(files("1", "2", "3", "4"));
    sent(0).reject(refused(415, "unsupported_format"));
    await passes(60);
    expect(sending).toHaveLength(4);
    expect(songs.list()[0]).toMatchObject({ phase: "refused", error: { code: "unsupported_format" } });
    sent(1).resolve(aJob({ id: jobId(2) }));
    await passes(0);
    songs.retry(first?.key ?? "");
    expect(sent(4)).toMatchObject({
      file: { name: "1" },
      ask: { idempotencyKey: sent(0).ask.idempotencyKey },
    });
  });

  it("for want of a key go on by themselves when there is a new one", async () => {
    const songs = open();
    songs.addFiles(files("1", "2"));
    keys.demand();
    sent(0).reject(refused(401, "unauthorized"));
    sent(1).reject(refused(401, "unauthorized"));
    await passes(60);
    expect(songs.list().map(({ phase, error }) => [phase, error?.code])).toEqual([
      ["refused", "unauthorized"],
      ["refused", "unauthorized"],
    ]);
    expect(sending).toHaveLength(2);
    keys.use("gw_1_secret");
    expect(sending).toHaveLength(4);
  });
});

describe("songs that are cancelled", () => {
  it("keep why they were not, until the next try", async () => {
    const cancel = vi.fn(() => Promise.reject<Job>(refused(429, "rate_limited")));
    const songs = open(fakeStore(), { cancel });
    songs.note(aJob());
    songs.cancel(only(songs).key);
    await vi.waitFor(() => expect(only(songs).cancelError?.code).toBe("rate_limited"));
    cancel.mockReturnValue(new Promise(() => undefined));
    songs.cancel(only(songs).key);
    expect(only(songs).cancelError).toBeNull();
  });

  it("while they are sent stop there and are forgotten, and the next one is sent", async () => {
    const songs = open();
    const [first] = songs.addFiles(files("1", "2", "3", "4"));
    songs.cancel(first?.key ?? "");
    await passes(0);
    expect(sent(0).ask.signal.aborted).toBe(true);
    expect(songs.list().map(({ name }) => name)).toEqual(["2", "3", "4"]);
    expect(sent(3).file.name).toBe("4");
  });

  it.each([
    ["a song", (songs: Songs) => songs.addFiles(files("1"))],
    ["a link", (songs: Songs) => [songs.addUrl("https://radio.example/a.mp3")]],
  ])("once all of %s was sent are forgotten, and so is the job that comes of it", async (_, add) => {
    const cancelled: string[] = [];
    const submit = (ask: Ask) => {
      const answer = pending<Job>();
      sending.push({ file: file(""), ask, ...answer });
      ask.onSent?.(1);
      return answer.promise;
    };
    const songs = open(fakeStore(), {
      submitFile: (_file, ask) => submit(ask),
      submitUrl: (_url, ask) => submit(ask),
      cancel(id) {
        cancelled.push(id);
        return Promise.resolve(aJob({ id, status: "cancelled" }));
      },
    });
    const [song] = add(songs);
    songs.cancel(song?.key ?? "");
    expect([songs.list().length, sent(0).ask.signal.aborted]).toEqual([0, false]);
    sent(0).resolve(aJob({ id: jobId(1) }));
    await passes(5);
    expect(cancelled).toEqual([jobId(1)]);
    expect([songs.list(), asked]).toEqual([[], []]);
  });

  it("once all was sent are not sent again, whatever the answer is", async () => {
    const songs = open();
    const [song] = songs.addFiles(files("1"));
    sent(0).ask.onSent?.(1);
    songs.cancel(song?.key ?? "");
    sent(0).reject(refused(503, "queue_full", 1));
    await passes(10);
    expect([sending.length, songs.list().length]).toEqual([1, 0]);
  });

  it("while they wait are never sent", async () => {
    const songs = open();
    const last = songs.addFiles(files("1", "2", "3", "4"))[3];
    songs.cancel(last?.key ?? "");
    sent(0).resolve(aJob({ id: jobId(1) }));
    await passes(0);
    expect(sending).toHaveLength(3);
  });

  it("as jobs are what the service makes of them", async () => {
    const songs = open(fakeStore(), { cancel: (id) => Promise.resolve(aJob({ id, status: "cancelled" })) });
    songs.note(running(0, { id: jobId(1) }));
    songs.cancel(only(songs).key);
    await passes(0);
    expect(only(songs).summary?.status).toBe("cancelled");
  });

  it("too late have their result", async () => {
    const songs = open(fakeStore(), { cancel: () => Promise.reject(refused(409, "job_finished")) });
    answers[jobId(1)] = () => succeeded({ id: jobId(1) });
    songs.note(running(0, { id: jobId(1) }));
    songs.cancel(only(songs).key);
    await passes(0);
    expect(only(songs).summary).toMatchObject({ status: "succeeded", genre: "disco", confidence: 0.72 });
  });
});

describe("jobs that go on", () => {
  it("are asked after about each second, until they end", async () => {
    const songs = open();
    songs.addFiles(files("1"));
    sent(0).resolve(aJob({ id: jobId(1) }));
    await passes(3.9);
    expect(asked).toHaveLength(4);
    answers[jobId(1)] = () => succeeded({ id: jobId(1) });
    await passes(10);
    expect(asked).toHaveLength(5);
    expect(only(songs).summary?.status).toBe("succeeded");
  });

  it("are asked after in turn, four a second at most, however many there are", async () => {
    const songs = open();
    for (let number = 0; number < 8; number += 1) songs.note(running(0, { id: jobId(number) }));
    await passes(5);
    asked = [];
    await passes(2);
    expect(asked.length).toBeLessThanOrEqual(8);
    expect(new Set(asked).size).toBe(8);
  });

  it("that end are heard of at once, in the order in which they were sent, long queue or not", async () => {
    const songs = open();
    songs.addFiles(files(...Array.from({ length: 60 }, (_, at) => `${at}`)));
    for (let at = 0; at < 60; at += 1) {
      sent(at).resolve(aJob({ id: jobId(at) }));
      await passes(0);
    }
    await passes(20);
    for (let at = 0; at < 40; at += 1) answers[jobId(at)] = () => succeeded({ id: jobId(at) });
    await passes(3);
    const done = songs.list().filter(({ summary }) => summary?.status === "succeeded");
    expect(done.map((song) => song.jobId)).toEqual(Array.from({ length: 40 }, (_, at) => jobId(at)));
  });

  it("are all asked after, however long the first ones take", async () => {
    const songs = open();
    for (let number = 0; number < 40; number += 1) songs.note(running(0, { id: jobId(number) }));
    await passes(60);
    asked = [];
    await passes(50);
    expect(new Set(asked).size).toBe(40);
    expect(asked.length).toBeLessThanOrEqual(201);
    const most = Math.max(...songs.list().map((song) => asked.filter((id) => id === song.jobId).length));
    expect(most).toBeLessThanOrEqual(50);
  });

  it("are asked after though the first ones are another key's", async () => {
    const songs = open();
    for (let number = 0; number < 12; number += 1) {
      songs.note(running(0, { id: jobId(number) }));
      if (number < 10)
        answers[jobId(number)] = () => {
          throw refused(404, "unknown_job");
        };
    }
    await passes(10);
    asked = [];
    await passes(10);
    expect(asked.filter((id) => id === jobId(11)).length).toBeGreaterThanOrEqual(9);
  });

  it("that came first are the first to be asked after when somebody looks again", async () => {
    const songs = open();
    for (let number = 0; number < 60; number += 1) songs.note(running(0, { id: jobId(number) }));
    await passes(5);
    for (let number = 0; number < 40; number += 1)
      answers[jobId(number)] = () => succeeded({ id: jobId(number) });
    setHidden(true);
    setHidden(false);
    await passes(1);
    expect(songs.list().filter(({ summary }) => summary?.status === "succeeded")).toHaveLength(40);
  });

  it("that end far behind the first ones are found, and then those beside them", async () => {
    const store = fakeStore();
    const old = open(store);
    for (let number = 0; number < 60; number += 1) {
      old.note(running(0, { id: jobId(number) }));
      vi.setSystemTime(Date.now() + 1);
    }
    vi.clearAllTimers(); // the old one asks no more
    for (let number = 0; number < 20; number += 1)
      answers[jobId(number)] = () => succeeded({ id: jobId(number) });
    const songs = open(store);
    await passes(40); // the newest are asked after first, and end last
    expect(songs.list().filter(({ summary }) => summary?.status === "succeeded")).toHaveLength(20);
  });

  it("and are gone are heard of at once, too", async () => {
    const songs = open();
    for (let number = 0; number < 20; number += 1) {
      songs.note(running(0, { id: jobId(number) }));
      answers[jobId(number)] = () => {
        throw refused(410, "result_gone");
      };
    }
    await passes(4);
    expect(songs.list().filter(({ summary }) => summary?.isGone)).toHaveLength(20);
  });

  it("are asked after no more before the service allows it, though one of them has just ended", async () => {
    const songs = open();
    for (let number = 0; number < 20; number += 1) songs.note(running(0, { id: jobId(number) }));
    const questions: string[] = [];
    const tooMany = vi.fn(() => {
      throw refused(429, "rate_limited", 9);
    });
    for (let number = 0; number < 20; number += 1)
      answers[jobId(number)] = () => {
        questions.push(jobId(number));
        return questions.length > 5 ? tooMany() : succeeded({ id: jobId(number) });
      };
    await passes(5);
    expect(questions).toHaveLength(6);
    await passes(8.5);
    expect(questions.length).toBeLessThanOrEqual(7);
  });

  it("are asked after less often where nobody looks", async () => {
    const songs = open();
    setHidden(true);
    songs.note(running(0, { id: jobId(1) }));
    await passes(1);
    asked = [];
    await passes(10);
    expect(asked).toHaveLength(2);
  });

  it("are left alone for a while where somebody else hears of them", async () => {
    const songs = open();
    for (let second = 0; second < 20; second += 1) {
      songs.note(running(second / 20, { id: jobId(1) }));
      await passes(1);
    }
    expect(asked).toEqual([]);
  });

  it("are not asked after while a key is missing, nor offline", async () => {
    const id = jobId(50); // songs of other tests come online, too
    const questions = () => asked.filter((one) => one === id);
    const songs = open();
    songs.note(running(0, { id }));
    keys.demand();
    await passes(10);
    expect(questions()).toEqual([]);
    keys.use("gw_1_secret");
    await passes(0.5);
    expect(questions()).toHaveLength(1);
    setOnline(false);
    await passes(10);
    expect(questions()).toHaveLength(1);
    setOnline(true);
    await passes(0);
    expect(questions()).toHaveLength(2);
  });

  it("are asked after less and less often where no answer comes", async () => {
    answers[jobId(1)] = () => {
      throw unreachable();
    };
    open().note(running(0, { id: jobId(1) }));
    await passes(4 + 2 + 4 + 8 + 16);
    expect(asked.length).toBeLessThanOrEqual(5);
    expect(asked.length).toBeGreaterThanOrEqual(4);
  });

  it("and are no longer at the server are gone, and asked after no more", async () => {
    const songs = open();
    songs.note(running(0, { id: jobId(1) }));
    answers[jobId(1)] = () => {
      throw refused(410, "result_gone");
    };
    await passes(60);
    expect(asked).toHaveLength(1);
    expect(only(songs).summary?.isGone).toBe(true);
  });

  it("and belong to another key are not found, and go on when theirs is back", async () => {
    const songs = open();
    songs.note(running(0, { id: jobId(1) }));
    answers[jobId(1)] = () => {
      throw refused(404, "unknown_job");
    };
    await passes(3.5); // since it was noted
    expect([only(songs).summary?.isGone, only(songs).isMissing]).toEqual([false, true]);
    await passes(60);
    expect(asked).toHaveLength(1);
    answers[jobId(1)] = () => succeeded({ id: jobId(1) });
    keys.use("gw_1_secret");
    await passes(1);
    expect(only(songs)).toMatchObject({ isMissing: false, summary: { status: "succeeded" } });
  });

  it("and are not found can be removed", async () => {
    const songs = open();
    songs.note(running(0, { id: jobId(1) }));
    answers[jobId(1)] = () => {
      throw refused(404, "unknown_job");
    };
    await passes(3.5);
    songs.clear();
    expect(songs.list()).toEqual([]);
  });

  it("and are heard of again are gone no longer, but come back as they ended", () => {
    const songs = open();
    for (const job of [running(0, { id: jobId(1) }), succeeded({ id: jobId(2) })]) {
      songs.note(job);
      songs.noteGone(job.id);
      songs.note(running(0.5, { id: job.id }));
    }
    const known = new Map(songs.list().map(({ jobId: id, summary }) => [id, summary]));
    expect(known.get(jobId(1))).toMatchObject({ isGone: false, fraction: 0.5 });
    expect(known.get(jobId(2))).toMatchObject({ isGone: true, status: "succeeded" });
  });

  it("do not go back from their end, whatever is heard late", () => {
    const songs = open();
    songs.note(succeeded());
    songs.note(running());
    expect(only(songs).summary?.status).toBe("succeeded");
  });
});

describe("the list", () => {
  it("takes up a job that it hears of, named by its file or its link", () => {
    const songs = open();
    songs.note(succeeded({ id: jobId(1) }));
    const source = {
      ...aJob().source,
      kind: "url",
      filename: null,
      url: "https://radio.example/a.mp3",
    } as const;
    songs.note(succeeded({ id: jobId(2), source }));
    expect(songs.list().map(({ name }) => name)).toEqual(["a.mp3", "song.mp3"]);
  });

  it("is the same array until something changes, and tells when it does", () => {
    const songs = open();
    songs.note(succeeded());
    const listener = vi.fn();
    const end = songs.subscribe(listener);
    expect(songs.list()).toBe(songs.list());
    songs.noteGone(jobId(77));
    expect(listener).not.toHaveBeenCalled();
    songs.forget(only(songs).key);
    expect(listener).toHaveBeenCalledTimes(1);
    end();
    songs.addFiles(files("1"));
    expect(listener).toHaveBeenCalledTimes(1);
  });

  it("forgets what has ended, and keeps what goes on", async () => {
    const songs = open();
    songs.note(succeeded({ id: jobId(1) }));
    songs.note(running(0, { id: jobId(2) }));
    songs.note(running(0, { id: jobId(3) }));
    songs.noteGone(jobId(3));
    vi.setSystemTime(Date.now() + 10);
    songs.addFiles(files("refused", "on its way"));
    sent(0).reject(refused(415, "unsupported_format"));
    await passes(0);
    songs.clear();
    expect(songs.list().map(({ jobId: id, name }) => id ?? name)).toEqual(["on its way", jobId(2)]);
  });

  it("takes back what was forgotten last, in its place, and a refused song can still be sent again", async () => {
    const store = fakeStore();
    const songs = open(store);
    songs.addFiles(files("a", "refused", "c"));
    sent(0).resolve(succeeded({ id: jobId(1) }));
    sent(1).reject(refused(415, "unsupported_format"));
    sent(2).resolve(succeeded({ id: jobId(3) }));
    await passes(0);
    const before = songs.list();
    songs.clear();
    expect(songs.forgotten().map(({ name }) => name)).toEqual(["a", "refused", "c"]);
    songs.restore();
    expect(songs.list()).toEqual(before);
    expect(songs.forgotten()).toEqual([]);
    expect(open(store).list()).toHaveLength(2);
    songs.retry(before[1]?.key ?? "");
    expect(sending).toHaveLength(4);
  });

  it("takes back the last removal alone, nothing once songs were added, and nothing twice", async () => {
    const songs = open();
    songs.note(succeeded({ id: jobId(1) }));
    songs.note(succeeded({ id: jobId(2) }));
    for (const { key } of songs.list()) songs.forget(key);
    songs.restore();
    expect(songs.list().map((song) => song.jobId)).toEqual([jobId(1)]);
    songs.clear();
    songs.note(succeeded({ id: jobId(1) })); // its page was opened
    songs.restore();
    expect(songs.list().map((song) => song.jobId)).toEqual([jobId(1)]);
    songs.clear();
    songs.addFiles(files("new"));
    songs.restore();
    expect(songs.list().map(({ name }) => name)).toEqual(["new"]);
    await passes(0);
  });

  it("lets go of a refused song's file once it cannot come back", async () => {
    const songs = open();
    const [gone] = songs.addFiles(files("refused"));
    sent(0).reject(refused(415, "unsupported_format"));
    await passes(0);
    songs.forget(gone?.key ?? "");
    songs.addFiles(files("another"));
    songs.retry(gone?.key ?? "");
    await passes(60);
    expect(sending.map((one) => one.file.name)).toEqual(["refused", "another"]);
  });

  it("sends by itself what comes back and only wanted the key that was given meanwhile", async () => {
    const songs = open();
    const [song] = songs.addFiles(files("1"));
    keys.demand();
    sent(0).reject(refused(401, "unauthorized"));
    await passes(0);
    songs.forget(song?.key ?? "");
    keys.use("gw_1_secret");
    expect(sending).toHaveLength(1);
    songs.restore();
    expect(sending.map((one) => one.file.name)).toEqual(["1", "1"]);
    expect(only(songs).phase).toBe("sending");
  });

  it("does not take up again what was forgotten while it was asked after", async () => {
    const late = pending<Job>();
    const songs = open(fakeStore(), { job: () => late.promise });
    songs.note(running(0, { id: jobId(1) }));
    await passes(5);
    songs.forget(only(songs).key);
    late.resolve(succeeded({ id: jobId(1) }));
    await passes(5);
    expect(songs.list()).toEqual([]);
  });
});

describe("the next visit", () => {
  it("has the jobs, but nothing that was never sent", async () => {
    const store = fakeStore();
    const songs = open(store);
    songs.note(succeeded({ id: jobId(1) }));
    songs.addFiles(files("on its way"));
    await passes(1);
    expect(only(open(store))).toMatchObject({
      name: "song.mp3",
      jobId: jobId(1),
      phase: "accepted",
      summary: { status: "succeeded", genre: "disco", top: succeeded().result?.top },
    });
  });

  it("goes on asking after those that had not ended", async () => {
    const store = fakeStore();
    open(store).note(running(0, { id: jobId(1) }));
    asked = [];
    answers[jobId(1)] = () => succeeded({ id: jobId(1) });
    const songs = open(store);
    await passes(1);
    expect(only(songs).summary?.status).toBe("succeeded");
  });

  /** What is kept of these songs, the newest first. */
  function kept(list: readonly Song[], store: TextStore = fakeStore()): readonly (string | null)[] {
    writeSongs(store, list);
    return open(store)
      .list()
      .map((song) => song.jobId);
  }

  function many(count: number, make: (change: Partial<Job>) => Job, from = 0): readonly Song[] {
    return Array.from({ length: count }, (_, at) => {
      const id = jobId(from + at);
      return songOfJob(id, "a.mp3", 1_000_000 - from - at, summaryOf(make({ id })));
    });
  }

  it("has the newest thousand", () => {
    const ids = kept(many(1_005, succeeded));
    expect(ids).toHaveLength(1_000);
    expect([ids[0], ids.at(-1)]).toEqual([jobId(0), jobId(999)]);
  });

  it("has all that goes on, however old, rather than what has ended", () => {
    const ended = many(900, succeeded);
    const going = many(300, (change) => running(0, change), 900);
    const ids = kept([...ended, ...going]);
    expect(ids).toEqual([...ended.slice(0, 700), ...going].map((song) => song.jobId));
    expect(kept([...ended.slice(0, 5), ...many(1_001, (change) => running(0, change), 900)])).toHaveLength(
      1_001,
    );
  });

  it("is not harmed where the browser has no more room, nor is this one", async () => {
    const texts = fakeStore();
    const store: TextStore = {
      ...texts,
      setItem(name, text) {
        if (text.length > 1_500) throw new DOMException("", "QuotaExceededError");
        texts.setItem(name, text);
      },
    };
    const songs = open(store);
    for (let number = 0; number < 20; number += 1) {
      songs.note(succeeded({ id: jobId(number) }));
      await passes(0.001);
    }
    expect(songs.list()).toHaveLength(20);
    expect(open(store).list().length).toBeGreaterThan(0);
  });

  it.each([
    ["no JSON", "{"],
    ["no list", '{"a":1}'],
    ["entries of every shape", '[null,1,"x",[],{},{"jobId":"job_1"},{"jobId":5,"name":"x"}]'],
    ["a job without a summary", `[{"jobId":"${jobId(1)}","name":"x","addedAt":1}]`],
    [
      "a date beyond all calendars",
      `[{"jobId":"${jobId(1)}","name":"x","addedAt":1e300,"summary":{"status":"succeeded"}}]`,
    ],
    [
      "a status that nobody knows",
      `[{"jobId":"${jobId(1)}","name":"x","addedAt":1,"summary":{"status":"lost"}}]`,
    ],
  ])("is not harmed by %s", (_, text) => {
    expect(open(fakeStore({ "genrewiz.songs": text })).list()).toEqual([]);
  });

  it("makes the best of an entry that lacks something", () => {
    const text = `[{"jobId":"${jobId(1)}","name":"x","addedAt":1,"summary":{"status":"succeeded","top":[{},{"genre":"jazz","probability":0.4}]}}]`;
    expect(only(open(fakeStore({ "genrewiz.songs": text }))).summary).toMatchObject({
      genre: null,
      confidence: null,
      top: [{ genre: "jazz", probability: 0.4 }],
      isGone: false,
    });
  });

  it("believes in no share above all or below nothing, and in no more than ten likeliest genres", () => {
    const top = Array.from({ length: 30 }, (_, at) => ({ genre: `${at}`, probability: at === 0 ? 7 : 0.1 }));
    const summary = { status: "succeeded", confidence: -1, durationSeconds: -5, top };
    const text = JSON.stringify([{ jobId: jobId(1), name: "x", addedAt: 1, summary }]);
    const known = only(open(fakeStore({ "genrewiz.songs": text }))).summary;
    expect(known).toMatchObject({ confidence: null, durationSeconds: null });
    expect(known?.top.map(({ genre }) => genre)).toEqual(top.slice(1, 11).map(({ genre }) => genre));
  });

  it("is not needed: where the browser keeps nothing, this visit works", () => {
    const songs = open(blockedStore);
    songs.note(succeeded());
    expect(only(songs).summary?.genre).toBe("disco");
  });
});

describe("another tab", () => {
  function tell(oldValue: string | null, newValue: string | null): void {
    window.dispatchEvent(Object.assign(new Event("storage"), { key: "genrewiz.songs", oldValue, newValue }));
  }

  /** What a tab keeps that has these songs. */
  function kept(...jobs: readonly Job[]): string | null {
    const store = fakeStore();
    const songs = open(store);
    for (const job of jobs) songs.note(job);
    return store.getItem("genrewiz.songs");
  }

  it("adds its songs to this one's, and ends what has ended there", () => {
    const songs = open();
    songs.note(running(0, { id: jobId(1) }));
    const before = kept(running(0, { id: jobId(1) }));
    tell(before, kept(succeeded({ id: jobId(1) }), succeeded({ id: jobId(2) })));
    const known = new Map(songs.list().map((song) => [song.jobId, song.summary?.status]));
    expect(known).toEqual(new Map([jobId(1), jobId(2)].map((id) => [id, "succeeded"])));
  });

  it("forgets for this one, too, but not what it never knew", () => {
    const songs = open();
    songs.note(succeeded({ id: jobId(1) }));
    songs.note(succeeded({ id: jobId(2) }));
    tell(kept(succeeded({ id: jobId(1) })), kept());
    expect(songs.list().map((song) => song.jobId)).toEqual([jobId(2)]);
  });

  it("does not lose what it has written when this one writes", () => {
    const store = fakeStore();
    const songs = open(store);
    open(store).note(succeeded({ id: jobId(1) }));
    songs.note(succeeded({ id: jobId(2) }));
    expect(
      new Set(
        open(store)
          .list()
          .map((song) => song.jobId),
      ),
    ).toEqual(new Set([jobId(1), jobId(2)]));
  });

  it("keeps what was forgotten here and added there later, when this one writes", async () => {
    const store = fakeStore();
    const songs = open(store);
    songs.note(succeeded({ id: jobId(1) }));
    songs.forget(only(songs).key);
    await passes(1);
    open(store).note(succeeded({ id: jobId(1) })); // its page was opened there
    await passes(1);
    songs.note(succeeded({ id: jobId(2) }));
    const ids = open(store)
      .list()
      .map((song) => song.jobId);
    expect(ids).toEqual([jobId(2), jobId(1)]);
  });

  it("does not bring back what was forgotten here", () => {
    const store = fakeStore();
    const songs = open(store);
    songs.note(succeeded({ id: jobId(1) }));
    songs.forget(only(songs).key);
    songs.note(succeeded({ id: jobId(2) }));
    tell(null, kept(succeeded({ id: jobId(1) })));
    expect(songs.list().map((song) => song.jobId)).toEqual([jobId(2)]);
  });
});
