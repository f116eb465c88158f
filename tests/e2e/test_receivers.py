"""The receivers that docs/webhooks.md shows, in each language."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.receivers import (
    FOREIGN_SECRET,
    NEW_SECRET,
    SECRET,
    WEBHOOKS,
    Running,
    event,
    failure,
    program,
    running,
)
from support.waiting import eventually

RECEIVERS = ("receiver.py", "receiver_client.py", "receiver.mjs", "receiver.php")


@pytest.fixture(params=RECEIVERS)
def receiver(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Running]:
    with running(tmp_path / "webhooks", request.param) as up:
        yield up


def test_what_is_signed_is_acted_on(receiver: Running):
    assert receiver.deliver(event("rock", job="job_1"), webhook_id="msg_1") == 204
    assert receiver.deliver(event(None, job="job_2"), webhook_id="msg_2") == 204
    assert receiver.deliver(failure(), webhook_id="msg_3") == 204
    assert (
        receiver.deliver({"type": "webhook.test", "data": {"endpoint": "whe_1"}}, webhook_id="msg_4") == 204
    )

    assert receiver.acted() == ["job_1,succeeded,rock", "job_2,succeeded,", "job_2,failed,"]


def test_only_the_end_of_a_job_is_written_down(receiver: Running):
    """Who lists `job.started` and `job.progress` gets one line for a job all the same."""
    told = {"id": "job_1", "status": "running", "result": None, "error": None, "metadata": {}}
    names = ["job.started", "job.progress", "job.failed", "job.cancelled", "job.expired"]
    answers = [
        receiver.deliver(
            {"type": name, "data": told | {"status": name.removeprefix("job.")}}, webhook_id=name[4:]
        )
        for name in names
    ]

    assert answers == [204] * 5
    assert receiver.acted() == ["job_1,failed,", "job_1,cancelled,", "job_1,expired,"]


@pytest.mark.parametrize("name", RECEIVERS)
def test_an_event_that_lacks_what_every_event_has_is_refused_and_nothing_written(name: str, tmp_path: Path):
    lacking = [
        {"type": "job.succeeded"},
        {"type": "job.succeeded", "data": None},
        {"type": "job.succeeded", "data": []},
        {"type": "job.succeeded", "data": "job_1"},
        {"type": "job.succeeded", "data": {}},
        {"type": "job.succeeded", "data": {"id": "job_1"}},
        {"type": "job.succeeded", "data": {"id": 7, "status": "succeeded"}},
        {"type": 7, "data": {"id": "job_1", "status": "succeeded"}},
        {"data": {"id": "job_1", "status": "succeeded"}},
    ]
    with running(tmp_path / "webhooks", name) as receiver:
        answers = [receiver.deliver(each) for each in lacking]

        assert answers == [400] * len(lacking)
        assert receiver.deliver() == 204
        assert receiver.acted() == ["job_1,succeeded,rock"]


def test_an_event_that_comes_again_is_acted_on_once(receiver: Running):
    answers = [receiver.deliver(webhook_id="msg_1"), receiver.deliver(webhook_id="msg_1")]
    assert receiver.deliver(webhook_id="msg_2") == 204

    assert answers == [204, 204]
    assert len(receiver.acted()) == 2


def test_an_event_that_comes_twice_at_once_is_acted_on_once(receiver: Running):
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda _: receiver.deliver(webhook_id="msg_1"), range(8))

        assert list(answers) == [204] * 8
    assert len(receiver.acted()) == 1


@pytest.mark.parametrize("name", ["receiver.py", "receiver.php"])  # those that answer several at once
def test_while_an_event_is_acted_on_the_same_one_waits(name: str, tmp_path: Path):
    pipe = tmp_path / "webhooks" / "genres.csv"
    with running(tmp_path / "webhooks", name) as receiver, ThreadPoolExecutor(4) as pool:
        os.mkfifo(pipe)  # whoever writes there waits for a reader
        answers = pool.map(lambda _: receiver.deliver(webhook_id="msg_1"), range(4))
        eventually(lambda: receiver.requests_read() >= 2)
        with pipe.open() as written:
            lines = written.readlines()

        assert list(answers) == [204] * 4
        assert len(lines) == 1


@pytest.mark.parametrize("name", RECEIVERS)
def test_what_was_acted_on_is_known_after_a_kill(name: str, tmp_path: Path):
    with running(tmp_path / "webhooks", name) as receiver:
        assert receiver.deliver(webhook_id="msg_1") == 204
        receiver.kill()

    with running(tmp_path / "webhooks", name) as receiver:
        assert receiver.deliver(webhook_id="msg_1") == 204
        assert len(receiver.acted()) == 1


@pytest.mark.parametrize("name", RECEIVERS)
def test_what_could_not_be_acted_on_is_asked_for_again(name: str, tmp_path: Path):
    folder = tmp_path / "webhooks"
    with running(folder, name) as receiver:
        (folder / "genres.csv").mkdir()  # it cannot be written
        refused = receiver.deliver(webhook_id="msg_1")
        (folder / "genres.csv").rmdir()

        assert refused == 500
        assert receiver.deliver(webhook_id="msg_1") == 204
        assert len(receiver.acted()) == 1


def test_of_two_signatures_one_has_to_fit(receiver: Running):
    rotated = receiver.deliver(secrets=(NEW_SECRET, SECRET), webhook_id="msg_1")
    foreign = receiver.deliver(secrets=(NEW_SECRET, FOREIGN_SECRET), webhook_id="msg_2")

    assert (rotated, foreign) == (204, 401)
    assert len(receiver.acted()) == 1


@pytest.mark.parametrize("name", RECEIVERS)
def test_a_receiver_believes_two_secrets_while_one_is_being_changed(name: str, tmp_path: Path):
    with running(tmp_path / "webhooks", name, secret=f"{NEW_SECRET} {SECRET}") as receiver:
        answers = [
            receiver.deliver(secrets=(secret,), webhook_id=f"msg_{number}")
            for number, secret in enumerate((SECRET, NEW_SECRET, FOREIGN_SECRET))
        ]

    assert answers == [204, 204, 401]


def test_what_is_forged_changed_or_old_is_refused(receiver: Running):
    body = b'{"type": "job.succeeded", "data": {"id": "job_1", "status": "succeeded"}}'
    good = receiver.deliver(body, webhook_id="msg_0")
    answers = {
        "foreign secret": receiver.deliver(secrets=(FOREIGN_SECRET,)),
        "changed body": receiver.deliver(body, sent=body.replace(b"job_1", b"job_2")),
        "longer body": receiver.deliver(body, sent=body + b" "),
        "old": receiver.deliver(seconds_ago=301),
        "of the future": receiver.deliver(seconds_ago=-330),
    }

    assert good == 204
    assert set(answers.values()) == {401}, answers
    assert len(receiver.acted()) == 1
    assert SECRET not in receiver.text()


def test_garbage_is_refused(receiver: Running):
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    bad = [
        receiver.post(b"{}", {}),
        receiver.post(b"", headers | {"webhook-signature": ""}),
        receiver.post(b"{}", headers | {"webhook-timestamp": "now"}),
        receiver.post(b"{}", headers | {"webhook-timestamp": "-1"}),
        receiver.post(b"\xff\x00", headers | {"webhook-signature": "v1, , ,, v2,x v1a"}),
        receiver.post(b"{}", headers),
        receiver.deliver(b"no json"),
        receiver.deliver(b"\xff\xfe"),
        receiver.deliver(b"[1]"),
        receiver.deliver(b"null"),
        receiver.deliver(webhook_id="../../escaped"),
        receiver.deliver(webhook_id="a" * 101),
    ]

    assert set(bad) <= {400, 401}, bad
    assert receiver.post(b"x" * 70_000, headers) == 413
    assert receiver.deliver() == 204
    assert len(receiver.acted()) == 1


@pytest.mark.parametrize("name", RECEIVERS)
@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ="])
def test_without_a_secret_nothing_is_believed(name: str, secret: str, tmp_path: Path):
    if name.endswith(".php"):  # it is asked at each request
        with running(tmp_path / "webhooks", name, secret=secret) as receiver:
            assert receiver.deliver(secrets=(secret or "whsec_",)) == 500
            assert receiver.acted() == []
    else:
        with (
            pytest.raises(AssertionError, match="Set GENREWIZ_WEBHOOK_SECRET"),
            running(tmp_path / "webhooks", name, secret=secret),
        ):
            pass


def test_a_program_that_is_missing_is_told_how_to_get(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PATH", "/nonexistent")

    for name, package in {"node": "nodejs", "php": "php-cli", "liquidsoap": "liquidsoap"}.items():
        with pytest.raises(AssertionError, match=f"apt-get install {package}"):
            program(name)


def test_every_receiver_is_tested():
    assert {file.name for file in WEBHOOKS.glob("receiver*")} == set(RECEIVERS)
