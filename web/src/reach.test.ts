import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Http } from "./http";
import { ApiError, refusal, unreachable } from "./problem";
import { withReach } from "./reach";

const ask = vi.fn<(path: string) => Promise<unknown>>();
const [http, reach] = withReach({ ask, send: ask } as unknown as Http, "/livez");

/** One request, and how it ends. */
async function asked(end: "answered" | Error): Promise<void> {
  ask.mockImplementation(() => (end instanceof Error ? Promise.reject(end) : Promise.resolve(null)));
  await http.ask("/jobs/1", () => Promise.resolve()).catch(() => undefined);
}

beforeEach(() => vi.useFakeTimers());
afterEach(async () => {
  await asked("answered");
  vi.useRealTimers();
});

describe("the server", () => {
  it("is out of reach after a request without an answer, until one is answered", async () => {
    const listener = vi.fn();
    const end = reach.subscribe(listener);
    await asked(unreachable());
    expect(reach.isReachable()).toBe(false);
    await asked(unreachable());
    expect(listener).toHaveBeenCalledOnce();
    await asked("answered");
    expect(reach.isReachable()).toBe(true);
    expect(listener).toHaveBeenCalledTimes(2);
    end();
  });

  it("is within reach where it refuses", async () => {
    await asked(unreachable());
    await asked(refusal(503, () => null, '{"code":"store_unavailable"}'));
    expect(reach.isReachable()).toBe(true);
  });

  it.each([
    ["was stopped", new DOMException("", "AbortError")],
    ["broke off", new ApiError({ code: "broken_off", detail: "" })],
  ])("is taken for neither by a request that %s", async (_, error) => {
    await asked(error);
    expect(reach.isReachable()).toBe(true);
    await asked(unreachable());
    await asked(error);
    expect(reach.isReachable()).toBe(false);
  });

  it("is asked again by itself while it is out of reach, and no longer", async () => {
    await asked(unreachable());
    ask.mockClear();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(ask.mock.calls[0]?.[0]).toBe("/livez");
    ask.mockResolvedValue(null);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(reach.isReachable()).toBe(true);
    await vi.advanceTimersByTimeAsync(20_000);
    expect(ask).toHaveBeenCalledTimes(2);
  });
});
