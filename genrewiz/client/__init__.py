"""The Python client of a GenreWiz server.

    from genrewiz.client import Client

    with Client("http://127.0.0.1:8000") as client:
        job = client.wait(client.submit("song.mp3"))
        print(job.result.genre if job.result else job.error)

`AsyncClient` is the same with `await`. It needs neither the server's code nor its libraries.
"""

from genrewiz.client.async_client import AsyncClient
from genrewiz.client.delivery import Attempt, AttemptError, Delivery, DeliveryPage, WebhookEvent
from genrewiz.client.endpoint import UNCHANGED, Endpoint, Webhook
from genrewiz.client.errors import (
    ClientError,
    Problem,
    TimedOut,
    UnexpectedAnswer,
    Unreachable,
    WebhookError,
)
from genrewiz.client.job import (
    Event,
    Job,
    JobError,
    JobPage,
    Model,
    Prediction,
    Progress,
    Result,
    Source,
    Window,
)
from genrewiz.client.sync_client import Client
from genrewiz.client.webhooks import verify_webhook

__all__ = [
    "UNCHANGED",
    "AsyncClient",
    "Attempt",
    "AttemptError",
    "Client",
    "ClientError",
    "Delivery",
    "DeliveryPage",
    "Endpoint",
    "Event",
    "Job",
    "JobError",
    "JobPage",
    "Model",
    "Prediction",
    "Problem",
    "Progress",
    "Result",
    "Source",
    "TimedOut",
    "UnexpectedAnswer",
    "Unreachable",
    "Webhook",
    "WebhookError",
    "WebhookEvent",
    "Window",
    "verify_webhook",
]
