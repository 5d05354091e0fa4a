"""What a validation looks at in the reasons of a version, on models that can be worked out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from ordain.runtime.reasons import ReasonCode, ReasonCodes
from ordain.runtime.reasons.examining import ReasonLimits, adds_up, examine_explanations, margin_of
from ordain.runtime.reasons.explainer import Attribution, Explainer
from tests.support import task_plans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.runtime.scoring import RowPlan
    from ordain.specs.validations import Check

Row = dict[str, Any]
NAMES = ("income", "debt", "age")
DECISION = {"threshold": 0.5, "above": "decline", "below": "approve"}
CODES = ReasonCodes(
    (
        ReasonCode("R1", "The income is low", ("income",), "low"),
        ReasonCode("R2", "Debts are high", ("debt", "age")),
    )
)


def plan(weights: Sequence[float] = (-2.0, 1.5, 0.1), **changed: object) -> RowPlan:
    model = task_plans.linear((*weights, 0.0))
    read: dict[str, Any] = {"decision": DECISION, **changed}
    return task_plans.read(task_plans.plan("classification", "logit", model, names=NAMES, **read))


def rows(count: int, seed: int) -> list[Row]:
    drawn = np.random.default_rng(seed).normal(size=(count, len(NAMES)))
    return [dict(zip(NAMES, line, strict=True)) for line in drawn.tolist()]


def examined(given: RowPlan, codes: ReasonCodes | None = CODES, **changed: Any) -> list[Check]:  # noqa: ANN401
    usual: Row = {
        "background": rows(200, 1),
        "rows": rows(600, 2),
        "pool": rows(900, 3),
        "unfavourable": "above",
        "favourable": None,
        "seed": 7,
    }
    called = usual | changed
    background, table = called.pop("background"), called.pop("rows")
    return list(examine_explanations(given, background, table, codes, **called))


def one(checks: list[Check], name: str, subject: str = "") -> Check:
    (found,) = [check for check in checks if (check.name, check.subject) == (name, subject)]
    return found


def judged(checks: list[Check]) -> dict[str, str]:
    return {
        f"{check.name} {check.subject}".strip(): check.verdict for check in checks if check.limit
    }


def test_reasons_of_a_simple_model_hold() -> None:
    checks = examined(plan())
    assert judged(checks) == dict.fromkeys(
        (
            "background rows",
            "inputs with a reason",
            "reasons that name no factor",
            "replay",
            "agreement",
            "flips",
            "moves reason 1",
            "directions R1",
        ),
        "pass",
    )
    assert {check.section for check in checks} == {"explanations"}
    flips = one(checks, "flips")
    assert (flips.n, flips.limit, flips.confidence) == (200, ">= 0.9", 0.95)
    assert flips.low is not None
    assert flips.low < (flips.value or 0) <= (flips.high or 0)
    shares = [check.value or 0 for check in checks if check.name == "first reason"]
    assert sum(shares) == pytest.approx(1.0)


def test_the_same_seed_examines_the_same() -> None:
    assert examined(plan()) == examined(plan())
    assert examined(plan()) != examined(plan(), seed=8)


def test_without_reason_codes_everything_informs() -> None:
    checks = examined(plan(), None)
    assert judged(checks) == {}
    assert one(checks, "flips").value == pytest.approx(1.0, abs=0.05)


def test_limits_of_the_model_are_held() -> None:
    checks = examined(plan(), limits=ReasonLimits(agreement=1.0, flips=0.5))
    assert one(checks, "agreement").limit == "= 1"
    assert one(checks, "flips").limit == ">= 0.5"


def test_a_share_below_its_limit_fails_also_where_its_interval_reaches_it() -> None:
    usual = one(examined(plan()), "agreement")
    assert usual.value is not None
    assert usual.high is not None
    above = ReasonLimits(agreement=(usual.value + usual.high) / 2)
    assert one(examined(plan(), limits=above), "agreement").verdict == "fail"


def test_reasons_of_a_lower_side_are_judged_by_it() -> None:
    checks = examined(plan((2.0, -1.5, -0.1)), unfavourable="below")
    assert set(judged(checks).values()) == {"pass"}


def test_a_background_of_few_rows_is_insufficient() -> None:
    size = one(examined(plan(), background=rows(99, 1)), "background rows")
    assert (size.verdict, size.value, size.limit) == ("insufficient", 99.0, ">= 100")
    assert size.reason == "99 rows are too few for steady reasons"


def test_without_a_background_nothing_is_explained() -> None:
    checks = examined(plan(), background=[])
    assert [check.name for check in checks] == [
        "background rows",
        "inputs with a reason",
        "reasons that name no factor",
    ]
    assert checks[0].verdict == "insufficient"


def test_few_unfavourable_rows_are_insufficient_however_good_they_are() -> None:
    checks = examined(plan(), rows=rows(60, 2))
    flips = one(checks, "flips")
    assert flips.value == 1.0
    assert flips.verdict == "insufficient"
    assert flips.reason == f"{flips.n} unfavourable rows, fewer than 50"
    assert one(checks, "moves", "reason 1").verdict == "insufficient"


def test_no_unfavourable_row_is_insufficient() -> None:
    kind = plan(decision={**DECISION, "threshold": 1.0})
    checks = examined(kind)
    assert one(checks, "flips").reason == "there is no row to explain"
    assert {
        check.verdict for check in checks if check.name in {"flips", "agreement", "replay"}
    } == {"insufficient"}


def test_few_rows_for_other_backgrounds_are_insufficient() -> None:
    agreement = one(examined(plan(), pool=rows(99, 3)), "agreement")
    assert (agreement.verdict, agreement.value) == ("insufficient", None)
    assert agreement.reason == "other backgrounds need 100 rows, and 99 are given"


def test_a_background_without_favourable_decisions_flips_nothing() -> None:
    poor = [{"income": -9.0, "debt": 9.0, "age": 0.0}] * 150
    flips = one(examined(plan(), background=poor), "flips")
    assert flips.verdict == "insufficient"
    assert flips.reason == "no row of the background is decided favourably"


def test_an_input_without_a_reason_fails() -> None:
    checks = examined(plan(), ReasonCodes(CODES.codes[:1]))
    mapped = one(checks, "inputs with a reason")
    assert mapped.verdict == "fail"
    assert mapped.value == pytest.approx(1 / 3)
    assert mapped.reason == "without a reason: debt, age"


@pytest.mark.parametrize(
    "text",
    ["Other", "others", "Insufficient score", "Your score was too low", "Internal standards"],
)
def test_a_reason_that_names_no_factor_fails(text: str) -> None:
    codes = ReasonCodes((CODES.codes[0], ReasonCode("R2", text, ("debt", "age"))))
    found = one(examined(plan(), codes), "reasons that name no factor")
    assert (found.verdict, found.value) == ("fail", 1)
    assert found.reason == "these name no factor: R2"


def test_a_reason_that_is_told_in_the_wrong_direction_fails() -> None:
    codes = ReasonCodes(
        (ReasonCode("R1", "The income is high", ("income",), "high"), CODES.codes[1])
    )
    found = one(examined(plan(), codes), "directions", "R1")
    assert (found.verdict, found.limit) == ("fail", ">= 0.9")
    assert (found.value or 0) < 0.2


def test_reasons_that_do_not_change_the_decision_fail() -> None:
    # Everybody with more than nothing is declined, whatever else is said of them.
    step = task_plans.forest((0.0,), task_plans.stump(0, -9.0, 9.0, at=-3.0))
    given = task_plans.read(
        task_plans.plan(
            "classification",
            "logit",
            step,
            names=NAMES,
            decision={**DECISION, "threshold": 0.5},
        )
    )
    background = [{"income": -4.0}] * 50 + rows(150, 1)
    checks = examined(given, background=background)
    assert one(checks, "flips").verdict == "pass"
    kept = ReasonCodes((ReasonCode("R2", "Debts", ("debt", "age")), CODES.codes[0]))
    nothing = examined(given, ReasonCodes(kept.codes[:1]), background=background)
    assert (one(nothing, "flips").verdict, one(nothing, "flips").value) == ("fail", 0.0)


def test_of_several_classes_all_but_the_favourable_are_unfavourable() -> None:
    given = task_plans.read(task_plans.MULTICLASS)
    table = [{"income": row["income"], "debt": row["debt"]} for row in rows(900, 2)]
    codes = ReasonCodes.plain(["income", "debt"])
    checks = examined(
        given,
        codes,
        favourable="good",
        background=table[:200],
        pool=table[200:600],
        rows=table[600:],
    )
    assert one(checks, "flips").n > 50
    assert one(checks, "replay").verdict == "pass"
    unknown = examined(given, codes, background=table[:200], pool=table[200:600], rows=table[600:])
    assert judged(unknown) == {}
    assert one(unknown, "reasons").reason == (
        "it is not declared which class is the favourable one"
    )


def test_what_decides_nothing_is_looked_at_for_information() -> None:
    value = task_plans.read(task_plans.REGRESSION)
    table = [{"income": row["income"], "debt": row["debt"]} for row in rows(500, 2)]
    checks = examined(value, None, background=table[:200], pool=table[200:], rows=table)
    assert judged(checks) == {}
    assert one(checks, "importance").value == 1.0
    assert one(checks, "reasons").reason == (
        "a regression decides nothing that could be unfavourable"
    )
    undecided = examined(plan(decision=None))
    assert one(undecided, "reasons").reason == "the Model declares no decision"


def test_a_clustering_is_not_examined() -> None:
    (check,) = examined(task_plans.read(task_plans.CLUSTERING), None)
    assert (check.name, check.reason) == ("reasons", "a clustering has no attributions")
    assert check.limit == ""


def test_attributions_must_add_up_to_what_the_plan_answers() -> None:
    given, row, background = plan(), rows(1, 4)[0], rows(100, 1)
    usual = {0: float(np.mean([margin_of(given, one, 0) for one in background]))}
    (found,) = Explainer.of(given, background).explain([row], 0)
    assert adds_up(given, row, found, 0, usual)
    income = found.values["income"]
    wrong = Attribution({**found.values, "income": income + 0.01})
    assert not adds_up(given, row, wrong, 0, usual)
