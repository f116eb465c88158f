import { describe, expect, it } from "vitest";
import { byteCount } from "./bytes";

describe("byteCount", () => {
  it.each([
    [0, "0 bytes"],
    [812, "812 bytes"],
    [1_024, "1 kB"],
    [721_023, "704 kB"],
    [4_400_000, "4.2 MB"],
    [30 * 2 ** 20, "30 MB"],
    [200 * 2 ** 20, "200 MB"],
    [3 * 2 ** 30, "3 GB"],
  ])("says %d bytes as %s", (bytes, words) => {
    expect(byteCount(bytes)).toBe(words);
  });

  it("never makes of what is just too large the limit itself, rounded up as it is then", () => {
    const limit = 200 * 2 ** 20;
    expect(byteCount(limit, Math.floor)).toBe("200 MB");
    expect(byteCount(limit + 1, Math.ceil)).toBe("201 MB");
  });
});
