/** A page that has nothing to show: a flat line, why, and where to go on. It asks for nothing. */
import type { ReactNode } from "react";
import "./Blank.css";

interface Props {
  readonly title: string;
  /** What it would have been about. */
  readonly above?: string | null;
  readonly children: ReactNode;
}

export function Blank({ title, above = null, children }: Props) {
  return (
    <div className="blank">
      <svg viewBox="2.5 0 235 60" aria-hidden="true">
        {Array.from({ length: 24 }, (_, index) => (
          <rect key={index} x={index * 10 + 2.5} y="27.5" width="5" height="5" rx="2.5" />
        ))}
      </svg>
      {above !== null && (
        <p className="blank-above" dir="auto">
          {above}
        </p>
      )}
      <h1 tabIndex={-1}>{title}</h1>
      {children}
    </div>
  );
}
