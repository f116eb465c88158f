import { afterEach, expect, it } from "vitest";
import { letterScale } from "./letters";

afterEach(() => document.documentElement.removeAttribute("style"));

it("is how many times as large as usual somebody has their letters", () => {
  expect(letterScale()).toBe(1);

  document.documentElement.style.fontSize = "24px";

  expect(letterScale()).toBe(1.5);
});
