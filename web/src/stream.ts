/** A stream of a job's events, as calls. It asks for nothing else and says when it is of no use any more. */
import type { Job, ProgressEvent, WindowEvent } from "./types";

const MOST_ERRORS = 3;

export interface Heard {
  /** The whole job: as it is when the stream begins, and at its end. */
  readonly job: (job: Job) => void;
  readonly progress: (event: ProgressEvent) => void;
  readonly window: (event: WindowEvent) => void;
  /** The connection is gone, and the browser makes another. */
  readonly broken: () => void;
  /** There is no stream to be had, for now; it is closed. */
  readonly lost: () => void;
  /** Nobody knows what was missed; it is closed. */
  readonly reset: () => void;
}

export interface Following {
  /** Whether events come. */
  isWell(): boolean;
  close(): void;
}

export function followEvents(open: () => Promise<EventSource>, heard: Heard): Following {
  let source: EventSource | null = null;
  let errors = 0; // since the last event
  let isClosed = false;

  function close(): void {
    isClosed = true;
    source?.close();
  }

  function failed(): void {
    if (isClosed) return;
    errors += 1;
    if (errors < MOST_ERRORS && source && source.readyState !== EventSource.CLOSED) {
      heard.broken();
      return;
    }
    close();
    heard.lost();
  }

  function listen(from: EventSource): void {
    const on = (name: string, tell: (data: never) => void) => {
      from.addEventListener(name, (event: MessageEvent<string>) => {
        if (isClosed) return;
        errors = 0;
        tell(JSON.parse(event.data) as never);
      });
    };
    on("snapshot", heard.job);
    on("progress", heard.progress);
    on("window", heard.window);
    on("finished", heard.job);
    on("reset", () => {
      close();
      heard.reset();
    });
    from.onerror = failed;
  }

  open().then((opened) => {
    source = opened;
    if (isClosed) opened.close();
    else listen(opened);
  }, failed);

  return { isWell: () => !isClosed && errors === 0 && source?.readyState === EventSource.OPEN, close };
}
