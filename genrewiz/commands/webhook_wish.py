"""What `genrewiz submit` says of who is to hear of its songs: options, and the webhook that they make.

A secret in it is never written anywhere: what must be known again is its hash.
"""

import hashlib
from typing import Annotated, Any, Final

import typer

from genrewiz.client import Webhook

ENDPOINT_PREFIX: Final = "whe_"

WebhookOption = Annotated[
    str | None,
    typer.Option(
        metavar="URL|whe_…",
        show_default=False,
        help="Who is to hear how each song ends: a URL, or an endpoint of `genrewiz webhooks add`.",
    ),
]
WebhookEventOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        show_default=False,
        help="What to tell a URL: job.succeeded, job.failed, job.cancelled, job.expired (without this option "
        "those four), job.started, job.progress; may stand several times.",
    ),
]
WebhookSecretOption = Annotated[
    str | None,
    typer.Option(
        metavar="whsec_…",
        envvar="GENREWIZ_WEBHOOK_SECRET",
        show_default=False,
        help="What signs for a URL; without, the server's own does. Better put it into the variable: "
        "what stands on a command line can be read in the list of processes.",
    ),
]


def webhook_of(
    context: typer.Context, webhook: str | None, events: list[str] | None, secret: str | None
) -> str | Webhook | None:
    """The webhook that is meant. The secret of the variable is for URLs alone; of several the first signs."""
    source = context.get_parameter_source("webhook_secret")
    is_named = source is not None and source.name == "COMMANDLINE"
    to_url = webhook is not None and not webhook.startswith(ENDPOINT_PREFIX)
    if webhook == "":
        raise typer.BadParameter("this is neither a URL nor whe_…", param_hint="--webhook")
    if (events or is_named) and not to_url:
        raise typer.BadParameter(
            "--webhook-event and --webhook-secret go with a --webhook that is a URL: an endpoint has its own."
        )
    if webhook is None or not to_url:
        return webhook
    first = next(iter((secret or "").split()), None)
    if events is None and first is None:
        return webhook
    return Webhook(url=webhook, events=events, secret=first)


def known_again(webhook: str | Webhook | None) -> Any:
    """The wish as it makes one song's job another job than a different wish would."""
    if not isinstance(webhook, Webhook):
        return webhook
    secret = None if webhook.secret is None else hashlib.sha256(webhook.secret.encode()).hexdigest()
    return {"url": webhook.url, "events": sorted(webhook.events or ()), "secret": secret}
