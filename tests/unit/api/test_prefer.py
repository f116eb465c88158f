"""The `Prefer` header, and what of it is ignored."""

import pytest

from api.prefer import wait_seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["wait=10"], 10),
        (["WAIT = 10"], 10),
        (['wait="10"'], 10),
        (["wait=0"], 0),
        (["wait=25"], 25),
        (["wait=26"], 25),
        (["wait=" + "9" * 5_000], 25),
        (["respond-async, wait=7"], 7),
        (['foo="a, wait=3"; bar, wait=7'], 7),
        (["return=minimal; x=y; z, wait=7"], 7),
        (["handling=lenient", "wait=7"], 7),
        (["wait=3, wait=9"], 3),
        (["wait=3", "wait=9"], 3),
    ],
)
def test_the_wish_to_wait_is_found_and_cut_down(headers, seconds):
    assert wait_seconds(headers, most=25) == seconds


@pytest.mark.parametrize(
    "headers",
    [
        [],
        [""],
        ["wait"],
        ["wait="],
        ["wait=x"],
        ["wait=-1"],
        ["wait=1.5"],
        ["wait=１"],
        ["waiting=5"],
        ["=5, wait"],
        ['foo="open, wait=3'],
        [",,,"],
        ["\0"],
        ["a " * 3_000],
        ["a;" * 3_000 + "="],
        ["a" + " ;" * 30_000 + "\0"],
        ['a="' + "\\x" * 30_000],
        ["wait=3 4"],
    ],
)
def test_what_cannot_be_read_is_ignored(headers):
    assert wait_seconds(headers, most=25) is None
