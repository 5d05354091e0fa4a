"""Every command ends with the next sensible one.

What needs a whole loop (a prediction, an approval) is looked at where the loop is walked; here it
is listed with the place, so that a new command must say what it does.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import click
import pytest

from ordain.cli import COMMANDS, command

if TYPE_CHECKING:
    from places import Place

NEXT = re.compile(r"Next: \S.*")
# Words that can be typed in an estate that was just made.
FOUNDED = {
    "check": "ordain plan",
    "check --rev HEAD": "ordain plan",
    "gate --base HEAD": "ordain plan",
    "plan": "ordain reconcile --once",
    "status": "ordain reconcile --once",
    "proposals list": "ordain status",
    "emergencies list": "ordain status",
    "keys list": "ordain keys create --route ROUTE, or ordain keys revoke ID",
    "lock": "ordain check",
    "codeowners": "ordain check",
    "digest Estate/credit-union": "ordain check",
    "schema": "ordain schema --modelines",
    "schema --modelines": "ordain check",
    "explain SPEC104": "ordain check",
    "explain Model.spec.tier": "ordain check",
    "monitor run": "ordain status",
    "pin": "ordain check",
    "doctor": "ordain check",
    "lint": "ordain test",
    "test": "ordain test --coverage",
    "plan --base HEAD": "ordain proposals list",
    "down": "ordain reconcile --once",
    "audit verify": "ordain reconcile --once",
    "hook install": "ordain hook status",
    "hook status": "ordain hook install",
    "runs list": "ordain train",
    "runs prune": "ordain runs list",
}
# A key must be alone on standard output, lists of keys are for ssh-keygen and manifests for a
# cluster: what comes next is said on the other stream.
ON_STANDARD_ERROR = {"keys create", "keys allowed-signers", "keys revoked", "compile admission"}
ELSEWHERE = {
    "init": "tests/e2e/test_the_loop.py",
    "apply": "the same last lines as reconcile",
    "reconcile": "tests/e2e/test_the_loop.py",
    "reasons": "tests/e2e/test_the_loop.py",
    "report": "tests/e2e/test_the_loop.py",
    "proposals show": "tests/e2e/test_the_loop.py",
    "approve": "tests/e2e/test_the_loop.py",
    "proposals approve": "the same command as approve",
    "proposals merge": "tests/e2e/test_the_loop.py",
    "audit query": "below, after something was recorded",
    "stop": "tests/e2e/test_emergency.py",
    "rollback": "tests/e2e/test_emergency.py",
    "emergencies show": "tests/e2e/test_emergency.py",
    "emergencies end": "tests/e2e/test_emergency.py",
    "audit verdict": "tests/cli/test_audit_verdict.py",
    "provenance": "tests/e2e/test_reproduce.py",
    "reproduce": "tests/e2e/test_reproduce.py",
    "import endpoint": "tests/cli/test_importing.py",
    "import inventory": "tests/cli/test_importing.py",
    "import mlflow": "tests/cli/test_importing.py",
    "import onnx": "tests/cli/test_importing.py",
    "import sklearn": "tests/cli/test_importing.py",
    "keys revoke": "below, after a key was made",
    "train": "tests/cli/test_train.py",
    "validate": "tests/cli/test_validate.py",
    "runs show": "tests/cli/test_train.py",
    "runs compare": "tests/cli/test_train.py",
}
WITHOUT = {
    "demo": "it tells each step itself",
    "serve": "it ends when somebody stops it",
    "hook run": "git calls it and looks at the exit code",
}


def names() -> set[str]:
    """The words of every command that does something."""
    found = set()
    for name in COMMANDS:
        one = command.get_command(click.Context(command), name)
        assert one is not None
        inner = one.commands if isinstance(one, click.Group) else {}
        found |= {f"{name} {below}" for below in inner} or {name}
    return found


def test_every_command_is_listed_here() -> None:
    run = {name for name in names() for words in FOUNDED if f"{words} ".startswith(f"{name} ")}
    listed = run | ON_STANDARD_ERROR | ELSEWHERE.keys() | WITHOUT.keys()
    assert sorted(names() - listed) == []
    assert sorted(listed - names()) == []


@pytest.mark.parametrize(
    "words",
    # Reading data takes the numeric libraries.
    [pytest.param(one, marks=pytest.mark.training) if one == "pin" else one for one in FOUNDED],
)
def test_a_command_ends_with_the_next_one(place: Place, words: str) -> None:
    done = place.ordain(*words.split(), expect=None)
    assert done.stdout.splitlines()[-1] == f"Next: {FOUNDED[words]}"


def test_what_follows_on_findings_is_their_explanation(place: Place) -> None:
    place.edit("specs/routes/credit.yaml", "refer-to-underwriter", "refer")
    place.edit("specs/monitors/credit-default.yaml", "fail: 0.25", "fail: 5")
    lines = place.ordain("check", expect=1).stdout.splitlines()
    assert lines[-1] == "Next: ordain explain POL-drift-limit.features"


def test_keys_and_records_say_what_follows(place: Place) -> None:
    made = place.ordain("keys", "create", "--route", "credit")
    assert NEXT.fullmatch(made.stderr.splitlines()[-1])
    identifier = made.stderr.split()[1]
    revoked = place.ordain("keys", "revoke", identifier).stdout
    assert revoked.splitlines()[-1] == "Next: ordain reconcile --once"
    told = place.ordain("audit", "query").stdout
    assert told.splitlines()[-1] == "Next: ordain audit verify"


@pytest.mark.parametrize("words", ["check", "plan", "status", "audit query", "monitor run"])
def test_json_is_left_to_programs(place: Place, words: str) -> None:
    place.ordain("keys", "create", "--route", "credit")
    lines = place.ordain(*words.split(), "-o", "json").stdout.splitlines()
    assert not any(NEXT.fullmatch(line) for line in lines)
    if lines:
        json.loads("\n".join(lines) if lines[0] == "{" else lines[-1])
