"""Answers on stdout: lines for people, JSON lines or CSV for programs.

It talks to nobody: what people should know besides is `talk.py`'s. Where people read, songs that failed go
to stderr.
"""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import typer

from genrewiz.commands.answers import Answer
from genrewiz.commands.inputs import shown

BAR_CHARACTERS: Final = 30
COLUMNS: Final = (
    "file", "id", "status", "genre", "confidence", "abstained_because", "top", "duration_seconds",
    "model_version", "created_at", "finished_at", "error", "detail",
)  # fmt: skip

FORMULA_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")
"""With which a cell begins that a spreadsheet would calculate: a file's name is anybody's."""
_NO_TEXT: Final = re.compile("[\ud800-\udfff]")
"""What Python makes of bytes in a name that are no UTF-8."""


class Output(Protocol):
    """Where answers go."""

    def show(self, answer: Answer) -> None:
        """Print it, at once."""
        ...


class JsonLines:
    """One line of JSON each: the job as the server gave it, with `file` in front where there is one."""

    def show(self, answer: Answer) -> None:
        """Where there is no job, `id` and `status` are null, and `error` says why."""
        named = {} if answer.file is None else {"file": _text(answer.file)}
        without = {"id": None if answer.file is not None else _text(answer.name), "status": None}
        body = answer.job if answer.job is not None else {**without, "error": answer.problem}
        typer.echo(json.dumps({**named, **body}))


class Csv:
    """A header, then a row each."""

    def __init__(self) -> None:
        self._row(COLUMNS)

    def show(self, answer: Answer) -> None:
        """What is not known is empty."""
        row = _row(answer)
        self._row([row.get(column) for column in COLUMNS])

    @staticmethod
    def _row(cells: Any) -> None:
        text = io.StringIO()
        # Of the ends of lines in a name, the writer quotes those alone with which it ends its own.
        csv.writer(text, lineterminator="\r\n").writerow(map(_cell, cells))
        line = text.getvalue().removesuffix("\r\n") + "\n"
        typer.echo(line.encode("utf-8", "surrogateescape"), nl=False)


class Lines:
    """A line each, for people."""

    def show(self, answer: Answer) -> None:
        """A song that failed is talk; a job that has failed, where it was asked for by its id, is data."""
        is_talk = answer.error is not None and (answer.job is None or answer.file is not None)
        typer.echo(f"{shown(answer.name)}: {_headline(answer)}", err=is_talk)


class Promises:
    """A line each, for people who do not wait: the job's id first, as `genrewiz list` has it."""

    def show(self, answer: Answer) -> None:
        """With the genre where it is known already."""
        job = answer.job or {}
        if answer.error is not None:
            Lines().show(answer)
        elif job.get("result"):
            typer.echo(f"{job['id']}  {shown(answer.name)}: {_headline(answer)}")
        else:
            typer.echo(f"{job['id']}  {shown(answer.name)}")


class Pictures:
    """A few lines each, for people: the genres with bars."""

    def show(self, answer: Answer) -> None:
        """As a line, and then the bars."""
        Lines().show(answer)
        result = (answer.job or {}).get("result")
        if result:
            for line in bars(result):
                typer.echo(line)


class Rows:
    """A row each, for people: the columns stand below each other."""

    def show(self, answer: Answer) -> None:
        """Of jobs alone: whoever lists them has no other answers."""
        row = _row(answer)
        cells = (f"{row['id']}", f"{row['status']:<9}", f"{row['genre'] or '-':<9}", f"{row['created_at']}")
        typer.echo("  ".join((*cells, shown(row["file"] or "-"))))


def output(*, as_json: bool, as_csv: bool, people: Output) -> Output:
    """As it was asked for; people: what they get who asked for nothing."""
    if as_json and as_csv:
        raise typer.BadParameter("--json and --csv are two forms: choose one.")
    if as_json:
        return JsonLines()
    if as_csv:
        return Csv()
    return people


def bars(result: Mapping[str, Any]) -> Iterator[str]:
    """The first genres and their probabilities, drawn."""
    for each in result["top"]:
        share = each["probability"]
        yield f"  {each['genre']:<10} {share:6.1%}  {'█' * round(share * BAR_CHARACTERS)}".rstrip()


def _text(name: str) -> str:
    """A name as every reader of JSON takes it: bytes that are no UTF-8 are seen to be so."""
    return _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", name)


def _cell(value: object) -> object:
    """A value as a spreadsheet takes it for what it is: text that looks like a formula is marked as text."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def _headline(answer: Answer) -> str:
    error = answer.error
    if error is not None:
        return f"{error['detail']} ({error['code']})"
    job = answer.job or {}
    result = job.get("result")
    if not result:
        return str(job["status"]) if answer.name == job["id"] else f"{job['id']} ({job['status']})"
    first = result["top"][0]
    if result.get("genre") is None:
        return f"not sure ({first['genre']} {first['probability']:.0%})"
    return f"{result['genre']} {first['probability']:.0%}"


def _row(answer: Answer) -> Mapping[str, Any]:
    job = answer.job or {}
    result, source, model = (job.get(part) or {} for part in ("result", "source", "model"))
    error = answer.error or {}
    named = source.get("filename") if answer.file is None else answer.file
    return {
        **{column: job.get(column) for column in ("id", "status", "created_at", "finished_at")},
        **{column: result.get(column) for column in ("genre", "confidence", "abstained_because")},
        "file": named if answer.job is not None else answer.name,
        "top": " ".join(f"{each['genre']}:{each['probability']}" for each in result.get("top", ())),
        "duration_seconds": source.get("duration_seconds"),
        "model_version": model.get("version"),
        "error": error.get("code"),
        "detail": error.get("detail"),
    }
