/** The name of the service with the bars of its icon, as a way home. */
import { PageLink } from "./PageLink";

const BARS: readonly (readonly [x: number, height: number])[] = [
  [1, 8],
  [6.5, 20],
  [12, 13],
  [17.5, 6],
];

export function Wordmark() {
  return (
    <PageLink to="/" className="wordmark">
      <svg viewBox="0 0 22 22" aria-hidden="true">
        {BARS.map(([x, height]) => (
          <rect key={x} x={x} y={11 - height / 2} width="3.2" height={height} rx="1.6" />
        ))}
      </svg>
      GenreWiz
    </PageLink>
  );
}
