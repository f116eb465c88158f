import { expect, it, vi } from "vitest";
import { download } from "./download";

it("hands over a file of that name, type and text, and leaves no blob behind", async () => {
  vi.useFakeTimers();
  const blobs: Blob[] = [];
  vi.spyOn(URL, "createObjectURL").mockImplementation((blob) => `blob:${blobs.push(blob as Blob)}`);
  const revoke = vi.spyOn(URL, "revokeObjectURL");
  const clicked: [string, string][] = [];
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
    clicked.push([this.download, this.href]);
  });

  download("songs.csv", "text/csv", "a,b");

  expect(clicked).toEqual([["songs.csv", "blob:1"]]);
  expect(blobs[0]?.type).toBe("text/csv");
  expect(await blobs[0]?.text()).toBe("a,b");
  vi.runAllTimers();
  expect(revoke).toHaveBeenCalledWith("blob:1");
  expect(document.querySelector("a")).toBeNull();
});
