"""What the command line says about itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

import ordain
from ordain.cli import COMMANDS, command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from places import Place


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every command and subcommand, with the words that call it."""
    for name in COMMANDS:
        found = command.get_command(click.Context(command), name)
        assert found is not None
        yield name, found
        if isinstance(found, click.Group):
            for inner, below in found.commands.items():
                yield f"{name} {inner}", below


ALL = dict(commands())

# A module cannot be called by a word of Python.
OTHER_MODULES = {"import": "importing"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_says_of_itself(name: str) -> None:
    assert COMMANDS[name][1] == (ALL[name].help or "").splitlines()[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_names_the_module(name: str) -> None:
    assert COMMANDS[name][0] == OTHER_MODULES.get(name, name)


@pytest.mark.parametrize("words", ALL)
def test_every_command_and_option_has_a_help_text(words: str) -> None:
    found = ALL[words]
    assert found.help
    assert found.help.splitlines()[0].endswith(".")
    for option in found.params:
        if isinstance(option, click.Option):
            assert option.help, f"{words} {option.opts}"


@pytest.mark.parametrize("words", ALL)
def test_every_argument_of_a_command_is_explained_in_its_help(words: str) -> None:
    """A name in capitals in the usage line is a word of the text, or plain enough by its own."""
    plain = {"MODEL", "DIRECTORY", "IDENTIFIER", "DEPLOYMENTS"}
    for argument in ALL[words].params:
        if isinstance(argument, click.Argument):
            name = argument.metavar or (argument.name or "").upper()
            assert name in plain or name in (ALL[words].help or ""), f"{words} {name}"


def test_help_lists_every_command_and_the_exit_codes(founded: Place) -> None:
    lines = founded.ordain("--help").stdout.splitlines()
    listed = dict(line.strip().split(maxsplit=1) for line in lines if line.startswith("  "))
    for name, (_, text) in COMMANDS.items():
        assert listed[name] == text
    assert lines[-1] == "  Exit codes: 0 fine, 1 findings, 2 usage or internal error."


def test_the_short_form_of_help_is_the_long_one(founded: Place) -> None:
    assert founded.ordain("-h").stdout == founded.ordain("--help").stdout


def test_version_is_one_line(founded: Place) -> None:
    assert founded.ordain("--version").stdout == f"ordain {ordain.__version__}\n"


def test_no_command_is_a_usage_error_that_shows_the_help(founded: Place) -> None:
    done = founded.ordain(expect=2)
    assert done.stdout == ""
    assert "reconcile    Make production equal to git" in done.stderr


def test_an_unknown_command_is_told_which_one_was_meant(founded: Place) -> None:
    done = founded.ordain("chekc", expect=2)
    assert done.stdout == ""
    last = done.stderr.splitlines()[-1]
    assert last == "Error: There is no command 'chekc'. Did you mean 'check'?"


def test_an_unknown_command_that_resembles_none_is_only_refused(founded: Place) -> None:
    done = founded.ordain("xyzzy", expect=2)
    assert done.stderr.splitlines()[-1] == "Error: There is no command 'xyzzy'."


def test_exit_code_0_says_that_all_is_well(founded: Place) -> None:
    done = founded.ordain("check", expect=0)
    assert done.stdout.splitlines()[-1] == "Next: ordain plan"


def test_exit_code_1_says_that_there_are_findings(place: Place) -> None:
    place.edit("specs/monitors/credit-default.yaml", "fail: 0.25", "fail: 5")
    done = place.ordain("check", expect=1)
    assert done.stderr == ""
    assert "error[" in done.stdout


def test_exit_code_1_of_plan_says_that_something_is_to_be_done(founded: Place) -> None:
    founded.ordain("plan", expect=0)
    founded.ordain("plan", "--exit-code", expect=1)


def test_exit_code_2_says_that_the_question_was_wrong(founded: Place) -> None:
    founded.ordain("check", "--nonsense", expect=2)
    founded.ordain("plan", "--rev", "nowhere", expect=2)


def test_a_warning_fails_only_where_it_is_asked_to(place: Place) -> None:
    """The same finding, once below and once at the weight that counts."""
    place.edit("specs/routes/credit.yaml", "refer-to-underwriter", "refer")
    done = place.ordain("check", expect=0)
    assert "warning[" in done.stdout
    place.ordain("check", "--fail-on", "warning", expect=1)
