import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it } from "vitest";
import { App } from "../../App";
import { aJob, aSong, fakeApi, fakeSongs, renderWith } from "../../test/services";
import { ACCEPT } from "./DropZone";
import { FOLDER } from "./taken";
import { NO_ADDRESS } from "./UrlForm";
import { NO_SAMPLE } from "./useIntake";

const SONG = new File(["x"], "song.mp3", { type: "audio/mpeg" });
const OTHER = new File(["y"], "other.mp3", { type: "audio/mpeg" });

function chooser(): HTMLElement {
  return screen.getByLabelText("Choose songs or drop them here");
}

function link(): HTMLElement {
  return screen.getByRole("textbox", { name: "Link to a song" });
}

/** A drop, a paste or a drag of songs, folders or text. */
function carrying(
  kind: "drop" | "paste" | "dragover",
  { files = [], folders = 0, text = "" }: Carried,
): Event {
  const items = [
    ...files.map((file) => ({ kind: "file", getAsFile: () => file, webkitGetAsEntry: () => null })),
    ...Array.from({ length: folders }, () => ({
      kind: "file",
      webkitGetAsEntry: () => ({ isDirectory: true }),
    })),
  ];
  const getData = (type: string) => (type === "text/plain" ? text : "");
  const event = new Event(kind, { bubbles: true, cancelable: true });
  const data = { items, getData, types: files.length || folders ? ["Files"] : ["text/plain"] };
  return Object.assign(event, { dataTransfer: data, clipboardData: data });
}

interface Carried {
  readonly files?: readonly File[];
  readonly folders?: number;
  readonly text?: string;
}

beforeEach(() => window.history.replaceState(null, "", "/"));

describe("choosing", () => {
  it("sends the songs, the same again as well", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.upload(chooser(), [SONG, OTHER]);
    expect(songs.addFiles).toHaveBeenLastCalledWith([SONG, OTHER]);
    expect(chooser()).toHaveValue("");
  });

  it("has whoever leaves asked while the songs are on their way", async () => {
    renderWith({}, <App />);
    const isAsked = () => !window.dispatchEvent(new Event("beforeunload", { cancelable: true }));
    expect(isAsked()).toBe(false);
    await userEvent.upload(chooser(), SONG);
    expect(isAsked()).toBe(true);
  });

  it("offers every kind of file that is decoded, spelt out", () => {
    renderWith({}, <App />);
    expect(chooser()).toHaveAttribute("accept", ACCEPT);
    expect(chooser()).toHaveAttribute("multiple");
    expect(ACCEPT.split(",")).toEqual(expect.arrayContaining([".mp3", ".m4a", ".wv", "audio/mpeg"]));
    expect(ACCEPT).not.toContain("*");
  });

  it("says how large a song may be, where that is known", () => {
    renderWith({ api: fakeApi({ maxUploadBytes: 200 * 2 ** 20 }) }, <App />);
    expect(chooser()).toHaveAccessibleDescription(/up to 200 MB each/);
  });
});

describe("dropping and pasting", () => {
  it("takes songs anywhere on the page, which says so before", () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    const over = carrying("dragover", { files: [SONG] });
    fireEvent(document.body, over);
    expect(over.defaultPrevented).toBe(true);
    expect(chooser().closest("label")).toHaveAttribute("data-dropping");
    fireEvent(screen.getByRole("heading", { level: 1 }), carrying("drop", { files: [SONG] }));
    expect(songs.addFiles).toHaveBeenLastCalledWith([SONG]);
    expect(chooser().closest("label")).not.toHaveAttribute("data-dropping");
  });

  it("takes a link", () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    fireEvent(document.body, carrying("drop", { text: "https://a.example/s.mp3" }));
    fireEvent(document.body, carrying("paste", { text: "https://b.example/s.mp3" }));
    expect(songs.list().map(({ name }) => name)).toEqual([
      "https://b.example/s.mp3",
      "https://a.example/s.mp3",
    ]);
  });

  it("leaves what is pasted into a text field, and any other text, alone", () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    fireEvent(link(), carrying("paste", { text: "https://a.example/s.mp3" }));
    fireEvent(document.body, carrying("paste", { text: "la la la" }));
    expect(songs.list()).toEqual([]);
    expect(screen.queryByText(/can be dropped/)).toBeNull();
  });

  it("says what cannot be taken", () => {
    renderWith({}, <App />);
    fireEvent(document.body, carrying("drop", { folders: 1 }));
    expect(screen.getByText(FOLDER)).toBeVisible();
  });

  it("leads from other pages to the list", () => {
    const songs = fakeSongs();
    window.history.replaceState(null, "", "/nowhere");
    renderWith({ songs }, <App />);
    fireEvent(document.body, carrying("dragover", { files: [SONG, OTHER] }));
    expect(screen.getByText("Drop it to add it to your songs")).toBeInTheDocument();
    fireEvent(document.body, carrying("drop", { files: [SONG, OTHER] }));
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("What genre is it?");
    expect(screen.getAllByRole("listitem")).toHaveLength(2);
  });
});

describe("a link", () => {
  it("is sent, and the field is empty for the next", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.type(link(), "https://a.example/s.mp3{Enter}");
    expect(songs.addUrl).toHaveBeenCalledWith("https://a.example/s.mp3");
    expect(link()).toHaveValue("");
  });

  it("needs no https:// before it", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.type(link(), " a.example:8443/s.mp3{Enter}");
    expect(songs.addUrl).toHaveBeenCalledWith("https://a.example:8443/s.mp3");
  });

  it("is not sent where it is none: a sentence says so until it is changed", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.type(link(), "ftp://a.example/s.mp3{Enter}");
    expect(songs.addUrl).not.toHaveBeenCalled();
    expect(link()).toHaveAttribute("aria-invalid", "true");
    expect(link()).toHaveAccessibleDescription(NO_ADDRESS);
    await userEvent.type(link(), "{Backspace}");
    expect(link()).not.toHaveAttribute("aria-invalid");
    expect(link()).toHaveAccessibleDescription("");
  });

  it("is asked for where the field is empty", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.click(screen.getByRole("button", { name: "Listen" }));
    expect(songs.addUrl).not.toHaveBeenCalled();
    expect(link()).toHaveAccessibleDescription(NO_ADDRESS);
  });
});

describe("samples", () => {
  it("are sent like any song", async () => {
    const songs = fakeSongs();
    renderWith(
      { songs, api: fakeApi({ sample: (name) => Promise.resolve(new File(["x"], name)) }) },
      <App />,
    );
    await userEvent.click(screen.getByRole("button", { name: "Night drive" }));
    expect(await screen.findByRole("listitem")).toHaveTextContent("nightdrive");
  });

  it("that cannot be fetched are told of", async () => {
    renderWith({ api: fakeApi({ sample: () => Promise.reject(new Error("no")) }) }, <App />);
    await userEvent.click(screen.getByRole("button", { name: "Riff" }));
    expect(await screen.findByText(NO_SAMPLE)).toBeVisible();
  });
});

describe("the way to the result", () => {
  const accepted = { ...aJob("song.mp3", "1"), key: "song.mp3" };

  it("is gone by itself where one song was added alone", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.upload(chooser(), SONG);
    expect(window.location.pathname).toBe("/");
    act(() => songs.become([accepted]));
    expect(window.location.pathname).toBe(`/r/${accepted.jobId ?? ""}`);
  });

  it.each([
    ["several were added", [SONG, OTHER], []],
    ["another is on its way", [SONG], [aSong("before.mp3", { phase: "sending" })]],
  ])("is not gone where %s", async (_, files, before) => {
    const songs = fakeSongs(before);
    renderWith({ songs }, <App />);
    await userEvent.upload(chooser(), files);
    act(() => songs.become([accepted]));
    expect(window.location.pathname).toBe("/");
  });

  it("is not gone by who has begun to type a link, or reads how good it is", async () => {
    const songs = fakeSongs();
    renderWith({ songs }, <App />);
    await userEvent.upload(chooser(), SONG);
    await userEvent.type(link(), "h");
    act(() => songs.become([accepted]));
    expect(window.location.pathname).toBe("/");
    await userEvent.upload(chooser(), OTHER);
    await userEvent.click(screen.getByRole("button", { name: "How good is it?" }));
    act(() => songs.become([{ ...accepted, key: "other.mp3" }]));
    expect(window.location.pathname).toBe("/");
  });
});
