import { describe, expect, it } from "vitest";
import { FOLDER, NEITHER, takenFrom, typedAddress, webAddress } from "./taken";

interface Dropped {
  readonly files?: readonly File[];
  readonly folders?: number;
  readonly text?: Readonly<Record<string, string>>;
}

function dropped({ files = [], folders = 0, text = {} }: Dropped): DataTransfer {
  const item = (file: File | null, isDirectory: boolean) => ({
    kind: "file",
    getAsFile: () => file,
    webkitGetAsEntry: () => ({ isDirectory }),
  });
  const items = [
    ...files.map((file) => item(file, false)),
    ...Array.from({ length: folders }, () => item(new File([], "folder"), true)),
    ...Object.keys(text).map(() => ({ kind: "string" })),
  ];
  return { items, getData: (type: string) => text[type] ?? "" } as unknown as DataTransfer;
}

const SONG = new File(["x"], "song.mp3");

describe("what was dropped", () => {
  it("is its songs, in order", () => {
    const other = new File(["y"], "other.wav");
    expect(takenFrom(dropped({ files: [SONG, other] }))).toEqual({
      files: [SONG, other],
      url: null,
      remark: null,
    });
  });

  it("is never a folder, which is said", () => {
    expect(takenFrom(dropped({ folders: 1 }))).toEqual({ files: [], url: null, remark: FOLDER });
    expect(takenFrom(dropped({ files: [SONG], folders: 1 }))).toEqual({
      files: [SONG],
      url: null,
      remark: FOLDER,
    });
  });

  it("is a link, by its address or as text", () => {
    const list = dropped({
      text: { "text/uri-list": "# a comment\r\nhttps://a.example/1.mp3\r\nhttps://b.example/" },
    });
    expect(takenFrom(list).url).toBe("https://a.example/1.mp3");
    expect(takenFrom(dropped({ text: { "text/plain": " http://a.example/2.mp3\n" } })).url).toBe(
      "http://a.example/2.mp3",
    );
  });

  it("is nothing of ours where it is other text, which is said", () => {
    expect(takenFrom(dropped({ text: { "text/plain": "la la la" } }))).toEqual({
      files: [],
      url: null,
      remark: NEITHER,
    });
    expect(takenFrom(dropped({})).remark).toBe(NEITHER);
  });
});

describe("a typed address", () => {
  it.each([
    ["a.example", "https://a.example/"],
    [" a.example/s.mp3 ", "https://a.example/s.mp3"],
    ["http://a.example/s.mp3", "http://a.example/s.mp3"],
  ])("is an https one where nothing else is said: %s", (text, url) => {
    expect(typedAddress(text)).toBe(url);
  });

  it.each(["song", "ftp://a.example/s", "javascript:alert(1)", "mailto:a@b.example", "la la.la", "/s.mp3"])(
    "is none: %s",
    (text) => {
      expect(typedAddress(text)).toBeNull();
    },
  );
});

describe("a web address", () => {
  it.each(["https://a.example/s.mp3", "http://a.example:8080/s?x=1", "  https://a.example/ä.mp3 "])(
    "is one: %s",
    (text) => {
      expect(webAddress(text)).toBe(new URL(text.trim()).href);
    },
  );

  it.each([
    "",
    "a.example/s.mp3",
    "ftp://a.example/s",
    "file:///s.mp3",
    "javascript:alert(1)",
    "https://",
    "https:///",
  ])("is none: %s", (text) => {
    expect(webAddress(text)).toBeNull();
  });

  it("is none with spaces in it", () => {
    expect(webAddress("https://a.example/one two.mp3")).toBeNull();
  });
});
