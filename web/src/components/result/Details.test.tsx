import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { aJob, succeeded } from "../../test/job";
import { Details } from "./Details";

const SOURCE = {
  ...aJob().source,
  bytes: 721_023,
  duration_seconds: 212.4,
  sample_rate: 44_100,
  channels: 2,
  codec: "mp3",
};

it("says what the song was found to be", () => {
  render(<Details job={succeeded({ source: SOURCE })} />);

  expect(screen.getByText("mp3, 44.1 kHz, stereo")).toBeVisible();
  expect(screen.getByText("704 kB")).toBeVisible();
});

it("calls uncompressed sound by its name, whatever its bytes look like", () => {
  render(<Details job={succeeded({ source: { ...SOURCE, codec: "pcm_s16le" } })} />);

  expect(screen.getByText("PCM, 44.1 kHz, stereo")).toBeVisible();
});

it("says so where the file broke off, and where the answer is an older one", () => {
  render(<Details job={succeeded({ source: { ...SOURCE, truncated: true }, cached: true })} />);

  expect(screen.getByText("The file broke off: this is about what there was of it.")).toBeVisible();
  expect(screen.getByText(/^The same song had been answered before/)).toBeVisible();
});

it("leaves out what nobody knows yet", () => {
  render(<Details job={aJob({ source: { ...aJob().source, bytes: null } })} />);

  expect(screen.queryByText("Format")).toBeNull();
  expect(screen.queryByRole("region", { name: "Details" })).toBeNull();
});
