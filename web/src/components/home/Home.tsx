/** The start: ways to get songs in, and the songs of this browser. */
import { useServices } from "../../services";
import { useSongs } from "../../songs/useSongs";
import { useTitle } from "../shell/useTitle";
import { DropZone } from "./DropZone";
import { Samples } from "./Samples";
import { SongList } from "./SongList";
import { UrlForm } from "./UrlForm";
import type { Intake } from "./useIntake";
import "./Home.css";

export function Home({ intake }: { readonly intake: Intake }) {
  const { api } = useServices();
  const isFolded = useSongs().length > 0;
  useTitle("GenreWiz");
  return (
    <div className={isFolded ? "home home-folded" : "home"}>
      <div className="home-head">
        <h1>
          What genre <span>is it?</span>
        </h1>
        <p>
          Add a song and watch the answer arrive: its genre, how sure that is, and where in the song it
          changes.
        </p>
      </div>
      <div className="home-intake">
        <DropZone
          isDropping={intake.isDropping}
          maxUploadBytes={api.maxUploadBytes}
          onFiles={intake.addFiles}
        />
        <div className="home-remark" aria-live="polite">
          {intake.remark && <p>{intake.remark}</p>}
        </div>
        <div className="home-others">
          <UrlForm onUrl={intake.addUrl} onTyping={intake.stay} />
          <Samples onSample={intake.addSample} />
        </div>
      </div>
      <SongList />
    </div>
  );
}
