"""A code that is printed can be explained, and a page is about a code that can be met."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import ordain
from ordain.cli.explain import register_all
from ordain.specs.errors import OrdainError
from ordain.specs.explanations import explanations

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOMS = (
    *("ACC", "CHG", "CLI", "CMP", "EMG", "EVID", "GATE", "LED", "LINT", "ORD", "OWN", "POL", "PRO"),
    *("PUSH", "REC", "REF", "REP", "REQ", "RUN", "SOD", "SPEC", "SRV", "TEST", "VCS", "VDT", "WVR"),
)
CODE = re.compile(rf"({'|'.join(ROOMS)})([0-9]{{3}}|-[A-Z]+)")
PRINTED = re.compile(rf"error\[({CODE.pattern})\]")


def texts() -> list[tuple[str, str]]:
    """Every text in the sources with the place where it stands.

    Not of the modules that hold the pages: they name every code, whether it is used or not.
    """
    root = Path(ordain.__file__).parent
    return [
        (node.value, f"{path.relative_to(root)}:{node.lineno}")
        for path in sorted(root.rglob("*.py"))
        if path.name != "codes.py"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]


@pytest.fixture(scope="module")
def used() -> dict[str, str]:
    plain = {text: place for text, place in texts() if CODE.fullmatch(text)}
    # Where there is no error to carry it, a code is written into the line that is printed.
    printed = {
        found[1]: place for text, place in texts() if (found := PRINTED.search(text)) is not None
    }
    return printed | plain


@pytest.fixture(scope="module")
def pages() -> set[str]:
    register_all()
    return set(explanations())


def test_every_code_has_a_page(used: dict[str, str], pages: set[str]) -> None:
    assert len(used) > 150
    assert {code: place for code, place in used.items() if code not in pages} == {}


def errors_below(kind: type[OrdainError]) -> Iterator[type[OrdainError]]:
    for below in kind.__subclasses__():
        yield below
        yield from errors_below(below)


def test_no_two_errors_share_a_code(pages: set[str]) -> None:
    """An error that takes the code of what it is a kind of has no code of its own."""
    assert pages
    owners: dict[str, list[str]] = {}
    for kind in set(errors_below(OrdainError)):
        if kind.__module__.startswith("ordain.") and "code" in vars(kind):
            owners.setdefault(kind.code, []).append(kind.__qualname__)
    assert {code: names for code, names in owners.items() if len(names) > 1} == {}


def test_every_page_begins_with_a_sentence(pages: set[str]) -> None:
    titles = {code: page.title for code, page in explanations().items() if code in pages}
    # Where nobody has written one, the name of an error's class stands there.
    assert {code: title for code, title in titles.items() if " " not in title} == {}


def test_every_page_is_about_a_code_that_can_be_met(used: dict[str, str], pages: set[str]) -> None:
    # The codes of a pack are made of the names of its policies.
    fixed = {code for code in pages if CODE.fullmatch(code) and not code.startswith("POL-")}
    assert sorted(fixed - used.keys()) == []
