/** An address at which there is no page. */
import { Blank } from "./Blank";
import { PageLink } from "./PageLink";
import { useTitle } from "./useTitle";

export function Missing() {
  useTitle("There is nothing here · GenreWiz");
  return (
    <Blank title="There is nothing here">
      <p>No page has this address. The link may have been cut short on its way to you.</p>
      <p className="blank-ways">
        <PageLink to="/" className="quiet">
          Go to the start
        </PageLink>
      </p>
    </Blank>
  );
}
