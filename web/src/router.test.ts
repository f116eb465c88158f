import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import { navigate, pathOf, routeOf, useRoute } from "./router";
import { JOB_ID } from "./test/job";

beforeEach(() => window.history.replaceState(null, "", "/"));

describe("the address", () => {
  it("says which page it is", () => {
    expect(routeOf("/")).toEqual({ page: "home" });
    expect(routeOf(pathOf(JOB_ID))).toEqual({ page: "result", jobId: JOB_ID });
    expect(routeOf(`${pathOf(JOB_ID)}/`)).toEqual({ page: "result", jobId: JOB_ID });
  });

  it.each(["/nothing", "/r/", "/r/job_1", "/r/JOB_5f1d7a9c3b2e4d6f8a0b1c2d", `${pathOf(JOB_ID)}/more`])(
    "%s is no page",
    (path) => {
      expect(routeOf(path)).toEqual({ page: "missing" });
    },
  );

  it("changes without a load, and back again", () => {
    const { result } = renderHook(useRoute);
    act(() => navigate(pathOf(JOB_ID)));
    expect(result.current.page).toBe("result");
    act(() => {
      window.history.replaceState(null, "", "/");
      window.dispatchEvent(new PopStateEvent("popstate"));
    });
    expect(result.current.page).toBe("home");
  });

  it("is not remembered twice where it stays the same", () => {
    const before = window.history.length;
    navigate("/");
    expect(window.history.length).toBe(before);
  });
});
