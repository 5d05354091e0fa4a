"""Rows of old evidence keep their bytes, and one function gives the verdict on a row."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ordain.specs.evidence import FairnessRow
from ordain.specs.fairness import verdict_on
from ordain.specs.kinds.model import FairnessGate

RATIO = FairnessRow(
    attribute="sex",
    group="female",
    reference="male",
    metric="adverse_impact_ratio",
    n=500,
    n_reference=700,
    favourable=400,
    favourable_reference=560,
    value=1.0,
    low=0.94,
    high=1.06,
    p_value=1.0,
    p_holm=1.0,
    minimum=0.8,
    alpha=0.05,
    verdict="pass",
)
OLD_FIELDS = [
    "attribute",
    "group",
    "reference",
    "metric",
    "n",
    "n_reference",
    "favourable",
    "favourable_reference",
    "value",
    "low",
    "high",
    "p_value",
    "p_holm",
    "minimum",
    "alpha",
    "verdict",
    "reason",
]
ODDS = replace(
    RATIO,
    metric="equalised_odds_difference",
    minimum=None,
    maximum=0.1,
    value=0.02,
    low=-0.03,
    high=0.07,
    power=0.8,
)
RATIOS = FairnessGate()
DIFFERENCES = FairnessGate(metric="equalised_odds_difference")


def test_a_row_of_old_evidence_is_written_as_it_was() -> None:
    assert list(RATIO.plain()) == OLD_FIELDS
    assert FairnessRow(**RATIO.plain()) == RATIO


def test_a_row_of_a_difference_says_what_it_needs() -> None:
    plain = replace(ODDS, power=0.0).plain()
    assert [name for name in plain if name not in OLD_FIELDS] == ["maximum", "power"]
    assert (ODDS.limited, RATIO.limited) == ("maximum 0.1", "minimum 0.8")
    assert replace(ODDS, within="product").named == "equalised_odds_difference within product"


@pytest.mark.parametrize(
    ("changes", "tier", "verdict", "reason"),
    [
        ({}, 1, "pass", ""),
        (
            {"value": -0.2, "low": -0.3, "high": -0.1, "p_holm": 0.01},
            2,
            "fail",
            "the difference is -0.200, more than 0.1",
        ),
        (
            {"value": 0.2, "low": 0.1, "high": 0.3, "p_holm": 0.01, "power": 0.1},
            2,
            "fail",
            "the difference is +0.200, more than 0.1",
        ),
        (
            {"value": 0.12, "low": -0.02, "high": 0.26, "p_holm": 0.2},
            2,
            "warn",
            "the difference is +0.120, more than 0.1, but within what chance explains",
        ),
        (
            {"value": 0.08, "low": 0.01, "high": 0.15, "p_holm": 0.01},
            2,
            "warn",
            "within the limit, but the gap is not chance",
        ),
        ({"value": 0.08, "low": 0.01, "high": 0.15, "p_holm": 0.06}, 2, "pass", ""),
        (
            {"high": 0.12},
            1,
            "warn",
            "within the limit, but its interval -0.030 to 0.120 is not",
        ),
        ({"high": 0.12}, 2, "pass", ""),
        (
            {"power": 0.4},
            2,
            "insufficient",
            (
                "a disparity of the size of the limit would be found with a probability of 0.40, "
                "0.5 is needed"
            ),
        ),
        (
            {"value": None, "reason": "no row has an outcome"},
            2,
            "insufficient",
            "no row has an outcome",
        ),
        ({"n": 12}, 2, "insufficient", "12 rows, 30 are needed"),
    ],
)
def test_a_difference_has_one_of_four_verdicts(
    changes: dict[str, Any], tier: int, verdict: str, reason: str
) -> None:
    found = verdict_on(DIFFERENCES, replace(ODDS, **changes), tier)
    assert (found[0].value, found[1]) == (verdict, reason)


def test_power_of_any_size_is_enough_where_it_is_switched_off() -> None:
    gate = FairnessGate(metric="equalised_odds_difference", min_power=0.0)
    assert verdict_on(gate, replace(ODDS, power=0.01), 2)[0].value == "pass"


def test_a_row_without_power_is_of_older_evidence_and_is_not_asked_for_it() -> None:
    assert verdict_on(RATIOS, RATIO, 1) == verdict_on(RATIOS, replace(RATIO, power=0.9), 1)
