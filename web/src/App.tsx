/** The page of this address, in the frame that all of them share. */
import { DropHint } from "./components/home/DropHint";
import { Home } from "./components/home/Home";
import { useIntake } from "./components/home/useIntake";
import { ResultPage } from "./components/result/ResultPage";
import { Missing } from "./components/shell/Missing";
import { Shell } from "./components/shell/Shell";
import { Stumble } from "./components/shell/Stumble";
import { useArrival } from "./components/shell/useArrival";
import { useRoute } from "./router";

export function App() {
  return (
    <Stumble>
      <Page />
    </Stumble>
  );
}

function Page() {
  const route = useRoute();
  const intake = useIntake();
  useArrival(route.page === "result" ? route.jobId : route.page);
  return (
    <Shell>
      {route.page === "home" && <Home intake={intake} />}
      {route.page === "result" && <ResultPage key={route.jobId} jobId={route.jobId} />}
      {route.page === "missing" && <Missing />}
      {route.page !== "home" && intake.isDropping && <DropHint />}
    </Shell>
  );
}
