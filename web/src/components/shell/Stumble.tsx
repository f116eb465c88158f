/** What is shown where a mistake of ours ends the drawing of the page. It mends nothing. */
import { Component, type ReactNode } from "react";
import { Blank } from "./Blank";

interface Props {
  readonly children: ReactNode;
}

export class Stumble extends Component<Props, { readonly hasStumbled: boolean }> {
  override state = { hasStumbled: false };

  static getDerivedStateFromError() {
    return { hasStumbled: true };
  }

  override render(): ReactNode {
    if (!this.state.hasStumbled) return this.props.children;
    return (
      <main className="shell">
        <Blank title="This page has stumbled">
          <p role="alert">
            That is a mistake of ours. Songs that were sent are not lost: they are listened to all the same.
          </p>
          <p>
            <a href={window.location.pathname}>Load this page anew</a> or <a href="/">go to the start</a>.
          </p>
        </Blank>
      </main>
    );
  }
}
