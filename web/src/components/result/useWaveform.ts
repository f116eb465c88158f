/** Draws what an audio element plays, with wavesurfer, which is loaded when it is needed. It controls nothing. */
import { useEffect, useRef, type RefObject } from "react";

const LOOK = { barWidth: 2, barGap: 1, barRadius: 2, cursorWidth: 0, normalize: true } as const;

/** Names of colours in the styles, each up to a share of the width. */
export type Bands = readonly { readonly colour: string; readonly untilShare: number }[];

/** audio: of a file that it can play; null draws nothing. What no band reaches is grey. */
export function useWaveform(
  into: RefObject<HTMLElement | null>,
  audio: HTMLAudioElement | null,
  bands: Bands,
): void {
  const latest = useRef(bands);
  const recolour = useRef<(() => void) | null>(null);
  useEffect(() => {
    latest.current = bands;
    recolour.current?.();
  }, [bands]);
  useEffect(() => {
    const container = into.current;
    if (!container || !audio) return undefined;
    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    let isHere = true;
    let leave: (() => void) | null = null;
    const draw = async () => {
      const { default: WaveSurfer } = await import("wavesurfer.js");
      if (!isHere) return;
      const drawn = WaveSurfer.create({
        ...LOOK,
        ...colours(container, latest.current),
        container,
        media: audio,
        height: "auto",
        interact: false,
        dragToSeek: false,
        hideScrollbar: true,
        cspNonce: nonce(),
      });
      const repaint = () => drawn.setOptions(colours(container, latest.current));
      const resized = new ResizeObserver(repaint);
      resized.observe(container);
      dark.addEventListener("change", repaint);
      recolour.current = repaint;
      leave = () => {
        recolour.current = null;
        resized.disconnect();
        dark.removeEventListener("change", repaint);
        drawn.destroy();
      };
    };
    void draw().catch(() => undefined); // without the picture the song plays all the same
    return () => {
      isHere = false;
      leave?.();
    };
  }, [into, audio]);
}

function colours(of: Element, bands: Bands) {
  const style = getComputedStyle(of);
  const named = (name: string) => style.getPropertyValue(name).trim();
  const grey = named("--line-strong");
  return {
    waveColor: painted(
      of.clientWidth,
      bands.map((band) => ({ ...band, colour: named(band.colour) || named("--accent") })),
      grey,
    ),
    progressColor: named("--ink"),
  };
}

/** One colour beside the other, sharply, over the drawing's own pixels. */
function painted(width: number, bands: Bands, rest: string): CanvasGradient | string {
  const across = width * Math.max(1, window.devicePixelRatio);
  const gradient = document.createElement("canvas").getContext("2d")?.createLinearGradient(0, 0, across, 0);
  if (!gradient || bands.length === 0) return rest;
  let from = 0;
  for (const { colour, untilShare } of [...bands, { colour: rest, untilShare: 1 }]) {
    const until = Math.min(1, Math.max(from, untilShare));
    gradient.addColorStop(from, colour);
    gradient.addColorStop(until, colour);
    from = until;
  }
  return gradient;
}

function nonce(): string {
  return document.querySelector<HTMLMetaElement>('meta[name="csp-nonce"]')?.nonce ?? "";
}
