/** The picture of what the model heard, with its frequencies; the tracks have its time axis. */
import { useRef, useState } from "react";
import { letterScale } from "../../lib/letters";
import { frequencyMarks } from "../../lib/mel";
import { isFinished, type Job, type ModelCard } from "../../types";
import { spannedSeconds } from "./spanned";
import { useSize } from "./useSize";
import { useSpectrogram } from "./useSpectrogram";
import "./Spectrogram.css";

/** Of every model there was; a card says it better. */
const USUAL = { seconds: 29.72, frames: 640, mel_bands: 128, sample_rate: 22_050 };
const GAP_PIXELS = 15;

interface Props {
  readonly job: Job;
  readonly name: string;
  readonly durationSeconds: number;
  readonly card: ModelCard | null;
}

export function Spectrogram({ job, name, durationSeconds, card }: Props) {
  const picture = useSpectrogram(job);
  const [columns, setColumns] = useState(0);
  const box = useRef<HTMLDivElement>(null);
  const { height } = useSize(box);
  if (picture.state === "none") return null;
  const { seconds, frames, mel_bands: bands, sample_rate: sampleRate } = card?.window ?? USUAL;
  const spanned = spannedSeconds({ columns, frameSeconds: seconds / frames, durationSeconds });
  const top = sampleRate / 2_000;
  return (
    <figure className="spectrogram tracks-row">
      <div className="spectrogram-picture" ref={box}>
        {picture.state === "ready" && (
          <img
            src={picture.url}
            alt={`Spectrogram of ${name}: what is loud at which frequency, 0 to ${Math.round(top)} kHz, over its ${Math.round(durationSeconds)} seconds`}
            draggable={false}
            style={{ width: `${(spanned / durationSeconds) * 100}%` }}
            onLoad={(event) => setColumns(event.currentTarget.naturalWidth)}
          />
        )}
        {picture.state === "missing" && <p>There is no picture of this song any more.</p>}
        {picture.state === "delayed" && <p>The spectrogram could not be fetched; trying again.</p>}
        {picture.state === "loading" && (
          <p>{isFinished(job) ? "Loading the spectrogram" : "The spectrogram comes with the answer."}</p>
        )}
      </div>
      <div className="spectrogram-axis" aria-hidden="true">
        {frequencyMarks({ sampleRate, bands }, height, GAP_PIXELS * letterScale()).map(({ hz, fromTop }) => (
          <span key={hz} style={{ top: `${fromTop * 100}%` }}>
            {hz < 1_000 ? hz : `${hz / 1_000}k`}
          </span>
        ))}
        <span className="spectrogram-unit">Hz</span>
      </div>
    </figure>
  );
}

/** What its colours mean. */
export function SpectrogramLegend() {
  return (
    <p className="spectrogram-legend">
      <span>quiet, −80 dB</span>
      <span className="spectrogram-scale" aria-hidden="true" />
      <span>loud, 0 dB</span>
    </p>
  );
}
