"""How tests put something around a method of a class, in the process of a fleet alone."""

from collections.abc import Callable
from typing import Any


def after(owner: type, name: str, call: Callable[..., object]) -> None:
    """Have this called behind each call of a method, with what came of it and what it was called with."""
    method = getattr(owner, name)

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = method(*args, **kwargs)
        call(result, *args)
        return result

    setattr(owner, name, wrapped)
