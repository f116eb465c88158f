/** Jobs for tests, as the service tells of them. */
import type { Job } from "../types";

export const JOB_ID = "job_5f1d7a9c3b2e4d6f8a0b1c2d";

/** The id of another job, by a number. */
export function jobId(number: number): string {
  return `job_${number.toString(16).padStart(24, "0")}`;
}

export function aJob(change: Partial<Job> = {}): Job {
  const id = change.id ?? JOB_ID;
  return {
    id,
    status: "queued",
    queue: "standard",
    cancel_requested: false,
    cached: false,
    attempt: 0,
    created_at: "2026-11-23T20:00:00.000Z",
    started_at: null,
    finished_at: null,
    expires_at: null,
    progress: { stage: null, fraction: 0, queue_position: 0, eta_seconds: 2 },
    source: {
      kind: "upload",
      filename: "song.mp3",
      url: null,
      sha256: null,
      bytes: 1_000,
      duration_seconds: null,
      sample_rate: null,
      channels: null,
      codec: null,
      truncated: false,
    },
    model: null,
    result: null,
    timings_seconds: null,
    error: null,
    metadata: {},
    links: {
      self: `/jobs/${id}`,
      events: `/jobs/${id}/events`,
      cancel: `/jobs/${id}/cancel`,
      spectrogram: `/jobs/${id}/spectrogram.png`,
    },
    ...change,
  };
}

export function running(fraction = 0, change: Partial<Job> = {}): Job {
  const progress = { stage: "predict", fraction, queue_position: null, eta_seconds: 1 };
  return aJob({ status: "running", attempt: 1, progress, ...change });
}

export function succeeded(change: Partial<Job> = {}): Job {
  return aJob({
    status: "succeeded",
    attempt: 1,
    progress: { stage: null, fraction: 1, queue_position: null, eta_seconds: 0 },
    result: {
      genre: "disco",
      confidence: 0.72,
      abstained_because: null,
      top: [
        { genre: "disco", probability: 0.72 },
        { genre: "pop", probability: 0.2 },
        { genre: "rock", probability: 0.05 },
      ],
      timeline: [{ start_seconds: 0, end_seconds: 29.722, genre: "disco", probabilities: [0.72, 0.2, 0.08] }],
    },
    ...change,
  });
}
