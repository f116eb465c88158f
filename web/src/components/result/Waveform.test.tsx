import { fireEvent, render, screen } from "@testing-library/react";
import { describe, expect, it, vi } from "vitest";
import { createPlayer } from "./player";
import type { Playing } from "./usePlayer";
import { useWaveform } from "./useWaveform";
import { Waveform } from "./Waveform";

vi.mock("./useWaveform");

function playing(seek: (seconds: number) => void, toggle = () => undefined): Playing {
  const player = { ...createPlayer(new File(["bytes"], "song.mp3")), seek, toggle };
  return { player, status: "ready", isPlaying: false, currentSeconds: 30, durationSeconds: 1_000 };
}

describe("Waveform", () => {
  it.each([
    ["ArrowRight", 35],
    ["ArrowLeft", 25],
    ["Home", 0],
    ["End", 1_000],
  ])("goes by %s to %i seconds", (key, seconds) => {
    const seek = vi.fn();
    render(<Waveform playing={playing(seek)} durationSeconds={1_000} segments={[]} leastConfidence={0} />);

    fireEvent.keyDown(screen.getByRole("slider", { name: "Position in the song" }), { key });

    expect(seek).toHaveBeenCalledExactlyOnceWith(seconds);
  });

  it("leaves to the browser what is the browser's: the way back", () => {
    const seek = vi.fn();
    render(<Waveform playing={playing(seek)} durationSeconds={1_000} segments={[]} leastConfidence={0} />);

    expect(fireEvent.keyDown(screen.getByRole("slider"), { key: "ArrowLeft", altKey: true })).toBe(true);
    expect(seek).not.toHaveBeenCalled();
  });

  it.each([
    [901, 5],
    [100, 100 * 2 ** 20 + 1],
  ])("does not draw what a phone has no memory for: %i s, %i bytes", (durationSeconds, bytes) => {
    const { player, ...state } = playing(vi.fn());
    const long = { ...state, player: { ...player, bytes } };
    render(<Waveform playing={long} durationSeconds={durationSeconds} segments={[]} leastConfidence={0} />);

    expect(vi.mocked(useWaveform).mock.lastCall?.[1]).toBeNull();
  });

  it("plays and pauses by the space bar, and scrolls nothing", () => {
    const toggle = vi.fn();
    render(
      <Waveform
        playing={playing(vi.fn(), toggle)}
        durationSeconds={1_000}
        segments={[]}
        leastConfidence={0}
      />,
    );

    const wentOn = fireEvent.keyDown(screen.getByRole("slider"), { key: " " });

    expect(toggle).toHaveBeenCalledOnce();
    expect(wentOn).toBe(false);
  });

  it("says where the song is", () => {
    render(<Waveform playing={playing(vi.fn())} durationSeconds={1_000} segments={[]} leastConfidence={0} />);

    expect(screen.getByRole("slider")).toHaveAttribute("aria-valuetext", "0:30 of 16:40");
  });

  it("is drawn in the genres' colours, grey where they are not sure", () => {
    const segments = [
      { startSeconds: 0, endSeconds: 250, genre: "metal", confidence: 0.9 },
      { startSeconds: 250, endSeconds: 600, genre: "disco", confidence: 0.4 },
    ];
    render(
      <Waveform
        playing={playing(vi.fn())}
        durationSeconds={1_000}
        segments={segments}
        leastConfidence={0.5}
      />,
    );

    expect(vi.mocked(useWaveform).mock.lastCall?.[2]).toEqual([
      { colour: "--genre-metal", untilShare: 0.25 },
      { colour: "--line-strong", untilShare: 0.6 },
    ]);
  });
});
