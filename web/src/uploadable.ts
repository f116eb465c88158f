/** Whether a file is worth sending at all. What is in it, the server alone judges. */
import { byteCount } from "./lib/bytes";
import { ApiError } from "./problem";

/** Rejects with ApiError `empty_file`, `too_large_here` or `unreadable_file`. */
export async function assertSendable(file: File, maxBytes: number | null): Promise<void> {
  // A server hangs up on what is too large, so that a browser may never read why.
  if (maxBytes !== null && file.size > maxBytes)
    throw new ApiError({
      code: "too_large_here",
      detail: `This file has ${byteCount(file.size, Math.ceil)}, and at most ${byteCount(maxBytes, Math.floor)} are taken.`,
    });
  if (file.size === 0) throw new ApiError({ code: "empty_file", detail: "This file is empty." });
  try {
    await file.slice(0, 1).arrayBuffer(); // a folder, or a file that was moved since it was chosen, fails here
  } catch {
    throw new ApiError({ code: "unreadable_file", detail: "This file cannot be read." });
  }
}
