import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { Bars } from "./Bars";

const TOP = [
  { genre: "disco", probability: 0.72 },
  { genre: "hiphop", probability: 0.2 },
  { genre: "rock", probability: 0.05 },
  { genre: "pop", probability: 0.02 },
  { genre: "jazz", probability: 0.007 },
  { genre: "blues", probability: 0.003 },
];

it("says the five likeliest genres with their share, in order", () => {
  render(<Bars top={TOP} />);

  const items = screen.getAllByRole("listitem").map((item) => item.textContent.replaceAll(/\s+/g, " "));
  expect(items).toEqual(["Disco 72 %", "Hip-hop 20 %", "Rock 5 %", "Pop 2 %", "Jazz 1 %"]);
});

it("draws each bar as long as its share, and hides it from those who hear the number", () => {
  const { container } = render(<Bars top={TOP} />);

  const bars = [...container.querySelectorAll<HTMLElement>(".bars-fill")];
  expect(bars.map((bar) => Number.parseFloat(bar.style.width).toFixed(1))).toEqual([
    "72.0",
    "20.0",
    "5.0",
    "2.0",
    "0.7",
  ]);
  expect(bars.every((bar) => bar.closest("[aria-hidden='true']"))).toBe(true);
});

it("draws nothing of what is nothing", () => {
  const { container } = render(<Bars top={[{ genre: "pop", probability: 0 }]} />);

  expect(screen.getByRole("listitem")).toHaveTextContent("0 %");
  expect(container.querySelector(".bars-fill")).toBeNull();
});

it("keeps its room free while nothing is known", () => {
  const { container } = render(<Bars top={[]} />);

  expect(screen.queryByRole("list")).toBeNull();
  expect(container.querySelectorAll(".bars-row")).toHaveLength(5);
});
