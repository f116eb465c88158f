/** What has changed in the list, in one sentence for those who do not see it. Pure. */
import { genreName } from "../../lib/words";
import { hasEnded, type Song } from "../../songs/song";

/** null where nothing has changed that is worth a word. */
export function newsOf(before: readonly Song[], after: readonly Song[]): string | null {
  const known = new Map(before.map((song) => [song.key, song]));
  const changed = after.filter((song) => known.get(song.key) !== song);
  const ended = changed.filter((song) => {
    const then = known.get(song.key);
    return hasEnded(song) && !(then && hasEnded(then));
  });
  const going = changed.filter((song) => !hasEnded(song));
  const added = going.filter(({ key }) => !known.has(key));
  const sending = going.filter(
    ({ key, phase }) => phase === "sending" && known.get(key)?.phase !== "sending",
  );
  return (
    [
      addedOrSent(added, sending, after),
      answered(ended, after),
      refused(ended, after),
      removed(before, after),
    ]
      .filter(Boolean)
      .join(" ") || null
  );
}

function addedOrSent(added: readonly Song[], sending: readonly Song[], all: readonly Song[]): string {
  if (added.length > 1) return `${added.length} songs added.`;
  const [song] = sending;
  const isAlone = all.filter((each) => !hasEnded(each)).length === 1;
  if (song && isAlone) return `Uploading ${song.name}.`;
  return added[0] ? `${added[0].name} added.` : "";
}

function answered(ended: readonly Song[], all: readonly Song[]): string {
  const some = ended.filter(({ phase }) => phase === "accepted");
  const [first] = some;
  if (!first) return "";
  if (some.length === 1) return `${first.name}: ${answer(first)}.`;
  const count = all.filter((song) => song.phase === "accepted" && hasEnded(song)).length;
  return `${count} of ${all.length} answered.`;
}

function answer({ summary, isMissing }: Song): string {
  if (isMissing) return "not found";
  if (!summary || summary.isGone) return "the result is gone";
  if (summary.status !== "succeeded") return summary.status;
  return summary.genre === null ? "not sure" : genreName(summary.genre);
}

/** The row of a single one speaks for itself. */
function refused(ended: readonly Song[], all: readonly Song[]): string {
  const some = ended.filter(({ phase }) => phase === "refused");
  const [first] = some;
  if (!first || all.filter(({ phase }) => phase === "refused").length === 1) return "";
  if (some.length === 1)
    return `${first.name} was not accepted: ${first.error?.message ?? "it was refused."}`;
  return `${some.length} songs were not accepted.`;
}

function removed(before: readonly Song[], after: readonly Song[]): string {
  const kept = new Set(after.flatMap(({ key, jobId }) => [key, jobId]));
  const gone = before.filter(({ key, jobId }) => !kept.has(key) && !(jobId !== null && kept.has(jobId)));
  if (gone.length > 1) return `${gone.length} songs removed.`;
  return gone[0] ? `${gone[0].name} removed.` : "";
}
