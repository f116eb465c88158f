/** A link to another page of ours, which is not loaded anew. A new tab or window is the browser's affair. */
import type { MouseEvent, ReactNode } from "react";
import { navigate } from "../../router";

export interface PageLinkProps {
  readonly to: string;
  readonly className?: string;
  readonly children: ReactNode;
}

export function PageLink({ to, className, children }: PageLinkProps) {
  function go(event: MouseEvent): void {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    navigate(to);
  }
  return (
    <a href={to} className={className} onClick={go}>
      {children}
    </a>
  );
}
