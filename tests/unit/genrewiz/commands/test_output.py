"""Answers as lines, JSON and CSV; the exit code of many."""

import csv
import io
import json

import pytest

from genrewiz.commands.answers import Answer, unreadable
from genrewiz.commands.exits import exit_code
from genrewiz.commands.output import Csv, JsonLines, Lines, Pictures, Promises, Rows

TOP = [{"genre": "rock", "probability": 0.87}, {"genre": "metal", "probability": 0.08}]
RESULT = {"genre": "rock", "confidence": 0.87, "abstained_because": None, "top": TOP, "timeline": []}
SOURCE = {"filename": "a.mp3", "duration_seconds": 30.0}
DONE = {"id": "job_1", "status": "succeeded", "result": RESULT, "source": SOURCE, "error": None, "new": [1]}
FAILED = {
    "id": "job_2",
    "status": "failed",
    "result": None,
    "error": {"code": "audio_silent", "detail": "Silent."},
}
CANCELLED = {"id": "job_3", "status": "cancelled", "result": None, "error": None}
QUEUED = {"id": "job_4", "status": "queued", "result": None, "error": None}
UNSURE = DONE | {"result": RESULT | {"genre": None, "abstained_because": "low_confidence"}}


def song(job=None, problem=None, file="a.mp3") -> Answer:
    return Answer(name=file, file=file, job=job, problem=problem)


@pytest.mark.parametrize(
    ("answer", "out", "err"),
    [
        (song(DONE), "a.mp3: rock 87%\n", ""),
        (song(UNSURE), "a.mp3: not sure (rock 87%)\n", ""),
        (song(QUEUED), "a.mp3: job_4 (queued)\n", ""),
        (song(FAILED), "", "a.mp3: Silent. (audio_silent)\n"),
        (song(CANCELLED), "", "a.mp3: The job is cancelled. (cancelled)\n"),
        (song(problem=unreadable("Gone.")), "", "a.mp3: Gone. (unreadable_file)\n"),
        (song(QUEUED, file="\x1b[2J\n.mp3"), "�[2J�.mp3: job_4 (queued)\n", ""),
        (Answer(name="job_2", job=FAILED), "job_2: Silent. (audio_silent)\n", ""),
        (Answer(name="job_4", job=QUEUED), "job_4: queued\n", ""),
        (Answer(name="job_9", problem=unreadable("Gone.")), "", "job_9: Gone. (unreadable_file)\n"),
    ],
)
def test_people_read_one_line_and_failures_of_songs_on_stderr(capsys, answer, out, err):
    Lines().show(answer)

    assert capsys.readouterr() == (out, err)


@pytest.mark.parametrize(
    ("answer", "out", "err"),
    [
        (song(QUEUED), "job_4  a.mp3\n", ""),
        (song(QUEUED, file="\x1b[2J\n.mp3"), "job_4  �[2J�.mp3\n", ""),
        (song(DONE), "job_1  a.mp3: rock 87%\n", ""),
        (song(FAILED), "", "a.mp3: Silent. (audio_silent)\n"),
        (song(problem=unreadable("Gone.")), "", "a.mp3: Gone. (unreadable_file)\n"),
    ],
)
def test_who_does_not_wait_reads_the_id_first_and_the_genre_where_it_is_known(capsys, answer, out, err):
    Promises().show(answer)

    assert capsys.readouterr() == (out, err)


def test_people_see_bars_where_there_is_room(capsys):
    Pictures().show(song(DONE))
    Pictures().show(song(QUEUED))

    assert capsys.readouterr().out.splitlines() == [
        "a.mp3: rock 87%",
        f"  rock        87.0%  {'█' * 26}",
        f"  metal        8.0%  {'█' * 2}",
        "a.mp3: job_4 (queued)",
    ]


def test_programs_get_the_job_as_it_came(capsys):
    for answer in (
        song(DONE, file="ä\udcff\udcfe\n"),
        Answer(name="job_2", job=FAILED),
        song(problem={"code": "x"}),
        Answer(name="\udcff", problem={"code": "x"}),
    ):
        JsonLines().show(answer)

    lines = capsys.readouterr().out.splitlines()
    assert [json.loads(line) for line in lines] == [
        {"file": "ä\ufffd\ufffd\n"} | DONE,
        FAILED,
        {"file": "a.mp3", "id": None, "status": None, "error": {"code": "x"}},
        {"id": "\ufffd", "status": None, "error": {"code": "x"}},
    ]


def test_spreadsheets_get_a_cell_for_each_column_whatever_the_name(capfdbinary):
    table = Csv()
    for name in ('a,"b".mp3', "two\nlines.mp3", "\udcff.mp3"):
        table.show(song(DONE, file=name))
    table.show(song(FAILED))

    text = capfdbinary.readouterr().out.decode("utf-8", "surrogateescape")
    rows = list(csv.DictReader(text.splitlines(keepends=True)))
    assert [row["file"] for row in rows] == ['a,"b".mp3', "two\nlines.mp3", "\udcff.mp3", "a.mp3"]
    assert {row["top"] for row in rows} == {"rock:0.87 metal:0.08", ""}
    assert (rows[0]["genre"], rows[0]["duration_seconds"], rows[0]["error"]) == ("rock", "30.0", "")
    assert (rows[3]["status"], rows[3]["error"], rows[3]["detail"]) == ("failed", "audio_silent", "Silent.")
    assert not any(None in row or None in row.values() for row in rows)


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_a_text_that_a_spreadsheet_would_calculate_is_marked_as_text(capsys, sign):
    evil = sign + "HYPERLINK(1)"
    table = Csv()
    table.show(song(DONE | {"result": RESULT | {"confidence": -0.5}}, file=evil))
    table.show(song(problem=unreadable(evil), file="a.mp3"))
    table.show(Answer(name="job_1", job=DONE | {"source": {"filename": evil}}))

    [first, second, third] = csv.DictReader(io.StringIO(capsys.readouterr().out, newline=""))
    assert (first["file"], first["confidence"]) == (f"'{evil}", "-0.5")
    assert (second["file"], second["detail"]) == ("a.mp3", f"'{evil}")
    assert third["file"] == f"'{evil}"


def test_a_list_stands_in_columns(capsys):
    for job in (DONE | {"created_at": "2026"}, QUEUED | {"created_at": "2026"}):
        Rows().show(Answer(name=job["id"], job=job))

    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["job_1", "succeeded", "rock", "2026", "a.mp3"]
    assert lines[1].split() == ["job_4", "queued", "-", "2026", "-"]
    assert lines[0].index("2026") == lines[1].index("2026")


@pytest.mark.parametrize(
    ("good", "failed", "code"), [(0, 0, 0), (3, 0, 0), (1, 1, 3), (9, 1, 3), (0, 1, 4), (0, 9, 4)]
)
def test_the_exit_code_says_whether_some_or_all_failed(good, failed, code):
    assert exit_code(good=good, failed=failed) == code
