"""The query of a list of jobs, and its cursors."""

from base64 import urlsafe_b64encode
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.datastructures import MultiDict

from api.listing import Wanted, cursor_of, parse_wanted
from api.pages import DEFAULT_LIMIT, MAX_LIMIT
from shared.errors import InvalidRequest
from shared.job import JobId, JobStatus
from shared.transitions import Place

JOB = JobId("job_" + "0a" * 12)
PLACE = Place(score="1700000000.123456", job_id=JOB)


def wanted(*pairs: tuple[str, str]) -> Wanted:
    return parse_wanted(MultiDict(pairs))


def parameters(*pairs: tuple[str, str]) -> list[str]:
    with pytest.raises(InvalidRequest) as refused:
        wanted(*pairs)
    assert {each.where for each in refused.value.errors} == {"parameter"}
    return [each.name for each in refused.value.errors]


def encoded(text: bytes) -> str:
    return urlsafe_b64encode(text).decode().rstrip("=")


def test_who_asks_for_nothing_gets_twenty_of_every_status_from_the_newest():
    assert wanted() == Wanted(status=None, limit=DEFAULT_LIMIT, after=None)
    assert DEFAULT_LIMIT == 20


@pytest.mark.parametrize("status", list(JobStatus))
def test_every_status_can_be_asked_for(status):
    assert wanted(("status", status.value)).status is status


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("007", 7), ("100", MAX_LIMIT)])
def test_a_limit_is_a_number_from_1_to_100(text, limit):
    assert wanted(("limit", text)).limit == limit


@pytest.mark.parametrize("text", ["0", "101", "-1", "1.0", "", " 1", "1e1", "٣", "1" * 4, "1\n"])
def test_any_other_limit_is_named(text):
    assert parameters(("limit", text)) == ["limit"]


@pytest.mark.parametrize(
    "score", ["0", "1700000000.123456", "1.7954523546473491e+9", "9" * 20 + "." + "9" * 20]
)
def test_a_place_comes_back_from_its_cursor(score):
    place = Place(score=score, job_id=JOB)

    assert wanted(("cursor", cursor_of(place))).after == place


def test_a_cursor_needs_no_escaping_in_a_url():
    assert set(cursor_of(PLACE)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "%00",
        "ä",
        "A" * 201,
        encoded(b""),
        encoded(b"1.5"),
        encoded(b"1.5 job_0"),
        encoded(f" {JOB}".encode()),
        encoded(f"-1.5 {JOB}".encode()),
        encoded(f"+inf {JOB}".encode()),
        encoded(f"nan {JOB}".encode()),
        encoded(f"e9 {JOB}".encode()),
        encoded(f"1e {JOB}".encode()),
        encoded(f"1e999 {JOB}".encode()),
        encoded(f"(1 {JOB}".encode()),
        encoded(f"1. {JOB}".encode()),
        encoded(f"{'1' * 21} {JOB}".encode()),
        encoded(f"1.5  {JOB}".encode()),
        encoded(f"1.5 {JOB} ".encode()),
        encoded(f"1.5 {JOB}\n".encode()),
        encoded(b"\xff\xfe 1"),
    ],
)
def test_what_no_cursor_of_ours_says_is_named(text):
    assert parameters(("cursor", text)) == ["cursor"]


@pytest.mark.parametrize("text", ["", "x", "xx", "xxxxx", "ü", "!"])
def test_of_a_cursor_nothing_is_said_but_that_it_is_not_ours(text):
    with pytest.raises(InvalidRequest) as refused:
        parse_wanted(MultiDict([("cursor", text)]))

    assert [wrong.detail for wrong in refused.value.errors] == ["not a cursor of ours"]


def test_everything_that_is_wrong_is_named_at_once_as_it_was_written():
    assert parameters(("limit", "x"), ("status", "done"), ("cursor", "x"), ("a~b/c", "1")) == [
        "a~b/c",
        "status",
        "limit",
        "cursor",
    ]


@pytest.mark.parametrize("name", ["status", "limit", "cursor"])
def test_a_parameter_that_stands_twice_is_named(name):
    value = {"status": "queued", "limit": "1", "cursor": cursor_of(PLACE)}[name]

    assert parameters((name, value), (name, value)) == [name]


@pytest.mark.parametrize("status", [None, JobStatus.FAILED])
def test_the_link_to_the_next_page_asks_for_the_same_from_its_cursor_on(status):
    asked = Wanted(status=status, limit=7, after=None)

    link = urlsplit(asked.link(cursor_of(PLACE)))

    assert link.path == "/jobs"
    pairs = [(name, value) for name, values in parse_qs(link.query).items() for value in values]
    assert wanted(*pairs) == Wanted(status=status, limit=7, after=PLACE)
