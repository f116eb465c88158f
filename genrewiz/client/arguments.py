"""What is wrong with an argument, before any server is asked: TypeError and ValueError.

It judges nothing that a server can: which names and numbers there are, it knows best.
"""


def check_text(name: str, value: object, *, kind: str = "text") -> str:
    """The text that this is, and is not empty."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is {kind}, and not of the type {type(value).__name__}.")
    if not value:
        raise ValueError(f"{name} is empty.")
    return value


def check_id(name: str, value: object, *, kind: str) -> str:
    """The id that this is, as it may stand in a path."""
    text = check_text(name, value, kind=kind)
    if text in (".", ".."):
        raise ValueError(f"{name} is no id, but a way to another path.")
    return text


def check_header(name: str, value: object) -> None:
    """What goes into a header must be what one can hold."""
    text = check_text(name, value)
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"{name} holds characters that no header can.")


def check_least(least: int, **values: float | None) -> None:
    """Numbers, where they are given, are this or more."""
    for name, value in values.items():
        if value is not None and value < least:
            raise ValueError(f"{name} must be {least} or more.")
