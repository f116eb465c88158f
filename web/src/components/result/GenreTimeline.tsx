/** Which part of the song is of which genre, and of which perhaps; what was not heard yet is hatched. */
import type { Segment } from "../../lib/segments";
import { letterScale } from "../../lib/letters";
import { clock, genreName, percent } from "../../lib/words";
import "./GenreTimeline.css";

/** Narrower ones are no targets: the slider and the table lead there, too. */
const LEAST_TARGET_PIXELS = 24;
const PIXELS_PER_LETTER = 8;
const PADDING_PIXELS = 18;

interface Props {
  readonly segments: readonly Segment[];
  readonly durationSeconds: number;
  readonly widthPixels: number;
  /** What a part should have at least for its genre to be taken as said. */
  readonly leastConfidence: number;
  /** null where nothing is played. */
  readonly seek: ((seconds: number) => void) | null;
}

export function GenreTimeline({ seek, ...place }: Props) {
  const { durationSeconds } = place;
  return (
    <div className="tracks-row">
      <ol className="timeline" aria-label="Genres over time">
        {placed(place).map((segment) => (
          <li
            key={segment.startSeconds}
            className="timeline-segment"
            data-genre={segment.genre}
            data-unsure={segment.isUnsure || undefined}
            style={{
              left: `${(segment.startSeconds / durationSeconds) * 100}%`,
              width: `${segment.share * 100}%`,
            }}
          >
            <div className="timeline-edge" style={{ opacity: 0.35 + 0.65 * segment.confidence }} />
            {seek ? (
              <button
                type="button"
                aria-label={spoken(segment)}
                tabIndex={segment.pixels < LEAST_TARGET_PIXELS ? -1 : 0}
                onClick={() => seek(segment.startSeconds)}
              >
                {segment.isNamed && segment.label}
              </button>
            ) : (
              <>
                <span className="visually-hidden">{spoken(segment)}</span>
                {segment.isNamed && <span aria-hidden="true">{segment.label}</span>}
              </>
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}

/** The genres whose names find no room in the timeline. It is read out there. */
export function TimelineLegend(place: Omit<Props, "seek">) {
  const unnamed = placed(place).filter(({ isNamed }) => !isNamed);
  const byLabel = new Map(unnamed.map((segment) => [segment.label, segment]));
  if (byLabel.size === 0) return null;
  return (
    <ul className="timeline-legend" aria-hidden="true">
      {[...byLabel].map(([label, { genre, isUnsure }]) => (
        <li key={label} data-genre={genre} data-unsure={isUnsure || undefined}>
          {label}
        </li>
      ))}
    </ul>
  );
}

function placed({ segments, durationSeconds, widthPixels, leastConfidence }: Omit<Props, "seek">) {
  return segments.map((segment) => {
    const share = (segment.endSeconds - segment.startSeconds) / durationSeconds;
    const pixels = share * widthPixels;
    const label = labelOf(segment, leastConfidence);
    const isNamed = (label.length * PIXELS_PER_LETTER + PADDING_PIXELS) * letterScale() <= pixels;
    return { ...segment, share, pixels, label, isNamed, isUnsure: segment.confidence < leastConfidence };
  });
}

/** "Disco"; "Disco?" where it may well be another. */
export function labelOf({ genre, confidence }: Segment, leastConfidence: number): string {
  return `${genreName(genre)}${confidence < leastConfidence ? "?" : ""}`;
}

function spoken({ genre, startSeconds, endSeconds, confidence, isUnsure }: Segment & { isUnsure: boolean }) {
  const what = isUnsure ? `Perhaps ${genreName(genre)}, ${percent(confidence)}` : genreName(genre);
  return `${what}, ${clock(startSeconds)} to ${clock(endSeconds)}`;
}
