/** The frame of every page: header, banner, footer, and the dialogs that open from there. */
import { useState, type ReactNode } from "react";
import { Banner } from "./Banner";
import { HowGood } from "./HowGood";
import { inOneLine, testFigures } from "./figures";
import { Keys } from "./Keys";
import { useModel } from "./useModel";
import { Wordmark } from "./Wordmark";
import "./Shell.css";

export function Shell({ children }: { readonly children: ReactNode }) {
  const { card, hasFailed, ask } = useModel();
  const [isAsking, setIsAsking] = useState(false);
  const figures = testFigures(card);
  const open = () => {
    ask();
    setIsAsking(true);
  };
  return (
    <div className="shell">
      <a className="skip-link" href="#content">
        Skip to the content
      </a>
      <header className="shell-header">
        <Wordmark />
        <nav aria-label="About">
          <Keys />
          <a className="header-link" href="/docs">
            API
          </a>
          <button type="button" className="header-link" onClick={open}>
            How good is it?
          </button>
        </nav>
      </header>
      <Banner />
      <main id="content" tabIndex={-1}>
        {children}
      </main>
      <footer className="shell-footer">
        {figures && <p>{inOneLine(figures)}</p>}
        <p>
          Programs can ask as well: <a href="/docs">the API</a>.
        </p>
      </footer>
      {isAsking && <HowGood card={card} hasFailed={hasFailed} onClose={() => setIsAsking(false)} />}
    </div>
  );
}
