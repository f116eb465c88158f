import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { aJob, running, succeeded } from "../../test/job";
import type { Job } from "../../types";
import { Standing } from "./Standing";

describe("Standing", () => {
  it("says the place in the queue, and about how long it takes", () => {
    const progress = { stage: null, fraction: 0, queue_position: 3, eta_seconds: 21 };
    render(<Standing job={aJob({ progress })} isHeard={false} onCancel={() => undefined} />);

    expect(screen.getByRole("status")).toHaveTextContent("Waiting, 3 songs before this one");
    expect(screen.getByText("about 20 s")).toBeVisible();
    expect(screen.getByRole("progressbar", { name: "Progress" })).not.toHaveAttribute("value");
  });

  it("reads out tens of per cent, while the words that are seen agree with the bar", () => {
    render(<Standing job={running(0.438)} isHeard={false} onCancel={() => undefined} />);

    expect(screen.getByRole("status")).toHaveTextContent("Listening, 40 %");
    expect(screen.getByText("Listening, 44 %")).toBeVisible();
    expect(screen.getByRole("progressbar")).toHaveAttribute("value", "0.438");
  });

  it("claims no share of a song whose length nobody knows, though windows arrive", () => {
    const job = running(0);
    render(
      <Standing
        job={{ ...job, progress: { ...job.progress, stage: "decode" } }}
        isHeard
        onCancel={() => undefined}
      />,
    );

    expect(screen.getByRole("status")).toHaveTextContent(/^Listening$/);
    expect(screen.getByRole("progressbar")).not.toHaveAttribute("value");
  });

  it("says that it listens from the first moment on, though the first tenth is not over", () => {
    const job = running(0.04);
    render(
      <Standing
        job={{ ...job, progress: { ...job.progress, stage: "decode" } }}
        isHeard={false}
        onCancel={() => undefined}
      />,
    );

    expect(screen.getByRole("status")).toHaveTextContent("Listening, 4 %");
  });

  it("can be cancelled while it goes on", async () => {
    const cancel = vi.fn();
    render(<Standing job={running(0.4)} isHeard={false} onCancel={cancel} />);

    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));

    expect(cancel).toHaveBeenCalledOnce();
  });

  it("says that it is being stopped, and cannot be cancelled twice", () => {
    render(<Standing job={running(0.4)} isHeard={false} onCancel={null} />);

    expect(screen.getByRole("status")).toHaveTextContent("Stopping");
    expect(screen.getByRole("button", { name: "Cancel" })).toHaveAttribute("aria-disabled", "true");
  });

  it("leaves the focus where one reads on, though the button goes", async () => {
    const page = (job: Job) => (
      <main>
        <h1 tabIndex={-1}>song.mp3</h1>
        <Standing job={job} isHeard={false} onCancel={null} />
      </main>
    );
    const { rerender } = render(page(running(0.4)));
    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.getByRole("button", { name: "Cancel" })).toHaveFocus();

    rerender(page(aJob({ status: "cancelled" })));

    expect(screen.getByRole("heading", { level: 1 })).toHaveFocus();
  });

  it("says at the end how long it took without the queue, and how long the song is", () => {
    const timings = { queue: 60, total: 60.7 } as Job["timings_seconds"];
    const source = { ...aJob().source, duration_seconds: 110.6, codec: "mp3" };
    render(<Standing job={succeeded({ timings_seconds: timings, source })} isHeard onCancel={null} />);

    expect(screen.getByText("Heard in 0.70 s · 1:50")).toBeVisible();
    expect(screen.getByRole("status")).toHaveTextContent("Done");
  });

  it("is quiet at the end", () => {
    render(<Standing job={succeeded()} isHeard={false} onCancel={null} />);

    expect(screen.getByRole("status")).toHaveTextContent("Done: Disco");
    expect(screen.queryByRole("progressbar")).toBeNull();
    expect(screen.queryByRole("button")).toBeNull();
  });
});
