"""How findings weigh."""

from __future__ import annotations

import pytest

from ordain.specs.findings import Severity


@pytest.mark.parametrize(
    ("severity", "least", "reached"),
    [
        ("error", "error", True),
        ("warning", "error", False),
        ("warning", "warning", True),
        ("error", "note", True),
        ("note", "warning", False),
    ],
)
def test_a_weight_reaches_itself_and_every_lesser_one(
    severity: str, least: str, *, reached: bool
) -> None:
    assert Severity(severity).reaches(Severity(least)) is reached


def test_the_heaviest_comes_first() -> None:
    assert sorted(Severity, key=lambda one: one.rank) == ["error", "warning", "note"]
