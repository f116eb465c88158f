import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { GenreTimeline, TimelineLegend } from "./GenreTimeline";

const SEGMENTS = [
  { startSeconds: 0, endSeconds: 45, genre: "disco", confidence: 0.7 },
  { startSeconds: 45, endSeconds: 48, genre: "classical", confidence: 0.5 },
  { startSeconds: 48, endSeconds: 90, genre: "rock", confidence: 0.9 },
];
const PLACE = { segments: SEGMENTS, durationSeconds: 90, widthPixels: 640, leastConfidence: 0 };

describe("GenreTimeline", () => {
  it("leads to the beginning of a part where there is a player", async () => {
    const seek = vi.fn();
    render(<GenreTimeline {...PLACE} seek={seek} />);

    await userEvent.click(screen.getByRole("button", { name: "Rock, 0:48 to 1:30" }));

    expect(seek).toHaveBeenCalledExactlyOnceWith(48);
  });

  it("says the same where nothing can be played, without buttons", () => {
    render(<GenreTimeline {...PLACE} seek={null} />);

    expect(screen.queryByRole("button")).toBeNull();
    const items = screen.getAllByRole("listitem");
    expect(items[0]).toHaveTextContent("Disco, 0:00 to 0:45");
    expect(items).toHaveLength(3);
  });

  it("puts a question mark to a part that may well be of another genre, and says so", () => {
    const { container } = render(<GenreTimeline {...PLACE} leastConfidence={0.75} seek={() => undefined} />);

    expect(screen.getByRole("button", { name: "Perhaps Disco, 70 %, 0:00 to 0:45" })).toHaveTextContent(
      "Disco?",
    );
    expect(screen.getByRole("button", { name: "Rock, 0:48 to 1:30" })).toHaveTextContent(/^Rock$/);
    expect(container.querySelectorAll("[data-unsure]")).toHaveLength(2);
  });

  it("gives each part its share of the width", () => {
    render(<GenreTimeline {...PLACE} seek={null} />);

    const styles = screen.getAllByRole("listitem").map(({ style }) => [style.left, style.width]);
    expect(styles[0]).toEqual(["0%", "50%"]);
    expect(styles[2]?.[0]).toBe(`${(48 / 90) * 100}%`);
  });

  it("leaves parts too narrow for a finger out of the tab order", () => {
    render(<GenreTimeline {...PLACE} seek={() => undefined} />);

    expect(screen.getByRole("button", { name: /^Classical/ })).toHaveAttribute("tabindex", "-1");
    expect(screen.getByRole("button", { name: /^Disco/ })).toHaveAttribute("tabindex", "0");
  });

  it("names in a legend what finds no room, so that no colour stands alone", () => {
    const { container } = render(<TimelineLegend {...PLACE} />);

    expect(container.textContent).toBe("Classical");
  });
});
