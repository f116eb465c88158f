import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import type { ModelCard, Result } from "../../types";
import { Verdict } from "./Verdict";
import { meaning } from "./verdict";

const CARD = {
  measured: { recommended: { min_confidence: 0.5, coverage: 0.78, accuracy: 0.7 } },
} as ModelCard;

function answer(change: Partial<Result> = {}): Result {
  return {
    genre: "disco",
    confidence: 0.72,
    abstained_because: null,
    top: [{ genre: "disco", probability: change.confidence ?? 0.72 }],
    timeline: [],
    ...change,
  };
}

describe("Verdict", () => {
  it("says the genre and how sure the model is", () => {
    render(<Verdict result={answer()} soFar={[]} card={null} isQueued={false} />);

    expect(screen.getByTestId("genre")).toHaveTextContent("Disco");
    expect(screen.getByText("72 % sure")).toBeVisible();
  });

  it("names no genre where the model is not sure, and says which is closest", () => {
    render(
      <Verdict result={answer({ genre: null, confidence: 0.41 })} soFar={[]} card={CARD} isQueued={false} />,
    );

    expect(screen.getByTestId("genre")).toHaveTextContent("Not sure");
    expect(screen.getByText("Closest: Disco, 41 %")).toBeVisible();
    expect(screen.getByText(/^Under 50 % the model names no genre/)).toBeVisible();
  });

  it("shows the answer so far as no more than that", () => {
    render(
      <Verdict result={null} soFar={[{ genre: "jazz", probability: 0.6 }]} card={CARD} isQueued={false} />,
    );

    expect(screen.getByTestId("genre")).toHaveTextContent("Jazz");
    expect(screen.getByText("so far")).toBeVisible();
  });

  it("shouts no genre that is not likely enough to be named", () => {
    const { container } = render(
      <Verdict result={null} soFar={[{ genre: "disco", probability: 0.34 }]} card={CARD} isQueued={false} />,
    );

    expect(screen.getByTestId("genre")).toHaveTextContent("Not sure yet");
    expect(screen.getByText("Closest so far: Disco, 34 %")).toBeVisible();
    expect(container.querySelector("[data-genre]")).toBeNull();
  });

  it("claims nothing before the first window", () => {
    render(<Verdict result={null} soFar={[]} card={CARD} isQueued={false} />);

    expect(screen.queryByTestId("genre")).toBeNull();
    expect(screen.getByText("The first answer comes after half a minute of the song.")).toBeVisible();
  });

  it("does not claim to listen to a song that waits", () => {
    render(<Verdict result={null} soFar={[]} card={CARD} isQueued />);

    expect(screen.getByText("It is heard when its turn comes.")).toBeVisible();
    expect(screen.queryByText(/Listening/)).toBeNull();
  });
});

describe("meaning", () => {
  it("says what was measured of answers this sure", () => {
    expect(meaning(answer(), CARD)).toBe(
      "Of its answers that were at least 50\u00a0% sure, 70\u00a0% were right when it was tested.",
    );
  });

  it("calls an answer under the threshold a hint", () => {
    expect(meaning(answer({ confidence: 0.4 }), CARD)).toMatch(/often wrong: take this as a hint/);
  });

  it("does not say that the model's threshold was missed where somebody asked for more", () => {
    expect(meaning(answer({ genre: null, confidence: 0.9 }), CARD)).toMatch(/whoever asked/);
  });

  it("says nothing where nothing was measured", () => {
    expect(meaning(answer(), null)).toBeNull();
  });
});
