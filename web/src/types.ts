/** The shapes that the service speaks in, by our names. They are generated from docs/openapi.json (`make web`). */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type Job = Schemas["Job"];
export type JobError = Schemas["JobError"];
export type Result = Schemas["Result"];
export type Prediction = Schemas["Prediction"];
export type TimelineEntry = Schemas["TimelineEntry"];
export type ProgressEvent = Schemas["ProgressEvent"];
export type WindowEvent = Schemas["WindowEvent"];
export type ModelCard = Schemas["ModelCard"];
export type Problem = Schemas["Problem"];

/** Statuses that never change again. */
const ENDS: readonly Job["status"][] = ["succeeded", "failed", "cancelled", "expired"];

/** Whether a job has come to its end. */
export function isFinished(job: Pick<Job, "status">): boolean {
  return ENDS.includes(job.status);
}
