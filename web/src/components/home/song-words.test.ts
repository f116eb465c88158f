import { describe, expect, it } from "vitest";
import { ApiError } from "../../problem";
import { aJob, aSong } from "../../test/services";
import { addedWhen, isOnItsWay, shareDone, whereItStands } from "./song-words";

const NOW = Date.UTC(2026, 10, 23, 12);

describe("where a song stands", () => {
  it("is told before it is a job", () => {
    expect(whereItStands(aSong("a"), NOW)).toBe("Waiting for its turn");
    expect(whereItStands(aSong("a", { phase: "sending", sentFraction: 0.439 }), NOW)).toBe("Uploading, 43 %");
    expect(whereItStands(aSong("a", { phase: "refused" }), NOW)).toBe("Not accepted");
  });

  it("counts down to the next try, and says why it waits", () => {
    const busy = aSong("a", {
      retryAt: NOW + 6_400,
      error: new ApiError({ code: "queue_full", detail: "" }),
    });
    expect(whereItStands(busy, NOW)).toBe("Busy: tried again in 7 s");
    expect(whereItStands(busy, NOW + 9_000)).toBe("Busy: tried again in 0 s");
    const away = { ...busy, error: new ApiError({ code: "unreachable", detail: "" }) };
    expect(whereItStands(away, NOW)).toBe("No connection: tried again in 7 s");
  });

  it("names the key that it waits for", () => {
    const error = new ApiError({ code: "unauthorized", detail: "" });
    expect(whereItStands(aSong("a", { phase: "refused", error }), NOW)).toBe("Waiting for an API key");
  });

  it("is the job's standing from then on, until the result is gone", () => {
    expect(whereItStands(aJob("a", "1", { fraction: 0.4 }), NOW)).toBe("Listening, 40 %");
    expect(whereItStands(aJob("a", "1", { status: "succeeded", isGone: true }), NOW)).toBe(
      "The result is gone",
    );
    expect(whereItStands({ ...aJob("a", "1"), isMissing: true }, NOW)).toMatch(/^Not found\./);
  });

  it("names no place among so many that places are known too late", () => {
    const song = aJob("a", "1", { status: "queued", queuePosition: 4 });
    expect(whereItStands(song, NOW)).toBe("Waiting, 4 songs before this one");
    expect(whereItStands(song, NOW, true)).toBe("Waiting");
  });
});

describe("a song", () => {
  it("is on its way until the service has it", () => {
    const phases = (["waiting", "sending", "accepted", "refused"] as const).map((phase) =>
      aSong("a", { phase }),
    );
    expect(phases.map(isOnItsWay)).toEqual([true, true, false, false]);
  });

  it("is done by a share that is known while it is sent or heard alone", () => {
    expect(shareDone(aSong("a", { phase: "sending", sentFraction: 0.5 }))).toBe(0.5);
    expect(shareDone(aJob("a", "1", { fraction: 0.4 }))).toBe(0.4);
    expect(shareDone(aJob("a", "1", { status: "queued", fraction: 0 }))).toBeNull();
    expect(shareDone(aSong("a"))).toBeNull();
  });

  it("was added at a time of today, or on a day before", () => {
    const noon = new Date(2026, 10, 23, 12, 5).getTime();
    expect(addedWhen(noon, noon + 3_600_000)).toBe("12:05");
    expect(addedWhen(noon, noon + 86_400_000)).toBe("23 Nov");
  });
});
