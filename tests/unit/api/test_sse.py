"""Frames of an event stream."""

import json

from api.sse import HEARTBEAT, RETRY, frame


def test_a_frame_has_an_id_a_name_and_one_line_of_json():
    text = frame("window", {"genre": "rock", "line": "a\nb\r"}, "17-3").decode()

    lines = text.split("\n")
    assert lines[:2] == ["id: 17-3", "event: window"]
    assert json.loads(lines[2].removeprefix("data: ")) == {"genre": "rock", "line": "a\nb\r"}
    assert lines[3:] == ["", ""]
    assert "\r" not in text


def test_a_frame_without_an_id_leaves_that_of_the_last_one():
    assert frame("reset", {}) == b"event: reset\ndata: {}\n\n"


def test_a_heartbeat_is_a_comment_and_no_event():
    assert HEARTBEAT.startswith(b":")
    assert RETRY == b"retry: 3000\n\n"
