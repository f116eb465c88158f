"""How long a client is waited for, told by a clock that only the client moves."""

import pytest

from api.pace import GRACE_SECONDS, WINDOW_SECONDS, PacedBody
from shared.errors import MalformedRequest, UploadTooSlow

RATE = 1_000  # bytes a second


class Client:
    """Sends a body, each byte after a pause; it is clock, body and wait in one."""

    def __init__(self, pauses: list[float]) -> None:
        self.now = 0.0
        self.pauses = pauses
        self.sent = 0

    def __call__(self) -> float:
        return self.now

    def read(self, size: int) -> bytes:
        """The byte that comes next, and those that come with it."""
        began_at = self.sent
        while self.sent < min(len(self.pauses), began_at + size) and (
            self.sent == began_at or self.pauses[self.sent] == 0
        ):
            self.now += self.pauses[self.sent]
            self.sent += 1
        return bytes(self.sent - began_at)

    def within(self, seconds: float, call) -> bytes:
        ends_at = self.now + seconds
        data = call()
        if self.now > ends_at:
            self.now = ends_at
            raise TimeoutError
        return data


def paced(client: Client, *, seconds: float = 900, rate: int = RATE) -> PacedBody:
    return PacedBody(
        client,
        within=client.within,
        turn=lambda: None,
        bytes_per_second=rate,
        seconds=seconds,
        clock=client,
    )


def read_all(body: PacedBody, size: int) -> None:
    while body.read(size):
        pass


def test_a_body_that_comes_at_the_least_rate_is_read_whole():
    client = Client([1 / RATE * 0.999] * 60_000)

    assert len(paced(client).read()) == 60_000


@pytest.mark.parametrize("size", [1, 1_000, 65_536])
def test_a_body_that_drips_is_given_up_within_two_windows(size):
    client = Client([0.5] * 200)

    with pytest.raises(UploadTooSlow):
        read_all(paced(client), size)

    assert client.now <= 2 * WINDOW_SECONDS + GRACE_SECONDS


def test_bytes_that_came_quickly_buy_no_time_for_later():
    client = Client([0.0] * 100_000 + [3_600.0])
    body = paced(client)

    with pytest.raises(UploadTooSlow):
        body.read()

    assert client.now <= WINDOW_SECONDS + GRACE_SECONDS


def test_a_body_may_take_its_time_to_begin_but_only_once():
    late = WINDOW_SECONDS + GRACE_SECONDS - 1
    share = int(RATE * WINDOW_SECONDS)

    assert len(paced(Client([late] + [0.0] * (2 * share))).read()) == 2 * share + 1
    with pytest.raises(UploadTooSlow):
        paced(Client([late] + [0.0] * share + [late])).read()


def test_a_body_that_takes_too_long_in_all_is_given_up_at_any_rate():
    client = Client([0.1, *[0.0] * 1_000] * 1_100)

    with pytest.raises(UploadTooSlow):
        paced(client, seconds=100).read()

    assert client.now <= 100


def test_time_that_the_server_takes_does_not_count_against_the_rate():
    client = Client([0.0] * 100_000)
    body = paced(client)

    while body.read(1_000):
        client.now += 8.0  # seconds of our own, hashing or waiting for a disk


@pytest.mark.parametrize("error", [ConnectionResetError, ValueError])
def test_a_client_that_breaks_off_is_no_surprise(error):
    class Broken:
        def read(self, size: int) -> bytes:
            raise error

    body = PacedBody(
        Broken(), within=lambda _, call: call(), turn=lambda: None, bytes_per_second=RATE, seconds=900
    )

    with pytest.raises(MalformedRequest):
        body.read(10)
