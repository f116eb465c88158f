/** Songs of ours, for those who have none at hand. */
import { useState } from "react";
import type { SampleName } from "../../api";

const SAMPLES: readonly (readonly [name: SampleName, title: string])[] = [
  ["nightdrive", "Night drive"],
  ["nocturne", "Nocturne"],
  ["riff", "Riff"],
  ["medley", "Medley"],
];

export function Samples({ onSample }: { readonly onSample: (name: SampleName) => Promise<void> }) {
  const [fetched, setFetched] = useState<SampleName | null>(null);

  async function fetchSample(name: SampleName): Promise<void> {
    if (fetched) return;
    setFetched(name);
    await onSample(name);
    setFetched(null);
  }

  return (
    <fieldset className="samples">
      <legend>Or try one of ours</legend>
      <div className="samples-row">
        {SAMPLES.map(([name, title]) => (
          <button
            key={name}
            type="button"
            className="quiet"
            aria-disabled={fetched === name || undefined}
            onClick={() => void fetchSample(name)}
          >
            {title}
          </button>
        ))}
      </div>
    </fieldset>
  );
}
