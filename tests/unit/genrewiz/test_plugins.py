"""What the installed parts add to the command line."""

from importlib.metadata import EntryPoint

import pytest

from genrewiz.plugins import COMMANDS, MissingExtra, _guarded, _guarded_group


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


def test_the_subcommands_of_a_group_are_found_and_keep_their_own_help():
    from shared.key_commands import keys

    commands = _guarded_group(entry("shared.key_commands:keys [shared]"))()

    assert {name: command.__doc__ for name, command in commands.items()} == {
        name: command.__doc__ for name, command in keys().items()
    }


@pytest.mark.parametrize("value", ["no_such_module:group [worker]", "support.needy:needy_group [worker]"])
def test_a_group_whose_extra_is_missing_says_so_at_the_latest_when_it_is_used(value):
    with pytest.raises(MissingExtra, match=r"needs the worker extra"):
        _guarded_group(entry(value))()["needy"]()
