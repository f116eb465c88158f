import { describe, expect, it } from "vitest";
import { NOTHING, withJob, withProgress, withWindow } from "./seen";
import { unreachable } from "./problem";
import { aJob, running, succeeded } from "./test/job";
import type { WindowEvent } from "./types";

function aWindow(start_seconds: number, attempt = 1): WindowEvent {
  return {
    attempt,
    start_seconds,
    end_seconds: start_seconds + 29.7,
    genre: "disco",
    probabilities: [0.9, 0.1],
  };
}

const RUNNING = withJob(NOTHING, running());

describe("what is known of a job", () => {
  it("is the windows of the attempt that runs, in their order, each once", () => {
    const seen = [aWindow(14.8), aWindow(0), aWindow(14.8)].reduce(withWindow, RUNNING);
    expect(seen.windows.map((known) => known.start_seconds)).toEqual([0, 14.8]);
    expect(seen.windows[0]).not.toHaveProperty("attempt");
  });

  it("forgets the windows of an attempt when the next begins, whoever tells of it first", () => {
    const first = withWindow(RUNNING, aWindow(0));
    const again = {
      status: "running",
      cancel_requested: false,
      attempt: 2,
      stage: "decode",
      fraction: 0,
    } as const;
    expect(withProgress(first, again).windows).toEqual([]);
    expect(withJob(first, running(0, { attempt: 2 })).windows).toEqual([]);
    const second = withWindow(first, aWindow(14.8, 2));
    expect(second.windows.map((known) => known.start_seconds)).toEqual([14.8]);
    expect(second.job?.attempt).toBe(2);
  });

  it("takes no window of an attempt that is over", () => {
    expect(withWindow(withJob(NOTHING, running(0, { attempt: 2 })), aWindow(0, 1)).windows).toEqual([]);
  });

  it("keeps the windows when the same attempt is told of anew", () => {
    expect(withJob(withWindow(RUNNING, aWindow(0)), running(0.5)).windows).toHaveLength(1);
  });

  it("is the timeline of the result at the end", () => {
    expect(withJob(withWindow(RUNNING, aWindow(14.8)), succeeded()).windows).toEqual(
      succeeded().result?.timeline,
    );
  });

  it("follows the progress, and a job that runs has no place in the queue", () => {
    const waiting = withJob(NOTHING, aJob());
    const event = {
      status: "running",
      cancel_requested: true,
      attempt: 1,
      stage: "decode",
      fraction: 0.2,
    } as const;
    const { job } = withProgress(waiting, event);
    expect(job).toMatchObject({ status: "running", cancel_requested: true, attempt: 1 });
    expect(job?.progress).toMatchObject({ stage: "decode", fraction: 0.2, queue_position: null });
  });

  it("does not change after the end, whatever comes late", () => {
    const done = withJob(NOTHING, succeeded());
    const late = {
      status: "running",
      cancel_requested: false,
      attempt: 1,
      stage: "predict",
      fraction: 0.9,
    } as const;
    expect(withProgress(done, late).job?.status).toBe("succeeded");
    expect(withWindow(done, aWindow(14.8)).windows).toHaveLength(1);
    expect(withJob(done, running()).job?.status).toBe("succeeded");
  });

  it("is nothing without a job", () => {
    const early = {
      status: "running",
      cancel_requested: false,
      attempt: 1,
      stage: null,
      fraction: 0,
    } as const;
    expect(withProgress(NOTHING, early)).toBe(NOTHING);
    expect(withWindow(NOTHING, aWindow(0))).toBe(NOTHING);
  });

  it("has no error any more once something was heard", () => {
    const offline = { ...RUNNING, error: unreachable() };
    expect(withJob(offline, running()).error).toBeNull();
    expect(withWindow(offline, aWindow(0)).error).toBeNull();
  });
});
