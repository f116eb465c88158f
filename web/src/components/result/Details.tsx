/** What the song was found to be, and how it was answered. */
import { byteCount } from "../../lib/bytes";
import type { Job } from "../../types";
import "./Details.css";

const WHEN = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });

export function Details({ job }: { readonly job: Job }) {
  const rows = rowsOf(job);
  const notes = notesOf(job);
  if (rows.length === 0 && notes.length === 0) return null;
  return (
    <section className="details" aria-label="Details">
      {notes.map((note) => (
        <p key={note} className="details-note">
          {note}
        </p>
      ))}
      <dl>
        {rows.map(([term, words]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** How long it is, and how soon it was answered, stands under the name. */
function rowsOf({ source, model, expires_at: expires }: Job) {
  const rows: (readonly [string, string | null])[] = [
    ["Format", formatOf(source)],
    ["Size", source.bytes === null ? null : byteCount(source.bytes)],
    ["Model", model && `${model.name} ${model.version}`],
    ["Kept until", expires === null ? null : WHEN.format(new Date(expires))],
  ];
  return rows.filter((row): row is readonly [string, string] => row[1] !== null);
}

/** "mp3, 44.1 kHz, stereo"; null where nothing is known. */
function formatOf({ codec, sample_rate: rate, channels }: Job["source"]): string | null {
  const parts = [
    codec?.startsWith("pcm_") ? "PCM" : codec,
    rate === null ? null : `${rate / 1_000} kHz`,
    channels === null ? null : (["mono", "stereo"][channels - 1] ?? `${channels} channels`),
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(", ") : null;
}

function notesOf({ source, cached }: Job): readonly string[] {
  return [
    ...(source.truncated ? ["The file broke off: this is about what there was of it."] : []),
    ...(cached ? ["The same song had been answered before: this is that answer."] : []),
  ];
}
