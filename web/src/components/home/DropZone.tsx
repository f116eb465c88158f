/** Where songs are chosen: a label around a native file input. What is dropped is taken by the whole window. */
import { useId } from "react";
import { byteCount } from "../../lib/bytes";
import { Wave } from "./Wave";
import "./DropZone.css";

/** All that the service decodes (docs/formats.md), spelt out: `audio/*` greys out every file on iOS. */
export const ACCEPT = [
  ".wav,.rf64,.mp3,.mp2,.flac,.ogg,.oga,.opus,.m4a,.m4b,.mp4,.mov,.aac,.aif,.aiff,.aifc,.wma,.asf,.webm,.mka,.mkv,.au,.snd,.wv",
  "audio/wav,audio/x-wav,audio/mpeg,audio/mp3,audio/flac,audio/x-flac,audio/ogg,audio/opus,audio/mp4,audio/x-m4a",
  "audio/aac,audio/aiff,audio/x-aiff,audio/x-ms-wma,audio/webm,audio/basic,audio/x-wavpack,audio/x-matroska",
].join(",");

export interface DropZoneProps {
  /** Something that could be dropped is above the window. */
  readonly isDropping: boolean;
  /** null where the server did not say. */
  readonly maxUploadBytes: number | null;
  readonly onFiles: (files: readonly File[]) => void;
}

export function DropZone({ isDropping, maxUploadBytes, onFiles }: DropZoneProps) {
  const [titleId, hintId] = [useId(), useId()];
  return (
    <label className="drop-zone" data-dropping={isDropping || undefined}>
      <input
        className="visually-hidden"
        type="file"
        multiple
        accept={ACCEPT}
        aria-labelledby={titleId}
        aria-describedby={hintId}
        onChange={({ currentTarget }) => {
          onFiles([...(currentTarget.files ?? [])]);
          currentTarget.value = ""; // so that the same file can be chosen again
        }}
      />
      <Wave />
      <span className="drop-zone-title" id={titleId}>
        Choose songs or drop them here
      </span>
      <span className="drop-zone-hint" id={hintId}>
        wav, mp3, flac, ogg, m4a and more
        {maxUploadBytes && `, up to ${byteCount(maxUploadBytes, Math.floor)} each`}
      </span>
    </label>
  );
}
