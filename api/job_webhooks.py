"""Who is told of a job, as its submission says: checked, and put into the words of the service.

It sends nothing, and makes no endpoint.
"""

import json
from collections.abc import Mapping
from typing import Final

from api.checked_url import checked_url
from api.identity import whoever_asks
from api.json_bodies import parse_json
from api.webhook_ids import parse_endpoint_id
from shared.egress import EgressGuard
from shared.errors import InvalidRequest, UnknownEndpoint, UrlBlocked, Wrong
from shared.job_webhook import EndpointId, InlineDestination, JobWebhook
from shared.job_webhook_request import JobWebhookRequest
from shared.redis_webhooks import RedisWebhooks
from shared.urls import Url

FLAT: Final = "webhook_"
FLAT_FIELDS: Final = tuple(f"{FLAT}{name}" for name in ("url", "endpoint", "events", "secret"))
"""Parts of a form that say what the member `webhook` does: for people with curl."""


class JobWebhooks:
    """Checks webhooks at the door; whoever sends asks the guard again, for names may change."""

    def __init__(self, *, guard: EgressGuard, webhooks: RedisWebhooks) -> None:
        self._guard = guard
        self._webhooks = webhooks

    def checked(self, wanted: JobWebhookRequest | None, *, at: str) -> JobWebhook | None:
        """The webhook of whoever asks; UrlBlocked, InvalidRequest. at: JSON pointer to it."""
        if wanted is None:
            return None
        if wanted.endpoint:
            endpoint = self._endpoint(wanted.endpoint, at=at)
            return JobWebhook(endpoint=endpoint, lane=endpoint)
        try:
            url = checked_url(self._guard, wanted.url)
        except UrlBlocked as error:
            raise UrlBlocked(error.detail, pointer=_member(at, "url")) from None
        return JobWebhook(
            events=wanted.events,
            destination=InlineDestination(
                url=wanted.url,
                secret=wanted.secret,
                basic_auth=wanted.basic_auth.value if wanted.basic_auth else None,
            ),
            lane=_lane(whoever_asks().caller, url),
            shown_url=url.shown,
        )

    def _endpoint(self, text: str, *, at: str) -> EndpointId:
        try:
            endpoint = self._webhooks.endpoint(parse_endpoint_id(text))
            if not whoever_asks().may_see(endpoint.caller):
                raise UnknownEndpoint
        except UnknownEndpoint:
            raise InvalidRequest(
                "The webhook names no endpoint of yours.",
                errors=(Wrong("pointer", _member(at, "endpoint"), "there is no endpoint with this id"),),
            ) from None
        return endpoint.id


def flat_webhook(fields: Mapping[str, str]) -> JobWebhookRequest | None:
    """What the parts of a form say, by their names; None where there are none. InvalidRequest."""
    if not fields:
        return None
    asked: dict[str, object] = {name.removeprefix(FLAT): text for name, text in fields.items()}
    if "events" in asked:
        asked["events"] = [name.strip() for name in fields[f"{FLAT}events"].split(",")]
    try:
        return parse_json(json.dumps(asked).encode(), JobWebhookRequest, what="form")
    except InvalidRequest as error:
        found = tuple(Wrong(each.where, _member(f"/{FLAT}", each.name), each.detail) for each in error.errors)
        raise InvalidRequest(error.detail, errors=found) from None


def _member(at: str, name: str) -> str:
    """The pointer to a member; of a form's flat parts it is the part's name."""
    name = name.removeprefix("/")
    if not name:
        return at.removesuffix("_")
    return f"{at}{name}" if at.endswith("_") else f"{at}/{name}"


def _lane(caller: str, url: Url) -> str:
    """One receiver of one caller: paths and queries may be others for every song, who answers is the same."""
    return f"{caller} {url.scheme}://{url.authority}"
