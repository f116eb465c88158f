import { render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { WindowTable } from "./WindowTable";

const WINDOWS = [
  { start_seconds: 0, end_seconds: 29.7, genre: "disco", probabilities: [0.7, 0.1, 0.15, 0.05] },
  { start_seconds: 14.86, end_seconds: 44.5, genre: "jazz", probabilities: [0.2, 0.5, 0.2, 0.1] },
];
const GENRES = ["disco", "jazz", "rock", "pop"];

describe("WindowTable", () => {
  it("is shown and hidden by its button, which says which", async () => {
    render(<WindowTable windows={WINDOWS} genres={GENRES} />);
    expect(screen.queryByRole("table")).toBeNull();
    const button = screen.getByRole("button", { name: "Show as table", expanded: false });

    await userEvent.click(button);

    expect(screen.getByRole("table", { name: "Window by window" })).toBeVisible();
    await userEvent.click(screen.getByRole("button", { name: "Hide table", expanded: true }));
    expect(screen.queryByRole("table")).toBeNull();
  });

  it("has the first three genres of each window, likeliest first, and its time to the nearest second", async () => {
    render(<WindowTable windows={WINDOWS} genres={GENRES} />);
    await userEvent.click(screen.getByRole("button"));

    const [, first, second] = screen.getAllByRole("row");
    const cells = within(first ?? document.body).getAllByRole("cell");
    expect(cells.map((cell) => cell.textContent)).toEqual([
      "0:00",
      "0:30",
      "Disco 70 %",
      "Rock 15 %",
      "Jazz 10 %",
    ]);
    expect(within(second ?? document.body).getAllByRole("cell")[0]).toHaveTextContent("0:15");
  });

  it("has the likeliest alone where the model's genres are not known", async () => {
    render(<WindowTable windows={WINDOWS} genres={[]} />);
    await userEvent.click(screen.getByRole("button"));

    expect(screen.getByRole("cell", { name: "Jazz 50 %" })).toBeVisible();
    expect(screen.queryByText(/Rock/)).toBeNull();
  });
});
