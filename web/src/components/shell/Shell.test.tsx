import { act, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { App } from "../../App";
import { createListeners } from "../../lib/listeners";
import { navigate } from "../../router";
import { aCard } from "../../test/card";
import { aSong, fakeApi, fakeKeys, fakeSongs, renderWith } from "../../test/services";
import type { ModelCard } from "../../types";
import { OFFLINE, UNREACHABLE } from "./Banner";

function showWith(card: ModelCard | null): void {
  renderWith({ api: fakeApi({ model: () => Promise.resolve(card) }) }, <App />);
}

function goes(kind: "online" | "offline"): void {
  vi.spyOn(window.navigator, "onLine", "get").mockReturnValue(kind === "online");
  act(() => {
    window.dispatchEvent(new Event(kind));
  });
}

beforeEach(() => window.history.replaceState(null, "", "/"));
afterEach(() => vi.restoreAllMocks());

describe("the frame", () => {
  it("leads to the start, to the content and to the API", () => {
    showWith(null);
    expect(screen.getByRole("link", { name: "GenreWiz" })).toHaveAttribute("href", "/");
    expect(screen.getByRole("link", { name: "API" })).toHaveAttribute("href", "/docs");
    const skip = screen.getByRole("link", { name: "Skip to the content" });
    expect(skip).toHaveAttribute("href", `#${screen.getByRole("main").id}`);
  });

  it("says how good the answers are, where the server can tell", async () => {
    showWith(aCard());
    expect(await screen.findByText(/^Right about 66 % of 290 songs/)).toBeVisible();
  });

  it("claims nothing where the server cannot tell", async () => {
    showWith(null);
    await userEvent.click(screen.getByRole("button", { name: "How good is it?" }));
    expect(screen.getByRole("dialog")).toHaveTextContent("The server cannot tell");
    expect(screen.queryByText(/Right about/)).toBeNull();
  });

  it("asks again where the server did not answer, and tells the figures then", async () => {
    const model = vi.fn((): Promise<ModelCard | null> => Promise.reject(new Error("no")));
    renderWith({ api: fakeApi({ model }) }, <App />);
    const before = model.mock.calls.length;
    const opener = screen.getByRole("button", { name: "How good is it?" });
    await userEvent.click(opener);
    await vi.waitFor(() => expect(screen.getByRole("dialog")).toHaveTextContent("The server did not answer"));
    expect(screen.getByRole("dialog")).not.toHaveTextContent("does not know");
    expect(model.mock.calls.length).toBeGreaterThan(before); // at once: it was opened
    model.mockResolvedValue(aCard());
    goes("online");
    expect(await screen.findByText(/^Right about 66 %/)).toBeVisible();
    expect(screen.getByRole("dialog")).toHaveTextContent("It knows 4 genres");
  });
});

describe("how good it is", () => {
  it("is told in a dialog, from the card alone", async () => {
    showWith(aCard());
    await userEvent.click(screen.getByRole("button", { name: "How good is it?" }));
    const dialog = screen.getByRole("dialog", { name: "How good is it?" });
    expect(dialog).toHaveTextContent("It knows 4 genres: Blues, Hip-hop, Jazz, Rock.");
    expect(dialog).toHaveTextContent("91 %");
    expect(dialog).toHaveTextContent("expect 60 to 71 %");
    expect(dialog).toHaveTextContent("Blues: of 31 songs it recognised 9.");
    const row = within(dialog).getByRole("row", { name: /^Jazz/ });
    expect(
      within(row)
        .getAllByRole("cell")
        .map(({ textContent }) => textContent),
    ).toEqual(["27", "63 %", "46 %"]);
  });

  it("is closed by its button, and the focus is where it was", async () => {
    showWith(aCard());
    const opener = screen.getByRole("button", { name: "How good is it?" });
    await userEvent.click(opener);
    await userEvent.click(screen.getByRole("button", { name: "Close" }));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(opener).toHaveFocus();
  });
});

describe("the banner", () => {
  it("is there while the browser is offline", () => {
    showWith(null);
    expect(screen.queryByText(OFFLINE)).toBeNull();
    goes("offline");
    expect(screen.getByText(OFFLINE)).toHaveAttribute("role", "status");
    goes("online");
    expect(screen.queryByText(OFFLINE)).toBeNull();
  });

  it("is there while the server does not answer", () => {
    const listeners = createListeners();
    let isReachable = false;
    const reach = { isReachable: () => isReachable, subscribe: listeners.subscribe };
    renderWith({ api: fakeApi({ reach }) }, <App />);
    expect(screen.getByText(UNREACHABLE)).toHaveAttribute("role", "status");
    isReachable = true;
    act(() => listeners.tell());
    expect(screen.queryByText(UNREACHABLE)).toBeNull();
  });
});

describe("an API key", () => {
  const title = "This service needs an API key";

  it("is asked for once the service wants one, and given", async () => {
    const keys = fakeKeys();
    renderWith({ keys }, <App />);
    expect(screen.queryByRole("dialog")).toBeNull();
    act(() => keys.demand());
    expect(screen.getByRole("dialog", { name: title })).not.toHaveTextContent("refused");
    await userEvent.type(screen.getByLabelText("API key"), " gw_good {Enter}");
    expect(keys.use).toHaveBeenCalledWith("gw_good");
    expect(screen.queryByRole("dialog")).toBeNull();
  });

  it("that was refused is said to be", async () => {
    const keys = fakeKeys();
    renderWith({ keys }, <App />);
    act(() => keys.demand());
    await userEvent.type(screen.getByLabelText("API key"), "gw_bad");
    await userEvent.click(screen.getByRole("button", { name: "Use this key" }));
    act(() => keys.demand());
    expect(screen.getByRole("alert")).toHaveTextContent(/refused/);
    expect(screen.getByLabelText("API key")).toHaveValue("");
  });

  it("that has a character that no key has is refused here, and asks nobody", async () => {
    const keys = fakeKeys();
    renderWith({ keys }, <App />);
    act(() => keys.demand());
    await userEvent.type(screen.getByLabelText("API key"), "gw_•••{Enter}");
    expect(screen.getByRole("alert")).toHaveTextContent(/refused/);
    expect(keys.use).not.toHaveBeenCalled();
  });

  it("that was kept and is refused is said to be as well", () => {
    const keys = fakeKeys("gw_old");
    renderWith({ keys }, <App />);
    act(() => keys.demand());
    expect(screen.getByRole("alert")).toHaveTextContent(/refused/);
  });

  it("can be given from elsewhere in the page, though it was put off", async () => {
    const keys = fakeKeys();
    renderWith({ keys }, <App />);
    act(() => keys.demand());
    await userEvent.click(screen.getByRole("button", { name: "Not now" }));

    act(() => keys.demand());
    expect(screen.queryByRole("dialog")).toBeNull();

    act(() => keys.ask());
    expect(screen.getByRole("dialog", { name: title })).toBeVisible();
  });

  it("can be given later: the dialog comes back on wish", async () => {
    const keys = fakeKeys();
    renderWith({ keys }, <App />);
    act(() => keys.demand());
    await userEvent.click(screen.getByRole("button", { name: "Not now" }));
    expect(screen.queryByRole("dialog")).toBeNull();
    await userEvent.click(screen.getByRole("button", { name: "Give a key" }));
    expect(screen.getByRole("dialog", { name: title })).toBeVisible();
  });

  it("is forgotten on wish", async () => {
    const keys = fakeKeys("gw_good");
    renderWith({ keys }, <App />);
    await userEvent.click(screen.getByRole("button", { name: "Forget the key" }));
    expect(keys.use).toHaveBeenCalledWith(null);
    expect(screen.queryByRole("button", { name: "Forget the key" })).toBeNull();
  });
});

describe("a mistake of ours", () => {
  it("leaves a sentence and two ways out, not an empty page", () => {
    vi.spyOn(console, "error").mockReturnValue(undefined);
    const broken = aSong("a.mp3", { addedAt: Number.NaN });
    renderWith({ songs: fakeSongs([broken]) }, <App />);
    expect(screen.getByRole("heading", { level: 1, name: "This page has stumbled" })).toBeVisible();
    expect(screen.getByRole("alert")).toHaveTextContent("mistake of ours");
    expect(screen.getByRole("link", { name: "Load this page anew" })).toHaveAttribute("href", "/");
    expect(screen.getByRole("link", { name: "go to the start" })).toHaveAttribute("href", "/");
  });
});

describe("going from page to page", () => {
  it("puts the focus on the new heading, not on the first", () => {
    showWith(null);
    expect(document.body).toHaveFocus();
    act(() => navigate("/nowhere"));
    expect(screen.getByRole("heading", { name: "There is nothing here" })).toHaveFocus();
    expect(document.title).toBe("There is nothing here · GenreWiz");
  });

  it("needs no loading", async () => {
    window.history.replaceState(null, "", "/nowhere");
    showWith(null);
    await userEvent.click(screen.getByRole("link", { name: "Go to the start" }));
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("What genre is it?");
    expect(document.title).toBe("GenreWiz");
  });

  it("is the browser's affair where a new tab is wanted", () => {
    window.history.replaceState(null, "", "/nowhere");
    showWith(null);
    const click = new MouseEvent("click", { bubbles: true, cancelable: true, ctrlKey: true });
    screen.getByRole("link", { name: "Go to the start" }).dispatchEvent(click);
    expect(click.defaultPrevented).toBe(false);
    expect(screen.getByRole("heading", { name: "There is nothing here" })).toBeVisible();
  });
});
