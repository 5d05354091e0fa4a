"""Many rows are answered as each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.validation.answering import Served, answer_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.runtime.validation.order import ValidationOrder

pytestmark = pytest.mark.training


def rows_like(income: object) -> dict[str, object]:
    return {"income": income, "debts": 2, "purpose": "car"}


def test_rows_that_are_refused_stand_between_rows_that_are_answered(
    order: ValidationOrder,
) -> None:
    served = Served.load(ArtifactStore(order.store), order.artifact)
    rows: list[Mapping[str, object]] = [
        rows_like(1000.0),
        rows_like("a text"),
        rows_like(None),
        {**rows_like(5000.0), "unknown": 1},
        rows_like(9000.5),
    ]
    assert served.ask_all(rows) == [served.ask(row) for row in rows]
    given = answer_rows(served, rows)
    assert sorted(given.refused) == [1, 3]
    assert given.answered.tolist() == [True, False, True, False, True]


def test_no_rows_have_no_answers(order: ValidationOrder) -> None:
    served = Served.load(ArtifactStore(order.store), order.artifact)
    assert served.ask_all([]) == []
    assert served.ask_all([rows_like("a text")]) == [served.ask(rows_like("a text"))]
