/** The API key of this tab, in the header: asked for where the service wants one, and forgotten on wish. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { useServices } from "../../services";
import { KeyDialog } from "./KeyDialog";

export function Keys() {
  const { keys } = useServices();
  const isNeeded = useSyncExternalStore(keys.subscribe, keys.isNeeded);
  const current = useSyncExternalStore(keys.subscribe, keys.current);
  const [wasGiven, setWasGiven] = useState(current !== null);
  const [isPutOff, setIsPutOff] = useState(false);
  useEffect(() => keys.subscribe(() => setIsPutOff(false)), [keys]);

  function use(key: string): void {
    setWasGiven(true);
    keys.use(key);
  }

  if (isNeeded)
    return (
      <>
        <button type="button" className="header-link" onClick={() => setIsPutOff(false)}>
          Give a key
        </button>
        {!isPutOff && <KeyDialog wasRefused={wasGiven} onKey={use} onClose={() => setIsPutOff(true)} />}
      </>
    );
  if (current === null) return null;
  const forget = () => {
    setWasGiven(false);
    keys.use(null);
  };
  return (
    <button type="button" className="header-link" onClick={forget}>
      Forget the key
    </button>
  );
}
