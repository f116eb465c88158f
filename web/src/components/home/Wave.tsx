/** Bars as of a song's loudness, coloured as its genres would be over time. A drawing: it shows no one's music. */
const BARS = 72;
const STEP = 10;
const HEIGHT = 120;

/** Which genre colours the bars up to here. */
const PARTS: readonly (readonly [until: number, genre: string])[] = [
  [13, "jazz"],
  [27, "disco"],
  [36, "hiphop"],
  [52, "classical"],
  [61, "reggae"],
  [BARS, "rock"],
];

export function Wave() {
  return (
    <svg
      className="wave"
      viewBox={`0 0 ${BARS * STEP} ${HEIGHT}`}
      preserveAspectRatio="xMidYMid slice"
      aria-hidden="true"
    >
      {Array.from({ length: BARS }, (_, index) => {
        const height = HEIGHT * loudness(index);
        return (
          <rect
            key={index}
            data-genre={PARTS.find(([until]) => index < until)?.[1]}
            x={index * STEP + 2.5}
            y={(HEIGHT - height) / 2}
            width={STEP - 5}
            height={height}
            rx={(STEP - 5) / 2}
            style={{ animationDelay: `${index * 9}ms` }}
          />
        );
      })}
    </svg>
  );
}

/** 0.08 to 0.92, as wide pages cut a little off: three waves that seldom agree, swelling and fading over the song. */
function loudness(index: number): number {
  const at = index / (BARS - 1);
  const swell = 0.35 + 0.65 * Math.sin(Math.PI * at) ** 0.7;
  const beat =
    0.5 + 0.28 * Math.sin(index * 1.9) + 0.14 * Math.sin(index * 0.7 + 1) + 0.08 * Math.sin(index * 5.3);
  return Math.max(0.08, Math.min(0.92, swell * beat * 1.05));
}
