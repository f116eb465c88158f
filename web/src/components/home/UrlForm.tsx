/** A song by its link. It checks that it is a web address; the service fetches it. */
import { useId, useState } from "react";
import { typedAddress } from "./taken";

export const NO_ADDRESS = "Give a whole web address: one begins with https://.";

export interface UrlFormProps {
  readonly onUrl: (url: string) => void;
  readonly onTyping: () => void;
}

export function UrlForm({ onUrl, onTyping }: UrlFormProps) {
  const [text, setText] = useState("");
  const [isRefused, setIsRefused] = useState(false);
  const [fieldId, remarkId] = [useId(), useId()];

  function submit(): void {
    const url = typedAddress(text);
    setIsRefused(!url);
    if (!url) return;
    onUrl(url);
    setText("");
  }

  return (
    <form
      className="url-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <label htmlFor={fieldId}>Link to a song</label>
      <div className="url-form-row">
        <input
          id={fieldId}
          type="url"
          inputMode="url"
          placeholder="https://"
          autoComplete="off"
          spellCheck={false}
          value={text}
          aria-invalid={isRefused || undefined}
          aria-describedby={remarkId}
          onChange={({ currentTarget }) => {
            setText(currentTarget.value);
            setIsRefused(false);
            onTyping();
          }}
        />
        <button type="submit">Listen</button>
      </div>
      <p className="url-form-remark" id={remarkId} aria-live="polite">
        {isRefused && NO_ADDRESS}
      </p>
    </form>
  );
}
