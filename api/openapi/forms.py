"""What is said of an operation, as values: its words, what it takes, and every answer that it may give.

It describes none: `operations.py` and `webhook_operations.py` do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from pydantic import BaseModel

from shared.errors import GenreWizError, NotAcceptable

JsonObject = dict[str, Any]
Errors = tuple[type[GenreWizError], ...]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A good answer."""

    description: str
    body: type[Any] | None = None  # JSON of this type
    media: Mapping[str, JsonObject] = field(default_factory=dict)  # anything that is no JSON
    headers: tuple[str, ...] = ()
    examples: str | None = None  # the group of examples
    only: tuple[str, ...] = ()  # of the group, these; all where it is empty
    links: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Takes:
    """A body that is JSON."""

    body: type[BaseModel]
    examples: str  # the group of examples
    media: tuple[str, ...] = ("application/json",)
    required: bool = True


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What one method of one route does."""

    id: str
    tag: str
    summary: str
    description: str
    answers: Mapping[int, Answer]
    errors: Errors = ()
    parameters: tuple[str, ...] = ()
    takes_a_song: bool = False
    takes: Takes | None = None


JSON: Final[Errors] = (NotAcceptable,)
"""What an answer in JSON may be refused with."""
