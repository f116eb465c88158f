/** Pointing, clicking and dragging over what has a time axis. It knows no player. */
import { useRef, useState, type MouseEvent, type PointerEvent, type RefObject } from "react";

const LEAST_DRAG_PIXELS = 4;

/**
 * plot: spans the axis from its left to its right edge. seek: null where there is nothing to move.
 * hover: the seconds that the pointer is at, null while it is elsewhere.
 */
export function useScrub(
  plot: RefObject<HTMLElement | null>,
  durationSeconds: number,
  seek: ((seconds: number) => void) | null,
) {
  const [hover, setHover] = useState<number | null>(null);
  const isHeld = useRef(false);
  const isDragged = useRef(false);
  const from = useRef(0); // pixels
  const secondsAt = (event: PointerEvent) => {
    const box = plot.current?.getBoundingClientRect();
    if (!box || box.width === 0) return null;
    const share = (event.clientX - box.left) / box.width;
    return share < -0.01 || share > 1.01 ? null : Math.min(1, Math.max(0, share)) * durationSeconds;
  };
  const handlers = {
    onPointerDown(event: PointerEvent) {
      const at = secondsAt(event);
      if (!seek && event.pointerType !== "mouse") setHover(at); // a finger that cannot seek may ask
      if (!seek || event.button !== 0 || at === null) return;
      isHeld.current = true;
      isDragged.current = false;
      from.current = event.clientX;
      if (!isOnButton(event)) seek(at); // a button knows where it leads
    },
    onPointerMove(event: PointerEvent) {
      const at = secondsAt(event);
      if (event.pointerType === "mouse") setHover(at);
      if (event.buttons === 0) isHeld.current = false;
      if (
        !seek ||
        !isHeld.current ||
        at === null ||
        Math.abs(event.clientX - from.current) < LEAST_DRAG_PIXELS
      )
        return;
      isDragged.current = true;
      seek(at);
    },
    /** What was dragged over was not clicked. */
    onClickCapture(event: MouseEvent) {
      if (isDragged.current && event.detail > 0) event.stopPropagation();
    },
    onPointerUp: () => void (isHeld.current = false),
    onPointerCancel: () => void (isHeld.current = false),
    onPointerLeave: () => setHover(null),
  };
  return { handlers, hover };
}

function isOnButton(event: PointerEvent): boolean {
  return event.target instanceof Element && event.target.closest("button") !== null;
}
