"""The same receiver for who has GenreWiz' client installed: `verify_webhook` does the checking."""

from collections.abc import Mapping, Sequence

from receiver import Event, Refused, act_in, checked, options, serve

from genrewiz.client import WebhookError, verify_webhook


def verify(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> Event:
    """The event, or Refused."""
    try:
        return checked(verify_webhook(headers, body, secrets))
    except WebhookError as error:
        raise Refused(401, str(error)) from None


if __name__ == "__main__":
    chosen = options(__doc__).parse_args()
    serve(chosen, act_in(chosen.folder), verify)
