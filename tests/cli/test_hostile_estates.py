"""Estates made to break the check: one finding each, with bounds on time and memory.

Every case is a process of its own with a limit on CPU time and on its address space, so that what
loops or swells dies and fails the test instead of the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import confined
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Twice what is promised, for a machine that has other work to do meanwhile.
SECONDS = 2.0
# Far above what is allowed: it only keeps a failure from going on for ever.
KILLED = 20
ADDRESS_SPACE = 2 << 30
PEAK = 200 << 20

ESTATE = """apiVersion: ordain.dev/v1
kind: Estate
metadata: {name: hostile}
spec: {environments: [{name: production}]}
"""
CHANNEL = b"apiVersion: ordain.dev/v1\nkind: AlertChannel\nmetadata: {name: ops}\n"
POLICY = """apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: mine}
spec:
  match: {kinds: [Estate]}
  %s
  validations:
    - expression: >-
        %s
      message: wrong
"""
BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))])


def policy(expression: str, extra: str = "") -> dict[str, bytes]:
    return {"policies/mine.yaml": (POLICY % (extra, expression)).encode()}


def doubled(levels: int) -> str:
    """Variables each of which is twice as long as the one before."""
    first = "variables: [{name: v0, expression: \"'0123456789'\"}"
    rest = (
        f', {{name: v{n}, expression: "variables.v{n - 1} + variables.v{n - 1}"}}'
        for n in range(1, levels)
    )
    return first + "".join(rest) + "]"


def nested(levels: int) -> str:
    loops = "".join(f"[0,1,2,3,4,5,6,7,8,9].all(v{n}, " for n in range(levels))
    return loops + "true" + ")" * levels


# What is put into the estate, the code that it must be found as, and a part of the message.
CASES: dict[str, tuple[dict[str, bytes], str, str]] = {
    "a policy that is a list": (
        {"policies/mine.yaml": b"- apiVersion: ordain.dev/v1\n"},
        "SPEC100",
        "",
    ),
    "an expression that is cut off": (policy("object.spec."), "POL001", "Syntax error"),
    "division by zero": (policy("1 / (1 - size('x')) == 1"), "POL002", "divide by zero"),
    "a missing key": (policy("object.spec.nothing == 1"), "POL002", "nothing"),
    "loops in loops": (policy(nested(7)), "POL002", "more than 1,000,000 steps"),
    "a text that doubles": (
        policy("size(variables.v39) > 0", doubled(40)),
        "POL002",
        "more than 1,000,000 characters",
    ),
    "ten thousand parentheses": (
        policy("(" * 10_000 + "true" + ")" * 10_000),
        "POL001",
        "recursion",
    ),
    "a regular expression that backtracks": (
        policy(f"'{'a' * 5_000}b'.matches('^(a+)+$')"),
        "POL-mine",
        "wrong",
    ),
    "a regular expression that is none": (policy("'a'.matches('(')"), "POL002", ""),
    "a policy without end": (
        policy("'a' == '" + "a" * 40_000 + "'"),
        "POL001",
        "longer than 32,768",
    ),
    "ten megabytes": (
        {"specs/big.yaml": b"a: " + b"x" * 10_000_001},
        "SPEC011",
        "",
    ),
    "an alias bomb": ({"specs/bomb.yaml": BOMB.encode()}, "SPEC017", ""),
    "deep brackets": ({"specs/deep.yaml": b"[" * 10_000}, "SPEC018", ""),
    "no UTF-8": ({"specs/latin.yaml": b"purpose: Pr\xe9vision\n"}, "SPEC010", ""),
    "an object of Python": (
        {
            "specs/tag.yaml": CHANNEL
            + b"spec: {type: webhook, addressFrom: !!python/name:os.getpid ''}\n"
        },
        "SPEC014",
        "",
    ),
}


def checked(directory: Path, tmp_path: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The exit code and the JSON of one check, which keeps to its bounds."""
    report = tmp_path / "spent.json"
    check = (sys.executable, "-m", "ordain.cli", "-C", str(directory), "check", "-o", "json")
    limits = (str(report), str(KILLED), str(ADDRESS_SPACE))
    done = subprocess.run(
        (sys.executable, confined.__file__, *limits, *check, *arguments),
        capture_output=True,
        text=True,
        check=False,
    )
    spent = json.loads(report.read_text())
    assert spent["seconds"] <= SECONDS
    assert spent["bytes"] <= PEAK
    return done.returncode, json.loads(done.stdout)


def estate(tmp_path: Path, files: dict[str, bytes]) -> Path:
    directory = tmp_path / "estate"
    for path, data in ({"ordain.yaml": ESTATE.encode()} | files).items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return directory


@pytest.mark.parametrize("case", CASES)
def test_one_finding_and_no_more_than_it_takes(tmp_path: Path, case: str) -> None:
    files, code, words = CASES[case]
    exit_code, said = checked(estate(tmp_path, files), tmp_path)
    found = [one for one in said["findings"] if one["severity"] == "error"]
    assert exit_code == 1
    assert [one["code"] for one in found] == [code]
    assert words in found[0]["message"]
    assert found[0]["location"]["path"] in {*files, "ordain.yaml"}


def link_out(directory: Path) -> None:
    (directory / "specs").mkdir()
    (directory / "specs" / "out.yaml").symlink_to("/etc/hostname")


def loop(directory: Path) -> None:
    (directory / "specs").mkdir()
    (directory / "specs" / "loop.yaml").symlink_to("loop.yaml")


def pipe(directory: Path) -> None:
    (directory / "specs").mkdir()
    os.mkfifo(directory / "specs" / "pipe.yaml")


@pytest.mark.parametrize("make", [link_out, loop, pipe])
def test_what_is_no_file_of_the_estate_is_one_finding(
    tmp_path: Path, make: Callable[[Path], None]
) -> None:
    directory = estate(tmp_path, {})
    make(directory)
    exit_code, said = checked(directory, tmp_path)
    assert exit_code == 1
    assert [one["code"] for one in said["findings"] if one["severity"] == "error"] in (
        ["SPEC020"],
        ["SPEC021"],
    )


def test_a_thousand_broken_files_are_a_thousand_findings_within_the_same_bounds(
    tmp_path: Path,
) -> None:
    files = {f"specs/{n}.yaml": b"kind: Modle\nmetadata: {name: x}\n" for n in range(1_000)}
    exit_code, said = checked(estate(tmp_path, files), tmp_path)
    assert exit_code == 1
    assert {one["location"]["path"] for one in said["findings"]} >= files.keys()


def test_many_mistakes_in_one_file_are_a_hundred_findings_and_a_word_on_the_rest(
    tmp_path: Path,
) -> None:
    keys = "".join(f"k{n}: {{a: 1, a: 2}}\n" for n in range(500))
    model = "kind: Model\nmetadata: {name: m}\nspec:\n" + "".join(f"  u{n}:\n" for n in range(500))
    files = {"specs/twice.yaml": f"{keys}{keys}".encode(), "specs/unknown.yaml": model.encode()}
    exit_code, said = checked(estate(tmp_path, files), tmp_path)
    found = [one["code"] for one in said["findings"]]
    assert exit_code == 1
    assert found.count("SPEC013") == 100
    assert found.count("SPEC104") > 90
    assert found.count("SPEC024") == 2
