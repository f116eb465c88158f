import { fireEvent, render, screen } from "@testing-library/react";
import { useRef } from "react";
import { describe, expect, it, vi } from "vitest";
import { useScrub } from "./useScrub";

/** 100 pixels for 200 seconds, and a button within. */
interface Props {
  readonly seek: ((seconds: number) => void) | null;
  readonly press?: () => void;
}

function Strip({ seek, press }: Props) {
  const plot = useRef<HTMLDivElement>(null);
  const { handlers, hover } = useScrub(plot, 200, seek);
  return (
    <div data-testid="strip" {...handlers}>
      <div
        ref={(element) => {
          plot.current = element;
          if (element) element.getBoundingClientRect = () => new DOMRect(0, 0, 100, 10);
        }}
      />
      <button onClick={press}>part</button>
      <output>{hover}</output>
    </div>
  );
}

const held = (clientX: number) => ({ clientX, buttons: 1, button: 0, pointerType: "mouse" });

describe("useScrub", () => {
  it("goes where it is pressed, and along with a drag", () => {
    const seek = vi.fn();
    render(<Strip seek={seek} />);
    const strip = screen.getByTestId("strip");

    fireEvent.pointerDown(strip, held(10));
    fireEvent.pointerMove(strip, held(50));
    fireEvent.pointerUp(strip, held(50));
    fireEvent.pointerMove(strip, { ...held(80), buttons: 0 });

    expect(seek.mock.calls).toEqual([[20], [100]]);
  });

  it("leaves a click on a button to the button", () => {
    const [seek, press] = [vi.fn(), vi.fn()];
    render(<Strip seek={seek} press={press} />);
    const button = screen.getByRole("button");

    fireEvent.pointerDown(button, held(10));
    fireEvent.pointerUp(button, held(11));
    fireEvent.click(button, { detail: 1 });

    expect(press).toHaveBeenCalledOnce();
    expect(seek).not.toHaveBeenCalled();
  });

  it("takes no drag over a button for a click", () => {
    const [seek, press] = [vi.fn(), vi.fn()];
    render(<Strip seek={seek} press={press} />);
    const button = screen.getByRole("button");

    fireEvent.pointerDown(button, held(10));
    fireEvent.pointerMove(button, held(40));
    fireEvent.pointerUp(button, held(40));
    fireEvent.click(button, { detail: 1 });

    expect(seek.mock.calls).toEqual([[80]]);
    expect(press).not.toHaveBeenCalled();
  });

  it.each([vi.fn(), null])("tells which second the mouse is at, whether or not there is a player", (seek) => {
    render(<Strip seek={seek} />);

    fireEvent.pointerMove(screen.getByTestId("strip"), { ...held(25), buttons: 0 });

    expect(screen.getByRole("status")).toHaveTextContent("50");
  });
});
