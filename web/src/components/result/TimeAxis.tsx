/** Minutes and seconds under the tracks, the last of which is the song's length. */
import { timeTicks } from "../../lib/axis";
import { letterScale } from "../../lib/letters";
import { clock } from "../../lib/words";

/** So that marks never touch, the last of which stands inside of the edge: hours are longer words than minutes. */
function pixelsPerMark(durationSeconds: number): number {
  if (durationSeconds < 600) return 56;
  return durationSeconds < 3_600 ? 66 : 88;
}

interface Props {
  readonly durationSeconds: number;
  readonly widthPixels: number;
}

export function TimeAxis({ durationSeconds, widthPixels }: Props) {
  const apart = pixelsPerMark(durationSeconds) * letterScale();
  const ticks = timeTicks(durationSeconds, Math.max(2, Math.floor(widthPixels / apart)));
  const room = (seconds: number) => (1 - seconds / durationSeconds) * widthPixels;
  const isOfItsOwn = (seconds: number) => room(seconds) >= apart && clock(seconds) !== clock(durationSeconds);
  const marks = [0, ...ticks.slice(1).filter(isOfItsOwn), durationSeconds];
  return (
    <div className="tracks-row" aria-hidden="true">
      <div className="tracks-axis">
        {marks.map((seconds, index) => (
          <span
            key={index}
            data-at={index === 0 ? "start" : index === marks.length - 1 ? "end" : "middle"}
            style={{ left: `${(seconds / durationSeconds) * 100}%` }}
          >
            {clock(seconds)}
          </span>
        ))}
      </div>
    </div>
  );
}
