import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { advice } from "./advice";

const ROOT = `${import.meta.dirname}/../../..`;
const openapi = readFileSync(`${ROOT}/docs/openapi.json`, "utf8");
const errors = readFileSync(`${ROOT}/shared/errors.py`, "utf8");
const table = readFileSync(`${ROOT}/api/errors.py`, "utf8");
const problem = readFileSync(`${ROOT}/web/src/problem.ts`, "utf8");
const UNKNOWN = advice("a code that nobody knows");

/** The code of each class of shared/errors.py that a client can meet: those with an HTTP status, and the failures of jobs. */
function codesOfTheService(): readonly string[] {
  const classes = [...errors.matchAll(/^class (\w+)\((\w+)\):(.*?)(?=^class |$(?![^]))/gms)];
  return classes.flatMap(([, name = "", parent, body = ""]) => {
    const code = /^ {4}code = "(\w+)"$/m.exec(body)?.[1];
    const isMet = parent === "JobFailure" || new RegExp(`^    ${name}: \\d`, "m").test(table);
    return code && isMet ? [code] : [];
  });
}

/** Codes that the description of the API names its answers by. */
function codesOfTheDescription(): readonly string[] {
  const { components } = JSON.parse(openapi) as { components: { responses: Record<string, unknown> } };
  const names = Object.keys(components.responses);
  return names.flatMap((name) => name.replace(/_of_open_route$/, "").split("_or_"));
}

describe("advice", () => {
  it("has a sentence for everything that the service refuses or that fails a song", () => {
    const codes = codesOfTheService();
    expect(codes.length).toBeGreaterThan(35);
    expect(codes).toEqual(expect.arrayContaining(["queue_full", "audio_silent", "result_gone"]));
    expect(codes.filter((code) => advice(code) === UNKNOWN)).toEqual([]);
  });

  it("has a sentence for every error that the description of the API names", () => {
    const codes = codesOfTheDescription();
    expect(codes).toEqual(expect.arrayContaining(["internal_error", "unauthorized"]));
    expect(codes.filter((code) => advice(code) === UNKNOWN)).toEqual([]);
  });

  it("has a sentence for the page's own", () => {
    const codes = /OwnCode =([^;]*);/.exec(problem)?.[1]?.match(/\w+/g) ?? [];
    expect(codes).toContain("unreachable");
    expect(codes.filter((code) => advice(code) === UNKNOWN)).toEqual([]);
  });

  it("tells which links are fetched", () => {
    expect(advice("url_blocked")).toContain("https link that everybody can open");
  });

  it("tells what can always be done where it does not know the code, whatever it is called", () => {
    expect(advice("constructor")).toBe(UNKNOWN);
    expect(UNKNOWN).toMatch(/^Try again\./);
  });
});
