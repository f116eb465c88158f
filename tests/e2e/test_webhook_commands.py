"""Webhooks from the command line to `genrewiz listen`, through a whole service and its dispatcher."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from genrewiz.client import Client, Delivery, Webhook, WebhookEvent
from support.clients import KINDS, Making, clients
from support.commands import CommandLine, Done
from support.listening import SECRET, Listening, listening
from support.service import Service, serving
from support.waiting import eventually


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("service")


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Service]:
    with serving(folder, GENREWIZ_EGRESS_HTTP="true", GENREWIZ_EGRESS_ALLOW="127.0.0.0/8") as service:
        yield service


@pytest.fixture(scope="module")
def genrewiz(service: Service) -> CommandLine:
    return CommandLine(service.url)


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory, sample: bytes) -> Path:
    path = tmp_path_factory.mktemp("song") / "song.mp3"
    path.write_bytes(sample)
    return path


@pytest.fixture(params=KINDS)
def make(request) -> Iterator[Making]:
    with clients(request.param) as make:
        yield make


def added(genrewiz: CommandLine, receiver: Listening, *options: str, secret: str = SECRET) -> str:
    """A new endpoint's id."""
    done = genrewiz("webhooks", "add", receiver.url, "--secret", "-", *options, stdin=f"{secret}\n".encode())
    assert done.code == 0, done.err
    endpoint, shown = done.out.split()
    assert shown == secret
    return endpoint


def delivered(genrewiz: CommandLine, delivery_id: str, status: str = "delivered") -> dict:
    def delivery() -> dict | bool:
        [found] = genrewiz("webhooks", "delivery", delivery_id, "--json").lines
        return found["status"] == status and found

    return eventually(delivery)


def ok(done: Done) -> str:
    assert done.code == 0, done.err
    return done.out


def test_the_end_of_a_submitted_song_arrives_signed_with_our_secret(genrewiz, service, song):
    with listening("--json", GENREWIZ_WEBHOOK_SECRET=SECRET) as receiver:
        command = CommandLine(service.url, GENREWIZ_WEBHOOK_SECRET=SECRET)
        job_id = ok(command("submit", song, "--webhook", receiver.url)).split()[0]
        event = json.loads(receiver.line())

    job = service.finished(job_id)
    assert event["type"] == "job.succeeded"
    assert event["data"]["id"] == job_id
    assert event["data"]["result"]["genre"] == job["result"]["genre"]
    [delivery] = genrewiz("webhooks", "deliveries", "--limit", "1", "--json").lines
    assert (delivery["job"], delivery["sequence"]) == (job_id, event["sequence"])


def test_the_services_own_secret_signs_where_a_song_brings_none_and_can_be_asked_for(
    genrewiz, service, song, folder
):
    secret = ok(genrewiz("keys", "webhook-secret", "--data", folder)).strip()

    with listening("--secret", secret) as receiver:
        job_id = ok(genrewiz("submit", song, "--webhook", receiver.url)).split()[0]
        line = receiver.line()

    assert job_id in line
    assert "job.succeeded" in line
    assert line.endswith("attempt 1")


def test_the_events_that_are_asked_for_arrive_alone(genrewiz, service, song):
    with listening("--json") as receiver:
        wanted = "--webhook-event", "job.started", "--webhook-event", "job.succeeded"
        ok(genrewiz("submit", song, "--webhook", receiver.url, *wanted))
        events = sorted((json.loads(receiver.line()) for _ in range(2)), key=lambda event: event["sequence"])

    assert [event["type"] for event in events] == ["job.started", "job.succeeded"]


def test_a_song_that_names_an_endpoint_is_told_there_and_the_log_has_each_attempt(genrewiz, song):
    with listening("--secret", SECRET) as receiver:
        endpoint = added(genrewiz, receiver, "--event", "job.succeeded", "--description", "fm4")
        job_id = ok(genrewiz("submit", song, "--webhook", endpoint)).split()[0]
        line = receiver.line()
    delivery_id = next(word for word in line.split() if word.startswith("msg_"))
    whole = delivered(genrewiz, delivery_id)

    assert job_id in line
    assert f"{endpoint}  enabled" in ok(genrewiz("webhooks", "list"))
    assert "fm4" in ok(genrewiz("webhooks", "show", endpoint))
    [listed] = genrewiz("webhooks", "deliveries", "--endpoint", endpoint, "--json").lines
    assert (listed["id"], listed["job"], listed["event"]) == (delivery_id, job_id, "job.succeeded")
    assert [each["status_code"] for each in whole["attempts"]] == [204]
    assert "204" in ok(genrewiz("webhooks", "delivery", delivery_id))


def test_what_nobody_took_is_delivered_again_under_its_id_when_somebody_listens(genrewiz):
    with listening("--secret", SECRET) as receiver:
        endpoint = added(genrewiz, receiver)
        assert "delivered" in ok(genrewiz("webhooks", "test", endpoint, "--wait"))
    missed = genrewiz("webhooks", "test", endpoint, "--wait", "--json")

    with listening("--secret", SECRET, port=receiver.port) as after:
        [delivery] = missed.lines
        ok(genrewiz("webhooks", "redeliver", delivery["id"]))
        line = after.line()
        whole = delivered(genrewiz, delivery["id"])

    assert missed.code == 4
    assert delivery["attempts"][0]["error"]["code"] == "connection_failed"
    assert delivery["id"] in line
    assert "webhook.test" in line
    assert [each["status_code"] for each in whole["attempts"]][-1] == 204


def test_a_receiver_that_fails_at_first_is_asked_again(genrewiz):
    with listening("--secret", SECRET, "--fail", "1") as receiver:
        delivery_id = ok(genrewiz("webhooks", "test", added(genrewiz, receiver))).strip()
        line = receiver.line()

    assert line.endswith(f"{delivery_id}  attempt 2")
    whole = delivered(genrewiz, delivery_id)
    assert [each["status_code"] for each in whole["attempts"]] == [500, 204]


def test_what_failed_while_an_endpoint_was_disabled_is_recovered(genrewiz, song):
    with listening("--secret", SECRET) as receiver:
        endpoint = added(genrewiz, receiver)
        assert "disabled (on request)" in ok(genrewiz("webhooks", "set", endpoint, "--disable"))
        job_id = ok(genrewiz("submit", song, "--webhook", endpoint, "--wait", "--json"))
        failed = eventually(
            lambda: (
                genrewiz(
                    "webhooks", "deliveries", "--endpoint", endpoint, "--status", "failed", "--json"
                ).lines
            )
        )
        ok(genrewiz("webhooks", "set", endpoint, "--enable"))
        count = ok(genrewiz("webhooks", "recover", endpoint, "--since", "1h"))
        line = receiver.line()

    assert [each["failed_because"] for each in failed] == ["endpoint_disabled"]
    assert count == "1\n"
    assert json.loads(job_id)["id"] in line


def test_a_rotated_secret_signs_beside_the_old_one(genrewiz):
    with listening("--secret", SECRET) as receiver:
        endpoint = added(genrewiz, receiver)
        rotated = genrewiz("webhooks", "rotate", endpoint)
        ok(genrewiz("webhooks", "test", endpoint, "--wait"))
    with listening("--secret", ok(rotated).strip(), port=receiver.port):
        ok(genrewiz("webhooks", "test", endpoint, "--wait"))

    assert "signs, too, until" in rotated.err


def test_a_user_and_a_password_are_sent_until_they_are_taken_away(genrewiz):
    with listening("--basic-auth", "radio:wörd") as receiver:
        endpoint = added(genrewiz, receiver, "--basic-auth", "radio:wörd")
        ok(genrewiz("webhooks", "test", endpoint, "--wait"))
        shown = ok(genrewiz("webhooks", "set", endpoint, "--no-basic-auth"))
        refused = genrewiz("webhooks", "test", endpoint, "--wait")

    assert "wörd" not in shown
    assert refused.code == 4
    assert "401" in refused.out


def test_an_endpoint_that_was_removed_is_told_no_more_and_named_by_no_song(genrewiz, song):
    with listening() as receiver:
        endpoint = added(genrewiz, receiver)
    assert ok(genrewiz("webhooks", "remove", endpoint)) == f"{endpoint}\n"

    shown = genrewiz("webhooks", "show", endpoint)
    submitted = genrewiz("submit", song, "--webhook", endpoint)

    assert shown.code == submitted.code == 4
    assert "unknown_endpoint" in shown.err
    assert "endpoint" in submitted.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("webhooks", "add", "http://10.0.0.1/hook"),
        ("webhooks", "add", "ftp://radio.example/hook"),
        ("webhooks", "add", "http://127.0.0.1/", "--event", "job.lost"),
        ("webhooks", "add", "http://127.0.0.1/", "--secret", "whsec_c2hvcnQ="),
        ("webhooks", "deliveries", "--endpoint", "whe_" + "0" * 24),
        ("submit", "SONG", "--webhook", "http://10.0.0.1/hook"),
        ("submit", "SONG", "--webhook", "http://127.0.0.1/", "--webhook-secret", "whsec_c2hvcnQ="),
    ],
)
def test_what_the_service_refuses_is_a_sentence_and_no_endpoint(genrewiz, song, arguments):
    before = ok(genrewiz("webhooks", "list"))

    done = genrewiz(*(song if each == "SONG" else each for each in arguments))

    assert (done.code, done.out) == (4, "")
    assert "c2hvcnQ=" not in done.err
    assert ok(genrewiz("webhooks", "list")) == before


def test_both_clients_make_an_endpoint_hear_of_a_song_and_send_it_again(make, service, sample):
    client: Client = make(service.url)
    with listening("--json", GENREWIZ_WEBHOOK_SECRET=SECRET) as receiver:
        endpoint = client.create_endpoint(receiver.url, description="fm4", secret=SECRET)
        job = client.submit(sample, filename="a.mp3", webhook=endpoint)
        event = WebhookEvent.of(json.loads(receiver.line()))

        def arrived() -> list[Delivery]:
            return list(client.deliveries(endpoint=endpoint, status="delivered", since=endpoint.created_at))

        [delivery] = eventually(arrived)
        client.redeliver(delivery)
        again = WebhookEvent.of(json.loads(receiver.line()))
        attempts = eventually(
            lambda: len((found := client.delivery(delivery)).attempts) == 2 and found.attempts
        )

    assert client.change_endpoint(endpoint, description="fm5").description == "fm5"
    assert endpoint.id in [each.id for each in client.endpoints()]
    assert client.recover(endpoint, since=endpoint.created_at) == 0
    client.delete_endpoint(endpoint)
    assert event == again
    assert (event.job.id, event.job.status, delivery.job) == (job.id, "succeeded", job.id)
    assert event.job.result.genre == client.get(job).result.genre
    assert [attempt.status_code for attempt in attempts] == [204, 204]


def test_a_song_by_its_url_takes_a_webhook_of_its_own(make, service):
    client: Client = make(service.url)
    with listening("--json", GENREWIZ_WEBHOOK_SECRET=SECRET) as receiver:
        webhook = Webhook(url=receiver.url, events=["job.failed"], secret=SECRET, basic_auth=("a", "b"))
        client.submit_url(receiver.url, webhook=webhook)
        event = WebhookEvent.of(json.loads(receiver.line()))

    assert (event.type, event.job.status) == ("job.failed", "failed")
    assert event.job.error.code
