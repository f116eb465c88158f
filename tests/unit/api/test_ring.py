"""What watchers share who were called by one ring."""

import threading

import pytest

from api.hub import Ring
from shared.errors import StoreUnavailable, UnknownJob


def test_many_who_look_at_one_place_at_once_look_once():
    ring, looks, may_look = Ring(), [], threading.Event()

    def look() -> int:
        may_look.wait(60)
        looks.append(1)
        return len(looks)

    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(ring.shared("1-0", look))) for _ in range(8)]
    for thread in threads:
        thread.start()
    may_look.set()
    for thread in threads:
        thread.join()

    assert found == [1] * 8


def test_another_place_and_another_ring_are_looked_at_anew():
    ring = Ring()

    assert ring.shared("1-0", lambda: "a") == "a"
    assert ring.shared("2-0", lambda: "b") == "b"
    assert Ring().shared("1-0", lambda: "c") == "c"


@pytest.mark.parametrize("kind", [StoreUnavailable, UnknownJob])
def test_an_error_is_everybodys_and_is_not_asked_for_again(kind):
    # Redis that is away is waited for once, not once a watcher.
    ring, looks = Ring(), []

    def look() -> None:
        looks.append(1)
        raise kind("gone")

    for _ in range(3):
        with pytest.raises(kind, match="gone"):
            ring.shared("1-0", look)

    assert len(looks) == 1
