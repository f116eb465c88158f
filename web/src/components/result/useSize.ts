/** How large an element is at the moment. */
import { useEffect, useState, type RefObject } from "react";

export interface Size {
  readonly width: number; // pixels
  readonly height: number;
}

/** `before` until it was measured. */
export function useSize(of: RefObject<HTMLElement | null>, before: Size = { width: 640, height: 200 }): Size {
  const [size, setSize] = useState(before);
  useEffect(() => {
    const element = of.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry && entry.contentRect.width > 0) setSize(entry.contentRect);
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [of]);
  return size;
}
