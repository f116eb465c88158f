"""The real dispatcher with a real Redis and real receivers: what arrives, how often, what is kept of it."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest
from redis import Redis
from standardwebhooks import Webhook

from genrewiz.serve.ports import free_port
from shared.job_webhook import InlineDestination, JobWebhook
from shared.redis_jobs import RedisJobStore
from shared.redis_keys import Keys
from shared.redis_webhooks import RedisWebhooks
from shared.webhooks import Delivery, DeliveryId, DeliveryStatus, NewEndpoint
from support.api_server import CHECKOUT
from support.jobs import new_job
from support.lines import read_lines
from support.outbox import SECRET
from support.redis_server import redis_serving
from support.waiting import PATIENCE_SECONDS, eventually
from support.web import Server, redirecting, response, saying

SETTINGS = {
    "GENREWIZ_EGRESS_HTTP": "true",
    "GENREWIZ_EGRESS_ALLOW": "127.0.0.0/8",
    "GENREWIZ_WEBHOOK_RETRY_SECONDS": "0.1,0.1,0.1",
    "GENREWIZ_LOG_FORMAT": "json",
}


class Process:
    """A dispatcher."""

    def __init__(self, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
        self.process = process
        self.log = log
        self._url = f"http://127.0.0.1:{port}"

    def get(self, path: str) -> httpx.Response:
        assert self.process.poll() is None, self.log.read_text()
        return httpx.get(f"{self._url}{path}", trust_env=False)

    def metric(self, sample: str) -> float:
        lines = [line for line in self.get("/metrics").text.splitlines() if line.startswith(f"{sample} ")]
        return float(lines[0].rpartition(" ")[2]) if lines else 0.0


@contextmanager
def dispatching(directory: Path, redis_url: str, **environment: str) -> Iterator[Process]:
    """A dispatcher that is ready; told to stop at the end, if it is still there."""
    directory.mkdir(exist_ok=True)
    port, log = free_port(), directory / f"dispatcher-{free_port()}.log"
    ours = {"GENREWIZ_REDIS_URL": redis_url, "GENREWIZ_DISPATCHER_METRICS_PORT": str(port)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.webhooks"],
            cwd=CHECKOUT,
            env={**os.environ, **SETTINGS, **ours, **environment},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        dispatcher = Process(process, port, log)
        eventually(lambda: dispatcher.get("/readyz").status_code == httpx.codes.OK)
        yield dispatcher
    finally:
        process.terminate()
        process.wait()
        print(log.read_text()[-5_000:])


@pytest.fixture
def dispatcher(tmp_path, redis, settings) -> Iterator[Process]:
    with dispatching(tmp_path / "dispatcher", str(settings.redis_url)) as process:
        yield process


@pytest.fixture
def webhooks(redis) -> RedisWebhooks:
    return RedisWebhooks(redis, Keys())


def end_a_job(redis: Redis, url: str | None = None, endpoint=None, number: int = 1) -> DeliveryId:
    """A job comes to its end, and somebody is to hear of it."""
    jobs = RedisJobStore(redis, Keys())
    webhook = (
        JobWebhook(endpoint=endpoint, lane=endpoint)
        if endpoint
        else JobWebhook(
            destination=InlineDestination(url=url, secret=SECRET), lane=f"caller {url}", shown_url=url
        )
    )
    new = new_job(number, webhook=webhook)
    jobs.accept(new)
    jobs.cancel(new.id)
    return DeliveryId(f"msg_{new.id.removeprefix('job_')}_1")


def ended(webhooks: RedisWebhooks, delivery_id: DeliveryId) -> Delivery:
    """The delivery, once nothing is to be sent any more."""

    def look() -> Delivery | None:
        delivery = webhooks.delivery(delivery_id)
        return None if delivery.status is DeliveryStatus.PENDING else delivery

    return eventually(look)


def headers_of(head: str) -> dict[str, str]:
    lines = head.strip().split("\r\n")[1:]
    return {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}


def ids_at(server: Server) -> list[str]:
    return [headers_of(head)["webhook-id"] for head in server.heads]


class Holding:
    """A receiver that answers when it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()

    def __call__(self, connection: socket.socket, _head: str) -> None:
        self.go.wait(PATIENCE_SECONDS)
        connection.sendall(response(b"", "204 No Content"))


def test_the_end_of_a_job_arrives_signed_and_is_written_down(dispatcher, redis, webhooks):
    with Server(saying(response(b"thanks", "202 Accepted"))) as server:
        delivery = ended(webhooks, end_a_job(redis, server.url("/hook?t=1")))

    event = Webhook(SECRET).verify(server.bodies[0], headers_of(server.heads[0]))
    assert (event["type"], event["sequence"], event["data"]["status"]) == ("job.cancelled", 1, "cancelled")
    assert b": " not in server.bodies[0]
    [attempt] = delivery.attempts
    assert (delivery.status, attempt.status_code, attempt.reply) == (DeliveryStatus.DELIVERED, 202, "thanks")
    assert len(server.heads) == 1
    eventually(lambda: dispatcher.metric('genrewiz_webhook_attempts_total{outcome="delivered"}') == 1)
    assert dispatcher.metric("genrewiz_webhook_lag_seconds_count") == 1
    assert dispatcher.metric("genrewiz_webhook_outbox") == 0
    [line] = [line for line in read_lines(dispatcher.log) if line["event"] == "webhook delivered"]
    assert line["delivery_id"] == delivery.id
    assert line["process"] == "dispatcher"
    assert "hook?" not in dispatcher.log.read_text()


def test_a_receiver_that_fails_hears_it_again_under_the_same_id_with_the_same_body(
    dispatcher, redis, webhooks
):
    answers = iter([response(b"", "500 Oh"), b"", response(b"", "200 OK")])
    with Server(lambda connection, _: connection.sendall(next(answers))) as server:
        delivery = ended(webhooks, end_a_job(redis, server.url("/")))

    assert delivery.status is DeliveryStatus.DELIVERED
    assert [attempt.reason for attempt in delivery.attempts] == ["http_500", "connection_failed", "http_200"]
    assert set(ids_at(server)) == {delivery.id}
    assert len(set(server.bodies)) == 1
    sent = [headers_of(head) for head in server.heads]
    assert [each["genrewiz-attempt"] for each in sent] == ["1", "2", "3"]
    assert [each.get("genrewiz-retry-reason") for each in sent] == [None, "http_500", "connection_failed"]


def test_behind_the_last_pause_a_delivery_has_failed(dispatcher, redis, webhooks):
    with Server(saying(response(b"why", "500 Oh"))) as server:
        delivery = ended(webhooks, end_a_job(redis, server.url("/")))

    assert (delivery.status, delivery.failed_because) == (DeliveryStatus.FAILED, "attempts_exhausted")
    assert len(server.heads) == 4


def test_a_redirect_is_never_followed(dispatcher, redis, webhooks):
    with Server(saying(response())) as other, Server(redirecting(other.url("/"))) as server:
        delivery = ended(webhooks, end_a_job(redis, server.url("/")))

        assert other.accepted == 0

    assert {attempt.status_code for attempt in delivery.attempts} == {302}


def test_410_ends_the_delivery_and_disables_its_endpoint(dispatcher, redis, webhooks):
    with Server(saying(response(b"", "410 Gone"))) as server:
        endpoint = webhooks.add("192.0.2.1", NewEndpoint(url=server.url("/")))
        delivery = ended(webhooks, end_a_job(redis, endpoint=endpoint.id))

    assert (delivery.status, delivery.failed_because) == (DeliveryStatus.FAILED, "gone")
    assert len(server.heads) == 1
    assert webhooks.endpoint(endpoint.id).disabled_because == "gone"
    eventually(lambda: dispatcher.metric('genrewiz_webhook_endpoints_disabled_total{because="gone"}') == 1)


def test_a_test_is_sent_to_an_endpoint(dispatcher, webhooks):
    with Server(saying(response())) as server:
        endpoint = webhooks.add("192.0.2.1", NewEndpoint(url=server.url("/")))
        delivery = ended(webhooks, webhooks.test(endpoint.id).id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert json.loads(server.bodies[0])["type"] == "webhook.test"
    Webhook(endpoint.secrets[0].text).verify(server.bodies[0], headers_of(server.heads[0]))


def test_a_url_that_leads_inside_is_not_connected_to(tmp_path, redis, settings, webhooks):
    with (
        dispatching(tmp_path / "d", str(settings.redis_url), GENREWIZ_EGRESS_ALLOW="10.0.0.0/8") as _,
        Server(saying(response())) as server,
    ):
        delivery = ended(webhooks, end_a_job(redis, server.url("/")))

        assert server.accepted == 0

    assert {attempt.reason for attempt in delivery.attempts} == {"url_blocked"}


def test_what_a_killed_dispatcher_had_sent_is_sent_again_under_the_same_id(
    tmp_path, redis, settings, webhooks
):
    url, holding = str(settings.redis_url), Holding()
    with Server(holding) as server, ExitStack() as stack:
        first = stack.enter_context(dispatching(tmp_path / "d", url, GENREWIZ_WEBHOOK_SECONDS="1"))
        delivery_id = end_a_job(redis, server.url("/"))
        eventually(lambda: server.heads)
        first.process.kill()  # it has been sent, and nobody wrote that down
        first.process.wait()
        holding.go.set()
        stack.enter_context(dispatching(tmp_path / "d", url, GENREWIZ_WEBHOOK_SECONDS="1"))
        delivery = ended(webhooks, delivery_id)

    assert delivery.status is DeliveryStatus.DELIVERED
    assert ids_at(server) == [delivery_id] * 2
    assert server.bodies[0] == server.bodies[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_stop_waits_for_what_is_in_flight_and_claims_no_more(
    tmp_path, redis, settings, webhooks, number
):
    holding = Holding()
    with (
        Server(holding) as server,
        dispatching(tmp_path / "d", str(settings.redis_url), GENREWIZ_WEBHOOK_CONCURRENCY="1") as dispatcher,
    ):
        first = end_a_job(redis, server.url("/"))
        eventually(lambda: server.heads)
        second = end_a_job(redis, server.url("/"), number=2)
        dispatcher.process.send_signal(number)
        eventually(lambda: "dispatcher stops" in dispatcher.log.read_text())
        assert dispatcher.process.poll() is None
        holding.go.set()
        assert dispatcher.process.wait(PATIENCE_SECONDS) == 0

        assert webhooks.delivery(first).status is DeliveryStatus.DELIVERED
        assert webhooks.delivery(second).attempts_made == 0
        assert ids_at(server) == [first]


def test_what_was_sent_while_redis_was_away_is_written_down_and_not_sent_again(tmp_path):
    holding = Holding()
    with (
        redis_serving(tmp_path / "redis") as redis_server,
        dispatching(tmp_path / "d", redis_server.url) as dispatcher,
        Server(holding) as server,
    ):
        with redis_server.client() as redis:
            delivery_id = end_a_job(redis, server.url("/"))
            eventually(lambda: server.heads)
        redis_server.kill()
        holding.go.set()
        eventually(lambda: "redis is away" in dispatcher.log.read_text())
        assert dispatcher.get("/livez").status_code == dispatcher.get("/readyz").status_code == 200
        assert "genrewiz_webhook_outbox " not in dispatcher.get("/metrics").text
        redis_server.start()
        with redis_server.client() as redis:
            delivery = ended(RedisWebhooks(redis, Keys()), delivery_id)
            after = end_a_job(redis, server.url("/"), number=2)
            assert ended(RedisWebhooks(redis, Keys()), after).status is DeliveryStatus.DELIVERED

    assert delivery.status is DeliveryStatus.DELIVERED
    assert ids_at(server) == [delivery_id, after]


@pytest.mark.parametrize("name", ["delivery_leases", "outbox_bell"])
def test_a_dispatcher_outlives_what_redis_should_not_answer(dispatcher, redis, webhooks, name):
    key = getattr(Keys(), name)
    redis.set(key, "of another kind")
    eventually(lambda: "WRONGTYPE" in dispatcher.log.read_text())
    redis.delete(key)
    with Server(saying(response(b"", "204 No Content"))) as server:
        delivery = ended(webhooks, end_a_job(redis, server.url("/")))
        eventually(lambda: redis.exists(Keys().outbox_bell) == 0)  # somebody listens

    assert delivery.status is DeliveryStatus.DELIVERED
    assert dispatcher.process.poll() is None


def test_two_dispatchers_share_the_work_and_send_nothing_twice(tmp_path, redis, settings, webhooks):
    url = str(settings.redis_url)
    with (
        Server(saying(response(b"", "204 No Content"))) as server,
        dispatching(tmp_path / "d", url),
        dispatching(tmp_path / "d", url),
    ):
        sent = [end_a_job(redis, server.url("/"), number=number) for number in range(1, 61)]
        assert {ended(webhooks, each).status for each in sent} == {DeliveryStatus.DELIVERED}

    assert sorted(ids_at(server)) == sorted(sent)


def test_a_port_that_is_taken_is_named_by_its_setting(tmp_path, redis, settings):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "worker.webhooks"],
            cwd=CHECKOUT,
            env={
                **os.environ,
                "GENREWIZ_REDIS_URL": str(settings.redis_url),
                "GENREWIZ_DISPATCHER_METRICS_PORT": str(taken.getsockname()[1]),
                "GENREWIZ_LOG_FORMAT": "console",
            },
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    assert done.returncode == 1
    assert "GENREWIZ_DISPATCHER_METRICS_PORT" in done.stderr
    assert "Traceback" not in done.stderr
