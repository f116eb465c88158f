import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ApiError } from "../problem";
import { setOnline } from "../test/fakes";
import { persist } from "./persist";

const BUSY = new ApiError({ code: "rate_limited", detail: "", status: 429, retryAfterSeconds: 5 });

function wish(error = new Error("no")) {
  return {
    ask: vi.fn((): Promise<string> => Promise.reject(error)),
    answered: vi.fn(),
    failed: vi.fn(() => true),
    longestWaitMs: 15_000,
  };
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

describe("persist", () => {
  it("asks ever more rarely until there is an answer, and then no more", async () => {
    const wanted = wish();
    const { stop } = persist(wanted);
    const counts = [];
    for (const milliseconds of [0, 2_000, 4_000, 8_000, 15_000, 15_000]) {
      await vi.advanceTimersByTimeAsync(milliseconds);
      counts.push(wanted.ask.mock.calls.length);
    }
    expect(counts).toEqual([1, 2, 3, 4, 5, 6]);
    wanted.ask.mockResolvedValue("the answer");
    await vi.advanceTimersByTimeAsync(100_000);
    expect(wanted.answered).toHaveBeenCalledExactlyOnceWith("the answer");
    expect(wanted.ask).toHaveBeenCalledTimes(7);
    stop();
  });

  it("waits as long as it is told to", async () => {
    const wanted = wish(BUSY);
    const { stop } = persist(wanted);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(wanted.ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(wanted.ask).toHaveBeenCalledTimes(2);
    stop();
  });

  it("asks nothing without a network, and at once when it is back", async () => {
    const wanted = wish();
    const { stop } = persist(wanted);
    await vi.advanceTimersByTimeAsync(0);
    setOnline(false);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(wanted.ask).toHaveBeenCalledTimes(1);
    setOnline(true);
    expect(wanted.ask).toHaveBeenCalledTimes(2);
    stop();
  });

  it("asks at once on wish, but never twice at a time", async () => {
    const wanted = wish();
    const { hurry, stop } = persist(wanted);
    hurry();
    expect(wanted.ask).toHaveBeenCalledTimes(1);
    await vi.advanceTimersByTimeAsync(0);
    hurry();
    hurry();
    expect(wanted.ask).toHaveBeenCalledTimes(2);
    stop();
  });

  it("gives up where no other try is worth it, or when it is stopped", async () => {
    const hopeless = { ...wish(), failed: () => false };
    persist(hopeless);
    const unwanted = wish();
    persist(unwanted).stop();
    await vi.advanceTimersByTimeAsync(100_000);
    setOnline(true);
    expect(hopeless.ask).toHaveBeenCalledTimes(1);
    expect(unwanted.ask).toHaveBeenCalledTimes(1);
    expect(unwanted.failed).not.toHaveBeenCalled();
  });
});
