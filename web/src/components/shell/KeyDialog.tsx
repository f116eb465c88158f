/** Asks for an API key. Whether it is a good one, the service says at the next request. */
import { useId, useState } from "react";
import { keyIn } from "../../keys";
import { Dialog } from "./Dialog";

export interface KeyDialogProps {
  /** A key was given before, and the service did not take it. */
  readonly wasRefused: boolean;
  readonly onKey: (key: string) => void;
  readonly onClose: () => void;
}

export function KeyDialog({ wasRefused, onKey, onClose }: KeyDialogProps) {
  const [text, setText] = useState("");
  const [isOdd, setIsOdd] = useState(false);
  const [fieldId, hintId] = [useId(), useId()];
  return (
    <Dialog title="This service needs an API key" onClose={onClose}>
      <form
        className="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          const key = keyIn(text);
          if (key !== null) onKey(key);
          else if (text.trim()) {
            setIsOdd(true);
            setText("");
          }
        }}
      >
        {(wasRefused || isOdd) && (
          <p role="alert">The last key was refused. See whether it is whole, or ask for another.</p>
        )}
        <label htmlFor={fieldId}>API key</label>
        <input
          id={fieldId}
          type="password"
          autoComplete="off"
          spellCheck={false}
          placeholder="gw_…"
          value={text}
          aria-describedby={hintId}
          onChange={({ currentTarget }) => setText(currentTarget.value)}
        />
        <p className="key-form-hint" id={hintId}>
          It is kept in this tab alone, and forgotten when the tab is closed. Who runs this service hands keys
          out.
        </p>
        <div className="dialog-buttons">
          <button type="button" className="quiet" onClick={onClose}>
            Not now
          </button>
          <button type="submit">Use this key</button>
        </div>
      </form>
    </Dialog>
  );
}
