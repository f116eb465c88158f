/** The waveform of a file that is played here; by the keyboard it seeks. Long songs are not drawn, only played. */
import { useMemo, useRef, type KeyboardEvent } from "react";
import type { Segment } from "../../lib/segments";
import { clock } from "../../lib/words";
import type { Playing } from "./usePlayer";
import { useWaveform } from "./useWaveform";
import "./Waveform.css";

/** To draw a file it must be decoded whole. Beyond these a phone has no memory for that. */
const MOST_SECONDS = 15 * 60;
const MOST_BYTES = 100 * 2 ** 20;
const STEP_SECONDS = 5;

interface Props {
  readonly playing: Playing;
  readonly durationSeconds: number;
  readonly segments: readonly Segment[];
  /** What a part should have at least to get its genre's colour. */
  readonly leastConfidence: number;
}

export function Waveform({ playing, durationSeconds, segments, leastConfidence }: Props) {
  const { player, currentSeconds } = playing;
  const isDrawn = durationSeconds <= MOST_SECONDS && player.bytes <= MOST_BYTES;
  const drawnShare = Math.min(1, (playing.durationSeconds || durationSeconds) / durationSeconds);
  const canvas = useRef<HTMLDivElement>(null);
  const bands = useMemo(
    () =>
      segments.map(({ genre, confidence, endSeconds }) => ({
        colour: confidence < leastConfidence ? "--line-strong" : `--genre-${genre}`,
        untilShare: endSeconds / durationSeconds / drawnShare,
      })),
    [segments, leastConfidence, durationSeconds, drawnShare],
  );
  useWaveform(canvas, isDrawn ? player.audio : null, bands);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return; // the browser's own
    const to = target(event.key, currentSeconds, durationSeconds);
    if (to === null && event.key !== " ") return;
    event.preventDefault();
    if (to === null) player.toggle();
    else player.seek(to);
  };
  return (
    <div className="tracks-row">
      <div
        className={isDrawn ? "waveform" : "waveform waveform-flat"}
        role="slider"
        tabIndex={0}
        aria-label="Position in the song"
        aria-valuemin={0}
        aria-valuemax={Math.round(durationSeconds)}
        aria-valuenow={Math.round(currentSeconds)}
        aria-valuetext={`${clock(currentSeconds)} of ${clock(durationSeconds)}`}
        onKeyDown={onKeyDown}
      >
        <div className="waveform-canvas" ref={canvas} style={{ width: `${drawnShare * 100}%` }} />
      </div>
    </div>
  );
}

/** Where a key leads to; null where nowhere. */
function target(key: string, now: number, end: number): number | null {
  if (key === "ArrowRight" || key === "ArrowUp") return now + STEP_SECONDS;
  if (key === "ArrowLeft" || key === "ArrowDown") return now - STEP_SECONDS;
  if (key === "Home") return 0;
  return key === "End" ? end : null;
}
