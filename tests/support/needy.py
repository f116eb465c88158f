"""A command that imports, when it is called, what is not installed."""


def needy() -> None:
    import no_such_module  # noqa: F401


def needy_group() -> dict:
    return {"needy": needy}
