// @vitest-environment node
/// <reference types="node" />
import { execFile, execFileSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { curlOf, type Asked } from "./curl";

const ASKED: Asked = {
  origin: "https://genre.example",
  source: { kind: "upload", filename: "song.mp3", url: null },
  url: null,
  options: { spectrogram: true, min_confidence: 0.45 },
  hasKey: false,
};

function upload(filename: string | null): Asked {
  return { ...ASKED, source: { kind: "upload", filename, url: null } };
}

/** What a real shell would hand to curl. */
function argumentsOf(command: string, environment: Record<string, string> = {}): readonly string[] {
  const script = `curl() { for word; do printf '%s\\0' "$word"; done; }; ${command}`;
  const output = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8", env: environment });
  return output.split("\0").slice(0, -1);
}

describe("the command for a shell", () => {
  it("is short for a plain name", () => {
    expect(curlOf(ASKED)).toBe(
      `curl -H 'Prefer: wait=30' -F 'job={"options":{"spectrogram":true,"min_confidence":0.45}}' -F file=@song.mp3 https://genre.example/jobs`,
    );
  });

  it("waits for the answer", () => {
    expect(argumentsOf(curlOf(ASKED)).slice(0, 2)).toEqual(["-H", "Prefer: wait=30"]);
  });

  it("names the URL of a song as JSON", () => {
    const url = "https://radio.example/it's.mp3";
    const words = argumentsOf(curlOf({ ...ASKED, source: { kind: "url", filename: null, url }, url }));
    expect(words.slice(2, 5)).toEqual(["-H", "Content-Type: application/json", "-d"]);
    expect(JSON.parse(words[5] ?? "")).toEqual({ url, options: ASKED.options });
    expect(words.slice(6)).toEqual(["https://genre.example/jobs"]);
  });

  it("has the whole link where this page knows it, and says so where it does not", () => {
    const source = { kind: "url", filename: null, url: "https://radio.example/a.mp3" } as const;
    const url = `${source.url}?signature=a'b`;
    const known = curlOf({ ...ASKED, source, url });
    expect(JSON.parse(argumentsOf(known)[5] ?? "")).toMatchObject({ url });
    expect(known).not.toContain("#");
    const unknown = curlOf({ ...ASKED, source });
    expect(JSON.parse(argumentsOf(unknown)[5] ?? "")).toMatchObject({ url: source.url });
    expect(unknown.split("\n")[0]).toMatch(/^# [^'"`]*query[^'"`]*$/); // zsh reads quotes in comments
  });

  it("takes the key from the environment, and has no Authorization without one", () => {
    const words = argumentsOf(curlOf({ ...ASKED, hasKey: true }), { GENREWIZ_KEY: "gw_1_secret" });
    expect(words.slice(2, 4)).toEqual(["-H", "Authorization: Bearer gw_1_secret"]);
    expect(curlOf(ASKED)).not.toContain("Authorization");
  });

  it("names some song where nobody knows its name", () => {
    expect(argumentsOf(curlOf(upload(null)))).toContain("file=@song.mp3");
  });

  const names = [
    "it's.mp3",
    'say "yes".mp3',
    "two words.mp3",
    "-",
    "-x.mp3",
    " a.mp3",
    "a.mp3 ",
    " ",
    "a;type=b.mp3",
    "a,b.mp3",
    "$HOME `id` $(id).mp3",
    "back\\slash.mp3",
    "Ärger & Søn ♫.mp3",
    "!!.mp3",
    "<x>.mp3",
  ];

  it.each(names)("sends the very file %j, by a real shell and a real curl", async (name) => {
    const folder = mkdtempSync("/tmp/genrewiz-curl-");
    writeFileSync(`${folder}/${name}`, `the bytes of ${name}`);
    let body = "";
    const server = createServer((request, response) => {
      request.on("data", (piece: Buffer) => (body += piece.toString()));
      request.on("end", () => response.end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await promisify(execFile)("/bin/sh", ["-c", curlOf({ ...upload(name), origin })], { cwd: folder });
    } finally {
      server.close();
    }
    expect(body).toContain(`\r\n\r\nthe bytes of ${name}\r\n`);
    expect(body).toContain('\r\n\r\n{"options":{"spectrogram":true,"min_confidence":0.45}}\r\n');
  });
});
