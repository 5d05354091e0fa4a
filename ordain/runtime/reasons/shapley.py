"""Shapley values of a margin against a background, per input.

The value of a set of known inputs is the mean margin when the known ones have the row's values and
all others those of a background row (interventional; "baseline" averaged over the background). The
margin is what the model adds up before its link: log-odds for a classifier (one margin for each of
more than two classes), the probability itself for a forest, the value or its logarithm for a
regression. In log-odds the contributions of a linear model are independent of each other, and the
order of reasons does not depend on how close the answer is to certainty; in probability both are
lost.

Linear models (`sums`) and trees (`leaves`) are exact. Trees over a product of two inputs have no
closed form that is quicker than the definition, and are estimated with an error (`walks`).

The columns of one input (its indicator columns, its missing flag, the terms of a text) are one
player: they are known or unknown together. A clustering has no margin and no reasons.

`shap.TreeExplainer` computes the same and was refused for running, after measurement. Its
interventional mode holds thresholds in single precision, so that a row on a threshold, which is
where boosting puts them, is sent the other way: one tree in twenty came out wrong. It quietly keeps
100 of the background rows, and loading it costs 4 s of CPU. Tests hold the two together on values
that single precision can hold, and this one to the definition, summed over all subsets, on any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.reasons.explainer import Explainer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ordain.runtime.scoring import RowPlan

    Row = Mapping[str, object]


def attributions(
    plan: RowPlan, background_rows: Iterable[Row], rows: Iterable[Row], output: int = 0
) -> list[dict[str, float]]:
    """What each input adds to one margin of each row, compared with the background.

    Every input of the plan has an entry; `expected_margin` plus the sum of them is the row's
    margin of that output. Whoever explains more than once, or asks whether the values are exact,
    keeps an `Explainer`.

    Raises:
        ReasonsError: as `Explainer.of` and `Explainer.explain`.
        RowError: a row does not fit the plan.
    """
    explained = Explainer.of(plan, background_rows).explain(rows, output)
    return [attribution.values for attribution in explained]


def expected_margin(plan: RowPlan, background_rows: Iterable[Row], output: int = 0) -> float:
    """The mean margin of the background, where every attribution starts from.

    Raises:
        ReasonsError: as `Explainer.of` and `Explainer.base`.
        RowError: a row does not fit the plan.
    """
    return Explainer.of(plan, background_rows).base(output)


def unit_of(plan: RowPlan) -> str:
    """What a margin counts, and therefore an attribution.

    Margins of more than two classes are log-odds up to a number that all classes share: their
    differences are log-odds between two classes.
    """
    match plan.link:
        case "logit" | "softmax":
            return "log-odds"
        case "log":
            return "logarithm of the value"
        case _:
            return "probability" if plan.task == "classification" else "value"
