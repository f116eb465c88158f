"""What the installed parts add to the command line."""

from importlib.metadata import EntryPoint

import pytest

from genrewiz.plugins import COMMANDS, MissingExtra, _guarded


def entry(value: str) -> EntryPoint:
    return EntryPoint(name="classify", value=value, group=COMMANDS)


@pytest.mark.parametrize("value", ["no_such_module:classify [worker]", "support.needy:needy [worker]"])
def test_a_command_whose_extra_is_missing_says_how_to_install_it(value):
    with pytest.raises(MissingExtra, match=r"classify needs the worker extra.*pip install -e '\.\[worker\]'"):
        _guarded(entry(value))()


def test_a_command_that_is_installed_keeps_its_own_help():
    from worker.commands import classify

    command = _guarded(entry("worker.commands:classify [worker]"))

    assert command.__doc__ == classify.__doc__
