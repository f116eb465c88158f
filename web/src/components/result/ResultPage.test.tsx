import { act, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import type { Api } from "../../api";
import { advice } from "../../lib/advice";
import { ApiError } from "../../problem";
import type { Songs } from "../../songs/songs";
import { fakeApi, pending, setHidden, setOnline } from "../../test/fakes";
import { aJob, JOB_ID, succeeded } from "../../test/job";
import { aSong, fakeKeys, fakeSongs, renderWith } from "../../test/services";
import type { Job } from "../../types";
import { ResultPage } from "./ResultPage";

const DETAIL = "The bytes are not audio that can be decoded.";
const GONE = new ApiError({ code: "no_spectrogram", status: 404, detail: "" });
const REFUSED = new ApiError({ code: "rate_limited", detail: "Too many.", status: 429, requestId: "req_7" });
const FILE = new File(["bytes"], "song.mp3", { type: "audio/mpeg" });

function songsWith(change: Partial<Songs> = {}): Songs {
  return { ...fakeSongs(), ...change };
}

function show(answer: Job | ApiError, api: Partial<Api> = {}, songs = songsWith()): void {
  const job = () => (answer instanceof ApiError ? Promise.reject(answer) : Promise.resolve(answer));
  renderWith({ api: fakeApi({ job, ...api }), songs }, <ResultPage jobId={JOB_ID} />);
}

function failed(retryable: boolean): Job {
  const error = { type: "/problems/x", title: "", detail: DETAIL, code: "corrupt_audio", retryable };
  return aJob({ status: "failed", attempt: 1, error });
}

const known = { ...aJob().source, duration_seconds: 29.7 };

describe("ResultPage", () => {
  it("shows the answer of a job that is known, and says it in the tab", async () => {
    show(succeeded({ source: known }));

    expect(await screen.findByTestId("genre")).toHaveTextContent("Disco");
    expect(screen.getByRole("heading", { level: 1, name: "song.mp3" })).toBeVisible();
    expect(screen.getByRole("list", { name: "Likeliest genres" })).toBeVisible();
    expect(screen.getByRole("list", { name: "Genres over time" })).toBeVisible();
    await waitFor(() => expect(document.title).toBe("Disco · song.mp3 · GenreWiz"));
  });

  it("offers no player where the file is elsewhere, as on a shared page", async () => {
    show(succeeded({ source: known }));

    await screen.findByTestId("genre");
    expect(screen.queryByRole("group", { name: "Player" })).toBeNull();
    expect(screen.queryByRole("slider")).toBeNull();
  });

  it("plays the file that this page has sent", async () => {
    show(succeeded({ source: known }), {}, songsWith({ fileOf: () => FILE }));

    expect(await screen.findByRole("group", { name: "Player" })).toBeVisible();
  });

  it("shows the picture of the song, with what it is in words", async () => {
    show(succeeded({ source: known }), { spectrogram: () => Promise.resolve(new Blob(["png"])) });

    expect(await screen.findByRole("img", { name: /^Spectrogram of song\.mp3/ })).toBeVisible();
  });

  it("says so where the picture is no longer there", async () => {
    show(succeeded({ source: known }), { spectrogram: () => Promise.reject(GONE) });

    expect(await screen.findByText("There is no picture of this song any more.")).toBeVisible();
  });

  it("goes on asking for a picture that could not be fetched, and says so meanwhile", async () => {
    const spectrogram = vi
      .fn(() => Promise.resolve(new Blob(["png"])))
      .mockRejectedValueOnce(new ApiError({ code: "store_unavailable", status: 503, detail: "" }));
    show(succeeded({ source: known }), { spectrogram });
    expect(await screen.findByText("The spectrogram could not be fetched; trying again.")).toBeVisible();

    act(() => setOnline(true));

    expect(await screen.findByRole("img", { name: /^Spectrogram/ })).toBeVisible();
    expect(screen.queryByText(/could not be fetched/)).toBeNull();
  });

  it("asks for the picture anew with another key", async () => {
    const keys = fakeKeys("gw_old");
    const spectrogram = vi
      .fn(() => Promise.resolve(new Blob(["png"])))
      .mockRejectedValueOnce(new ApiError({ code: "unauthorized", status: 401, detail: "" }));
    const job = () => Promise.resolve(succeeded({ source: known }));
    renderWith(
      { api: fakeApi({ job, spectrogram }), keys, songs: fakeSongs() },
      <ResultPage jobId={JOB_ID} />,
    );
    await screen.findByText("The spectrogram could not be fetched; trying again.");

    act(() => keys.use("gw_new"));

    expect(await screen.findByRole("img", { name: /^Spectrogram/ })).toBeVisible();
  });

  it("says so where nothing more is heard of a song that goes on, and asks again on demand", async () => {
    const job = vi.fn(() => Promise.resolve(aJob()));
    renderWith({ api: fakeApi({ job }), songs: fakeSongs() }, <ResultPage jobId={JOB_ID} />);
    await screen.findByRole("button", { name: "Cancel" });
    job.mockRejectedValueOnce(REFUSED);
    act(() => setOnline(true));
    act(() => setHidden(false)); // looked at anew

    expect(await screen.findByRole("alert")).toHaveTextContent(
      `Too many. ${advice(REFUSED.code)} Request req_7`,
    );
    await userEvent.click(screen.getByRole("button", { name: "Ask again" }));
    await waitFor(() => expect(screen.queryByRole("alert")).toBeNull());
  });

  it("leaves who reads on from its heading at the heading, when the job comes and when it is gone", async () => {
    const first = pending<Job>();
    const job = vi.fn(() => first.promise);
    renderWith(
      { api: fakeApi({ job }), songs: fakeSongs() },
      <main>
        <ResultPage jobId={JOB_ID} />
      </main>,
    );
    const heading = screen.getByRole("heading", { level: 1, name: "Looking for the result" });
    heading.focus();

    first.resolve(aJob());
    expect(await screen.findByRole("heading", { level: 1, name: "song.mp3" })).toHaveFocus();
    expect(heading).toHaveFocus();

    job.mockRejectedValue(new ApiError({ code: "result_gone", status: 410, detail: "" }));
    act(() => setHidden(false));
    await waitFor(() => expect(screen.getByRole("heading", { name: "This result is gone" })).toHaveFocus());
  });

  it("says why it was not cancelled, what to do, and the request's id; the next try begins anew", async () => {
    const cancel = vi.fn(() => Promise.reject<Job>(REFUSED));
    show(aJob(), { cancel });
    const button = await screen.findByRole("button", { name: "Cancel" });

    await userEvent.click(button);

    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent(`${REFUSED.message} ${advice(REFUSED.code)} Request req_7`);
    expect(button).toBeEnabled();
    cancel.mockReturnValue(new Promise(() => undefined));
    await userEvent.click(button);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("says nothing where it had ended before it could be cancelled", async () => {
    const error = new ApiError({ code: "job_finished", status: 409, detail: "" });
    const cancel = vi.fn(() => Promise.reject<Job>(error));
    show(aJob(), { cancel });
    const button = await screen.findByRole("button", { name: "Cancel" });

    await userEvent.click(button);

    await waitFor(() => expect(button).toBeEnabled());
    expect(cancel).toHaveBeenCalledOnce();
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("copies the link and says that it did", async () => {
    const writeText = vi.fn(() => Promise.resolve());
    show(succeeded());
    const button = await screen.findByRole("button", { name: "Copy link" });
    vi.stubGlobal("navigator", { clipboard: { writeText } });

    button.click();

    expect(await screen.findByText("Copied")).toBeVisible();
    expect(writeText).toHaveBeenCalledWith(`http://genre.example/r/${JOB_ID}`);
  });

  it("shows what could not be copied, to be copied by hand", async () => {
    Object.defineProperty(document, "execCommand", { value: () => false, configurable: true });
    show(succeeded());
    const button = await screen.findByRole("button", { name: "Copy as curl" });
    vi.stubGlobal("navigator", {});

    button.click();

    expect(await screen.findByRole("textbox", { name: "Copy it from here" })).toHaveValue("curl");
  });

  it("says of a failed job what happened, what to do, and its id", async () => {
    show(failed(false));

    const alert = await screen.findByRole("alert");
    expect(alert).toHaveTextContent(DETAIL);
    expect(alert).toHaveTextContent("Try another copy of the song");
    expect(alert).toHaveTextContent(`Job ${JOB_ID}`);
    expect(screen.getByRole("link", { name: "Try another song" })).toHaveAttribute("href", "/");
    expect(screen.queryByRole("button", { name: "Try again" })).toBeNull();
  });

  it("takes a song that was cancelled for no failure, and sends it again", async () => {
    const addFiles = vi.fn(() => []);
    const timings = { queue: 1, fetch: null, decode: null, predict: null, total: 3 };
    const job = aJob({ status: "cancelled", timings_seconds: timings as unknown as Job["timings_seconds"] });
    show(job, {}, songsWith({ fileOf: () => FILE, addFiles }));

    expect(await screen.findByText("This was cancelled before there was an answer.")).toBeVisible();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(screen.queryByText(/^Heard in/)).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Send it again" }));

    expect(addFiles).toHaveBeenCalledExactlyOnceWith([FILE]);
  });

  it("sends the whole link again where this page knows it", async () => {
    const addUrl = vi.fn(() => aSong("x.mp3"));
    show(
      aJob({ status: "expired" }),
      {},
      songsWith({ urlOf: () => "https://a.example/x.mp3?signed", addUrl }),
    );

    await userEvent.click(await screen.findByRole("button", { name: "Send it again" }));

    expect(addUrl).toHaveBeenCalledExactlyOnceWith("https://a.example/x.mp3?signed");
  });

  it("sends the same file again where that may help", async () => {
    const addFiles = vi.fn(() => []);
    show(failed(true), {}, songsWith({ fileOf: () => FILE, addFiles }));

    await userEvent.click(await screen.findByRole("button", { name: "Try again" }));

    expect(addFiles).toHaveBeenCalledExactlyOnceWith([FILE]);
  });

  it.each([
    ["result_gone", 410, "This result is gone"],
    ["unknown_job", 404, "There is no such result"],
    ["unauthorized", 401, "This result needs an API key"],
    ["constructor", 500, "This result cannot be shown"],
  ])("has a page for %s", async (code, status, title) => {
    show(new ApiError({ code, status, detail: "" }));

    expect(await screen.findByRole("heading", { level: 1, name: title })).toBeVisible();
  });

  it("lets who was refused give a key", async () => {
    const keys = fakeKeys();
    const ask = vi.spyOn(keys, "ask");
    const api = fakeApi({
      job: () => Promise.reject(new ApiError({ code: "unauthorized", status: 401, detail: "" })),
    });
    renderWith({ api, keys }, <ResultPage jobId={JOB_ID} />);

    await userEvent.click(await screen.findByRole("button", { name: "Give a key" }));

    expect(ask).toHaveBeenCalledOnce();
  });

  it("says of which song a result is gone, where this browser remembers", async () => {
    const songs = fakeSongs([aSong("Night drive.mp3", { phase: "accepted", jobId: JOB_ID })]);
    show(new ApiError({ code: "result_gone", status: 410, detail: "" }), {}, songs);

    await screen.findByRole("heading", { level: 1, name: "This result is gone" });
    expect(screen.getByText("Night drive.mp3")).toBeVisible();
  });

  it("keeps the request's id where the service itself has failed", async () => {
    show(new ApiError({ code: "internal_error", status: 500, detail: DETAIL, requestId: "req-1" }));

    await waitFor(() => expect(screen.getByRole("alert")).toHaveTextContent("Request req-1"));
  });
});
