"""Ids of requests and traces: what is believed of a stranger's headers."""

import pytest

from shared.trace import Origin, Span, begin_span, kept_origin, read_traceparent, request_id

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"


def test_a_traceparent_is_read():
    assert read_traceparent(GOOD) == Span(trace_id=TRACE, span_id=PARENT, sampled=True)
    assert read_traceparent(f" {GOOD}\t") == read_traceparent(GOOD)


def test_a_span_is_written_as_it_was_read():
    for flags in ("00", "01"):
        span = read_traceparent(f"00-{TRACE}-{PARENT}-{flags}")
        assert span is not None
        assert span.traceparent == f"00-{TRACE}-{PARENT}-{flags}"


def test_flags_that_are_not_known_here_are_not_passed_on():
    span = read_traceparent(f"00-{TRACE}-{PARENT}-ff")

    assert span is not None
    assert span.traceparent == GOOD


@pytest.mark.parametrize("version", ["01", "cc", "fe"])
@pytest.mark.parametrize("more", ["", "-", "-what-the-future-will-be-like"])
def test_a_later_version_is_read_as_far_as_it_is_known_and_passed_on_as_ours(version, more):
    span = read_traceparent(f"{version}-{TRACE}-{PARENT}-01{more}")

    assert span is not None
    assert span.traceparent == GOOD


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"ff-{TRACE}-{PARENT}-01",  # no version at all
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"0A-{TRACE}-{PARENT}-01",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}0-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}-0x",
        f"00-{TRACE}-{PARENT}",
        f"{GOOD}-more",  # version 00 has four parts
        f"{GOOD}-",
        f"01-{TRACE}-{PARENT}-01.more",
        f"{GOOD},{GOOD}",  # two headers, as WSGI joins them
        f"{GOOD}\n",
    ],
)
def test_what_is_no_traceparent_is_none_and_begins_a_new_trace(header):
    assert read_traceparent(header) is None

    new = begin_span(header)

    assert read_traceparent(new.traceparent) == new
    assert TRACE not in new.traceparent


def test_a_request_is_a_span_of_its_own_in_the_trace_of_its_caller():
    spans = [begin_span(GOOD) for _ in range(2)]

    assert {span.trace_id for span in spans} == {TRACE}
    assert len({PARENT, *(span.span_id for span in spans)}) == 3
    assert all(span.sampled for span in spans)


@pytest.mark.parametrize("header", ["a", "0af7-65:1.x_Y", "x" * 128])
def test_a_clients_own_request_id_is_taken(header):
    assert request_id(header) == header


@pytest.mark.parametrize(
    "header", [None, "", "x" * 129, "a b", 'a"', "a\n", "a,b", "ä", "a/b", "{}", "a\x00", "<script>"]
)
def test_a_request_id_that_could_not_stand_in_a_line_is_replaced(header):
    new = request_id(header)

    assert new.startswith("req_")
    assert request_id(new) == new
    assert request_id(header) != new


def test_an_origin_is_kept_and_found_again():
    origin = Origin(request_id="mine", span=begin_span(GOOD))

    assert kept_origin(origin.request_id, origin.span.traceparent) == origin
    assert origin.fields == {"request_id": "mine", "trace_id": TRACE, "span_id": origin.span.span_id}


@pytest.mark.parametrize("kept", [(None, None), ("mine", None), (None, GOOD), ("", ""), ("mine", "nonsense")])
def test_a_record_without_an_origin_has_none(kept):
    assert kept_origin(*kept) is None
