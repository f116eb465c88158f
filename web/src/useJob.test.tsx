import { act, renderHook } from "@testing-library/react";
import { StrictMode, type ReactNode } from "react";
import { beforeEach, expect, it, vi } from "vitest";
import type { Api } from "./api";
import { createKeyRing, type KeyRing } from "./keys";
import { ApiError } from "./problem";
import { ServicesContext } from "./services";
import { createSongs, type Songs } from "./songs/songs";
import { FakeEventSource } from "./test/fake-event-source";
import { fakeApi, fakeStore } from "./test/fakes";
import { aJob, JOB_ID, jobId, running, succeeded } from "./test/job";
import { useJob } from "./useJob";

let sources: FakeEventSource[];
let keys: KeyRing;
let songs: Songs;

beforeEach(() => {
  vi.stubGlobal("EventSource", FakeEventSource);
  sources = [];
  keys = createKeyRing(fakeStore());
});

function open(job: Api["job"], id = JOB_ID) {
  const api = fakeApi({
    job,
    events() {
      const source = new FakeEventSource();
      sources.push(source);
      return Promise.resolve(source as unknown as EventSource);
    },
  });
  songs = createSongs(fakeApi({ job: () => new Promise(() => undefined) }), keys, fakeStore());
  const services = { api, keys, songs };
  const wrapper = ({ children }: { readonly children: ReactNode }) => (
    <StrictMode>
      <ServicesContext value={services}>{children}</ServicesContext>
    </StrictMode>
  );
  return renderHook(({ id: shown }) => useJob(shown), { wrapper, initialProps: { id } });
}

function refused(status: number): ApiError {
  return new ApiError({ code: "refused", detail: "", status });
}

it("is nothing at first, then the job", async () => {
  const { result } = open(() => Promise.resolve(succeeded()));
  expect(result.current).toMatchObject({ job: null, windows: [], error: null });
  await act(() => Promise.resolve());
  expect(result.current.job?.status).toBe("succeeded");
});

it("leaves one stream open, though effects run twice, and none when it goes", async () => {
  const { unmount } = open(() => Promise.resolve(running()));
  await vi.waitFor(() => expect(sources.filter((source) => !source.isClosed)).toHaveLength(1));
  unmount();
  expect(sources.every((source) => source.isClosed)).toBe(true);
});

it("shows nothing of the job before when it is asked for another", async () => {
  const { result, rerender } = open((id) => Promise.resolve(running(0, { id })));
  await vi.waitFor(() => expect(result.current.job?.id).toBe(JOB_ID));
  rerender({ id: jobId(2) });
  expect(result.current.job).toBeNull();
  await vi.waitFor(() => expect(result.current.job?.id).toBe(jobId(2)));
  expect(sources.filter((source) => !source.isClosed)).toHaveLength(1);
});

it("tells the songs of what it hears", async () => {
  open(() => Promise.resolve(aJob()));
  await vi.waitFor(() =>
    expect(songs.list()).toMatchObject([{ jobId: JOB_ID, summary: { status: "queued" } }]),
  );
  act(() => sources.at(-1)?.say("finished", succeeded()));
  expect(songs.list()).toMatchObject([{ summary: { status: "succeeded", genre: "disco" } }]);
});

it("tells the songs of what is gone", async () => {
  const { result } = open(() => Promise.reject(refused(410)));
  songs.note(succeeded());
  await vi.waitFor(() => expect(result.current.error?.status).toBe(410));
  expect(songs.list()).toMatchObject([{ summary: { isGone: true } }]);
});

it("does not call gone what another key may have", async () => {
  const { result } = open(() => Promise.reject(refused(404)));
  songs.note(running());
  await vi.waitFor(() => expect(result.current.error?.status).toBe(404));
  expect(songs.list()).toMatchObject([{ summary: { isGone: false } }]);
});

it.each([401, 403, 404])("goes on after %i when there is another key", async (status) => {
  let answer = () => Promise.reject<ReturnType<typeof aJob>>(refused(status));
  const { result } = open(() => answer());
  await vi.waitFor(() => expect(result.current.error?.status).toBe(status));
  answer = () => Promise.resolve(succeeded());
  act(() => keys.use("gw_1_secret"));
  await vi.waitFor(() => expect(result.current.job?.status).toBe("succeeded"));
});
