"""What the OpenAPI document says before its first route: for somebody who has never been here.

It is text alone; facts that the code knows stand where the code is.
"""

from typing import Any, Final

DESCRIPTION: Final = """\
Send a song, get its genre: one of ten, with a calibrated probability, for the whole song and window \
by window.

**In one line.** `curl -F file=@song.mp3 -H 'Prefer: wait=10' HOST/jobs`

**How it goes.** `POST /jobs` takes the song and answers at once with a *job*: a promise that \
survives crashes of any part of this service. Then poll `GET /jobs/{job_id}` as often as \
`Retry-After` says, keep the request waiting with `Prefer: wait=N`, or watch `GET \
/jobs/{job_id}/events`, where answers stream in while the song is still being read. A job ends as \
`succeeded`, `failed`, `cancelled` or `expired`, and never changes again.

**When something is wrong.** Every refusal is `application/problem+json` (RFC 9457): `code` is for \
programs, `detail` for people, `errors` names each field, `retryable` says whether to come again, \
and `type` leads to a page that says what to do. What is wrong with the *request* is a status of \
4xx; what is wrong with the *song* is found later, and stands in the job's `error`. 429 is about \
you, 503 about us; both say when to come again. A method that a path does not know is 405, and `Allow` \
names those that it does.

**Keys.** Where the service has API keys, send `Authorization: Bearer gw_…`. A key has rights: \
`read`, `submit`, and `high` for the fast lane. Jobs of other callers are 404.

**Sending twice.** With an `Idempotency-Key` a request may be repeated after a broken connection: it \
makes one job.

**Webhooks.** To be told instead of asking, make a *webhook endpoint* (`POST /webhook-endpoints`) and name \
it in your jobs, or give a job a `webhook` of its own. Events are signed as Standard Webhooks has it, come \
at least once, and are tried again for three days: the section `webhooks` says what is sent, `GET \
/webhook-deliveries` what became of it.

**Finding it again.** Every answer has an `X-Request-Id`; a `traceparent` of yours is carried into \
our logs.

**`HEAD`.** Wherever there is a `GET` there is a `HEAD`, with the same headers and no body, which needs \
and counts the same; of events alone it is 406.

Times are RFC 3339 in UTC; seconds and bytes are in the names of fields. Fields may be added: ignore \
those that you do not know. Unknown fields *in requests* are refused, so that a typo is not silently \
without effect.
"""

TAGS: Final[list[dict[str, Any]]] = [
    {"name": "jobs", "description": "Submit songs, and read what became of them."},
    {"name": "events", "description": "Watch a job as it happens."},
    {"name": "webhooks", "description": "Be told of events, and see what was sent."},
    {"name": "models", "description": "What answers, and how good it is."},
    {"name": "help", "description": "This document, and what problems mean."},
    {"name": "health", "description": "For probes."},
]
