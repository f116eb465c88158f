/** The song over time: waveform, genres and spectrogram under one another on one axis, with one playhead. */
import { useMemo, useRef } from "react";
import { segmentAt, segmentsOf } from "../../lib/segments";
import { clock } from "../../lib/words";
import type { Job, ModelCard, TimelineEntry } from "../../types";
import { GenreTimeline, labelOf, TimelineLegend } from "./GenreTimeline";
import { Playhead, PointerLine } from "./Playhead";
import { PlayerBar } from "./PlayerBar";
import { Spectrogram, SpectrogramLegend } from "./Spectrogram";
import { TimeAxis } from "./TimeAxis";
import { useScrub } from "./useScrub";
import type { Playing } from "./usePlayer";
import { useSize } from "./useSize";
import { Waveform } from "./Waveform";
import { WindowTable } from "./WindowTable";
import "./Tracks.css";

interface Props {
  readonly job: Job;
  readonly name: string;
  readonly windows: readonly TimelineEntry[];
  /** Of the axis. */
  readonly durationSeconds: number;
  readonly card: ModelCard | null;
  readonly playing: Playing | null;
}

export function Tracks({ job, name, windows, durationSeconds, card, playing }: Props) {
  const isWhole = job.status === "succeeded";
  const segments = useMemo(
    () => segmentsOf(windows, durationSeconds, { isWhole }),
    [windows, durationSeconds, isWhole],
  );
  const leastConfidence = card?.measured?.recommended?.min_confidence ?? 0;
  const plot = useRef<HTMLDivElement>(null);
  const { width } = useSize(plot);
  const place = { segments, durationSeconds, widthPixels: width, leastConfidence };
  const player = playing?.status === "ready" ? playing.player : null;
  const scrub = useScrub(plot, durationSeconds, player?.seek ?? null);
  const genreAt = (seconds: number) => {
    const segment = segmentAt(segments, seconds);
    return segment && labelOf(segment, leastConfidence);
  };
  const wordsAt = (seconds: number) => [clock(seconds), genreAt(seconds)].filter(Boolean).join(" ");
  return (
    <section
      className="tracks card"
      data-gutter={job.links.spectrogram === null ? "none" : "frequencies"}
      aria-label="The song over time"
    >
      {playing && (
        <PlayerBar
          playing={playing}
          durationSeconds={durationSeconds}
          genre={genreAt(playing.currentSeconds)}
        />
      )}
      <div className={player ? "tracks-rows tracks-rows-seek" : "tracks-rows"} {...scrub.handlers}>
        {playing?.status === "ready" && (
          <Waveform
            playing={playing}
            durationSeconds={durationSeconds}
            segments={segments}
            leastConfidence={leastConfidence}
          />
        )}
        <GenreTimeline {...place} seek={player?.seek ?? null} />
        <Spectrogram job={job} name={name} durationSeconds={durationSeconds} card={card} />
        <TimeAxis durationSeconds={durationSeconds} widthPixels={width} />
        <div className="tracks-plot" ref={plot}>
          {scrub.hover !== null && (
            <PointerLine share={scrub.hover / durationSeconds} words={wordsAt(scrub.hover)} />
          )}
          {player && <Playhead player={player} durationSeconds={durationSeconds} />}
        </div>
      </div>
      {card && segments.length > 1 && (
        <p className="tracks-note">
          A window is {Math.round(card.window.seconds)}&nbsp;s long and begins every{" "}
          {Math.round(card.window.hop_seconds)}&nbsp;s: a change may show some seconds early or late.
        </p>
      )}
      <TimelineLegend {...place} />
      <div className="tracks-foot">
        {windows.length > 0 && <WindowTable windows={windows} genres={card?.genres ?? []} />}
        {job.status === "succeeded" && job.links.spectrogram !== null && <SpectrogramLegend />}
      </div>
    </section>
  );
}
