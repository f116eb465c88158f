/** On pages without a drop zone: that what is above the window can be dropped. */
import "./DropHint.css";

export function DropHint() {
  return (
    <div className="drop-hint" aria-hidden="true">
      <p>Drop it to add it to your songs</p>
    </div>
  );
}
