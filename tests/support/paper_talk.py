"""The client's core with a server that answers by a script, and a clock that only sleeping moves."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from genrewiz.client import ClientError
from genrewiz.client.conversation import Conversation
from genrewiz.client.effects import Answer, Broken, Give, Read, Request, Sleep
from genrewiz.client.retry import Patience

BROKEN = Broken(reason="refused", cause=OSError("refused"))


@dataclass
class Played:
    """What a call of the client's wanted, and how it ended."""

    requests: list[Request] = field(default_factory=list)
    sleeps: list[float] = field(default_factory=list)
    items: list[Any] = field(default_factory=list)
    value: Any = None
    error: ClientError | None = None


class World:
    """A server that answers by a script, and a clock that only sleeping moves."""

    def __init__(self, *script: Any, **bounds: Any) -> None:
        self.time = 1_000.0
        self.script: Iterator[Any] = iter(script)
        self.talk = Conversation(
            server="http://server",
            patience=Patience(**bounds),
            clock=lambda: self.time,
            now=lambda: 1_700_000_000,
            dice=lambda: 1.0,
        )

    def play(self, steps: Any, *, before_answer: Callable[[Request], None] = lambda _: None) -> Played:
        played, outcome = Played(), None
        try:
            while True:
                effect = steps.send(outcome)
                outcome = None
                match effect:
                    case Give(item):
                        played.items.append(item)
                    case Sleep(seconds):
                        played.sleeps.append(seconds)
                        self.time += seconds
                    case Read():
                        outcome = next(self.script)
                    case _:
                        played.requests.append(effect.request)
                        before_answer(effect.request)
                        outcome = next(self.script)
        except StopIteration as end:
            played.value = end.value
        except ClientError as error:
            played.error = error
        assert next(self.script, "empty") == "empty", "the client has asked too little"
        return played


def said(what: Any, status: int = 200, **headers: str) -> Answer:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, headers=names, body=json.dumps(what).encode())


def problem(status: int, code: str, **headers: str) -> Answer:
    return said({"code": code, "title": "No", "detail": "It is so.", "retryable": True}, status, **headers)
