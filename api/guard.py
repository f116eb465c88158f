"""What stands before every route: who asks, how often, with which right, and whose job it is.

It makes no answer of its own: what it does not let through are errors like any other.
"""

import math
from collections.abc import Callable
from typing import Final

from flask import Flask, Request, Response, g, request

from api.caller import caller_of
from api.identity import Identity, remember
from api.job_ids import is_job_id, parse_job_id
from api.key_cache import KeyCache
from api.remembered import Remembered
from api.request_counts import RequestCounts, Standing
from api.rights import BY_TOKEN, OPEN, right_for
from shared.api_keys import key_of_caller
from shared.errors import MissingRight, RateLimited, Unauthorized, UnknownJob
from shared.job import JobId
from shared.redis_jobs import RedisJobStore

SCHEME: Final = "bearer"

TokenIssuedTo = Callable[[str, JobId], str | None]
"""The caller that the text of `?token=` was issued to; None where it lets nobody see this job.

StoreUnavailable where Redis is away."""


class Guard:
    """The rules, for one api process."""

    def __init__(
        self,
        *,
        keys: KeyCache,
        counts: RequestCounts | None,
        jobs: RedisJobStore,
        trusted_proxies: int,
        token_issued_to: TokenIssuedTo,
    ) -> None:
        """counts: None where requests are not counted."""
        self._keys = keys
        self._counts = counts
        self._jobs = jobs
        self._trusted_proxies = trusted_proxies
        self._token_issued_to = token_issued_to
        self._owners: Remembered[JobId, str] = Remembered()

    def install(self, app: Flask) -> None:
        """Ask every request before its route does anything."""
        app.before_request(self._look_at)
        app.after_request(_tell_standing)

    def _look_at(self) -> None:
        rule = request.url_rule
        if rule is None or rule.rule in OPEN or request.method == "OPTIONS":
            return  # nothing of anybody's is there, and a preflight cannot carry a key
        id_text: str | None = (request.view_args or {}).get("job_id")
        address = caller_of(request, trusted_proxies=self._trusted_proxies)
        try:
            keys_on, identity = self._identity(address, rule.rule, id_text)
        except Unauthorized:
            self._count(address)  # who guesses keys is slowed down by address
            raise
        self._count(identity.caller)
        remember(identity)
        if keys_on:
            right = right_for(request.method, rule.rule)
            if right is None:
                raise MissingRight("No API key has a right to this.")
            identity.need(right)
        if id_text is None:
            return
        # Only now: a stranger is told nothing of odd ids, and they count as any. No store is asked about one.
        job_id = parse_job_id(id_text)
        # In the open service nobody is known: the id, which cannot be guessed, is all that a job's owner has
        # to show, from whichever address it comes next time.
        if keys_on:
            self._check_owner(job_id, identity.caller)

    def _identity(self, address: str, rule: str, id_text: str | None) -> tuple[bool, Identity]:
        text = _key_text(request)
        keys_on, key = self._keys.find(text)
        if not keys_on:
            return False, Identity(caller=address)
        if key is not None:
            return True, Identity(caller=key.caller, rights=key.rights)
        if id_text is not None and (request.method, rule) in BY_TOKEN and is_job_id(id_text):
            lender = self._lender(JobId(id_text))
            if lender is not None:
                return True, lender
        raise Unauthorized(
            "This needs an API key, in the header `Authorization: Bearer gw_…`."
            if text is None
            else "The API key is not known, or was revoked."
        )

    def _lender(self, job_id: JobId) -> Identity | None:
        """Whoever got the token of this request, for whom its bearer stands; it is worth what his key is."""
        token = request.args.get("token")
        caller = self._token_issued_to(token, job_id) if token else None
        key_id = key_of_caller(caller) if caller else None
        key = self._keys.by_id(key_id) if key_id else None
        return Identity(caller=key.caller, rights=key.rights & {"read"}) if key else None

    def _count(self, caller: str) -> None:
        if self._counts is None:
            return
        standing = self._counts.hit(caller)
        g.standing = standing
        if not standing.is_allowed:
            raise RateLimited(
                "You ask more often than the limit allows.", retry_after_seconds=standing.reset_seconds
            )

    def _check_owner(self, job_id: JobId, caller: str) -> None:
        if self._owner_of(job_id) not in (caller, ""):
            raise UnknownJob("There is no job with this id.")

    def _owner_of(self, job_id: JobId) -> str | None:
        # A job never changes hands: what is remembered holds for ever.
        owner = self._owners.get(job_id, math.inf)
        if owner is None:
            owner = self._jobs.owner_of(job_id)
            if owner:
                self._owners.put(job_id, owner, math.inf)
        return owner


def _key_text(request: Request) -> str | None:
    """What stands where a key should; None where nothing does."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.lower() == SCHEME and text.strip() else None


def _tell_standing(response: Response) -> Response:
    standing: Standing | None = g.get("standing")
    if standing is not None:
        limit = standing.limit
        response.headers["RateLimit-Policy"] = f"{limit.requests};w={limit.seconds}"
        response.headers["RateLimit-Limit"] = str(limit.requests)
        response.headers["RateLimit-Remaining"] = str(standing.remaining)
        response.headers["RateLimit-Reset"] = str(standing.reset_seconds)
    return response
