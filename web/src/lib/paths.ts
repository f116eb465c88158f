/** The page's own addresses. It goes to none of them: `router.ts` does. */

export type Route =
  | { readonly page: "home" }
  | { readonly page: "result"; readonly jobId: string }
  | { readonly page: "missing" };

const JOB_PAGE = /^\/r\/(job_[0-9a-f]{24})\/?$/;

export function routeOf(path: string): Route {
  if (path === "/") return { page: "home" };
  const jobId = JOB_PAGE.exec(path)?.[1];
  return jobId ? { page: "result", jobId } : { page: "missing" };
}

export function pathOf(jobId: string): string {
  return `/r/${jobId}`;
}
