/** The line that runs through all tracks with what is played, and the one under the pointer. They move nothing. */
import { useEffect, useRef } from "react";
import type { Player } from "./player";

interface Props {
  readonly player: Player;
  readonly durationSeconds: number;
}

export function Playhead({ player, durationSeconds }: Props) {
  const line = useRef<HTMLDivElement>(null);
  useEffect(() => {
    let frame = 0;
    const follow = () => {
      cancelAnimationFrame(frame);
      const share = Math.min(1, player.audio.currentTime / durationSeconds);
      if (line.current) line.current.style.left = `${share * 100}%`;
      if (player.state().isPlaying) frame = requestAnimationFrame(follow); // finer than its events
    };
    follow();
    const leave = player.subscribe(follow);
    return () => {
      leave();
      cancelAnimationFrame(frame);
    };
  }, [player, durationSeconds]);
  return <div className="tracks-playhead" ref={line} data-testid="playhead" />;
}

/** share: of the width, where it stands. words: what is there. */
export function PointerLine({ share, words }: { readonly share: number; readonly words: string }) {
  return (
    <div className="tracks-hover" style={{ left: `${share * 100}%` }}>
      <span data-side={share > 0.5 ? "left" : "right"}>{words}</span>
    </div>
  );
}
