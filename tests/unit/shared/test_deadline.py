"""A limit on all that a connection does: it is kept, it can be brought nearer, and it leaves nothing."""

import socket
import threading

import pytest

from shared.deadline import Deadline
from shared.errors import FetchTimeout
from support.waiting import PATIENCE_SECONDS, eventually

FAR = 100 * PATIENCE_SECONDS


def reading(connection: socket.socket) -> list[bytes]:
    """What a thread that waits for data has got."""
    got: list[bytes] = []
    threading.Thread(target=lambda: got.append(connection.recv(1)), daemon=True).start()
    return got


@pytest.mark.parametrize("is_watched_before", [True, False])
def test_who_waits_on_a_watched_connection_is_cut_off_once_the_end_was_brought_nearer(is_watched_before):
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(FAR) as deadline:
        if is_watched_before:
            deadline.watch(ours)
        got = reading(ours)
        deadline.check()
        deadline.shorten(0.05)
        if not is_watched_before:
            deadline.watch(ours)
        eventually(lambda: got == [b""])
        with pytest.raises(FetchTimeout):
            deadline.check()


def test_the_end_is_never_put_off():
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(0.05) as deadline:
        deadline.watch(ours)
        deadline.shorten(FAR)
        assert deadline.remaining_seconds <= 0.05
        got = reading(ours)
        eventually(lambda: got == [b""])


def test_many_may_bring_the_end_nearer_at_once_and_the_nearest_counts():
    ours, theirs = socket.socketpair()
    with ours, theirs, Deadline(FAR) as deadline:
        deadline.watch(ours)
        got = reading(ours)
        threads = [threading.Thread(target=deadline.shorten, args=(FAR / each,)) for each in range(2, 20)]
        threads.append(threading.Thread(target=deadline.shorten, args=(0.05,)))
        for thread in threads:
            thread.start()
        eventually(lambda: got == [b""])
        for thread in threads:
            thread.join()


def test_who_leaves_in_time_keeps_its_connection_and_no_thread_waits_for_the_end():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for _ in range(20):
            with Deadline(FAR) as deadline:
                deadline.watch(ours)
        eventually(lambda: not [each for each in threading.enumerate() if each.name == "deadline"])
        ours.sendall(b"x")
        assert theirs.recv(1) == b"x"
