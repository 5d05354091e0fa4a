"""What a Dataset declares of proxies, and a Model limits, means something or is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ordain.specs.documents import LoadedEstate
from ordain.specs.plain import material_digest

Check = Callable[..., list[str]]
Load = Callable[..., LoadedEstate]
Edit = Callable[[str, str, str], dict[str, str]]

INCOME = "income: {type: float}"
SEX = "role: protected, reference: male"
LAST = "decision: {threshold: 0.3}"


@pytest.mark.parametrize("attributes", ["sex", "ethnicity", "sex, ethnicity"])
def test_a_proxy_is_for_protected_columns_and_for_what_no_column_holds(
    check: Check, edit: Edit, attributes: str
) -> None:
    declared = f"income: {{type: float, proxyFor: [{attributes}]}}"
    assert check(edit("dataset", INCOME, declared)) == []


def test_a_proxy_for_a_column_that_is_not_protected_is_refused(check: Check, edit: Edit) -> None:
    assert check(edit("dataset", INCOME, "income: {type: float, proxyFor: [purpose]}")) == [
        (
            "SPEC164 dataset.yaml:13:27 error: `income` is declared a proxy for `purpose`, which "
            "is not protected | write `role: protected` in `purpose`, or correct `proxyFor`"
        )
    ]


def test_a_protected_column_is_no_proxy(check: Check, edit: Edit) -> None:
    assert check(edit("dataset", SEX, f"{SEX}, proxyFor: [gender]")) == [
        (
            "SPEC165 dataset.yaml:16:61 error: `sex` is protected itself, and is declared a proxy "
            "| take `proxyFor` out, or correct the role"
        )
    ]


def test_a_limit_of_proxies_needs_a_protected_column(check: Check, edit: Edit) -> None:
    limits = edit("model", LAST, f"{LAST}\n  acceptance: {{proxies: {{max: 0.2, joint: 0.7}}}}")
    assert check(limits) == []
    without = edit("dataset", f"sex: {{type: category, {SEX}}}", "sex: {type: category}")
    assert check(limits | without) == [
        (
            "SPEC166 model.yaml:12:16 error: what features tell of protected attributes is "
            "limited, and no column is protected | write `role: protected` in a column of the "
            "Dataset, or take `proxies` out"
        )
    ]


@pytest.mark.parametrize("limits", ["max: 0", "max: 1.1", "joint: 0.5", "joint: 1.1"])
def test_a_limit_that_is_always_or_never_met_is_refused(
    check: Check, edit: Edit, limits: str
) -> None:
    (found,) = check(edit("model", LAST, f"{LAST}\n  acceptance: {{proxies: {{{limits}}}}}"))
    assert limits.partition(":")[0] in found


def test_a_protected_column_can_be_no_feature_whatever_is_included(
    check: Check, edit: Edit
) -> None:
    """What the pack fair-lending relies on and does not repeat."""
    (found,) = check(edit("model", LAST, f"{LAST}\n  features: {{include: [income, sex]}}"))
    assert found == (
        "REF004 model.yaml:12:32 error: `sex` can be no feature: it is protected: for fairness "
        "only, never a feature | take it out of `include`"
    )


def test_to_declare_a_proxy_trains_nothing_again(load: Load, edit: Edit) -> None:
    declared = edit("dataset", INCOME, "income: {type: float, proxyFor: [sex]}")
    before, after = (one.get("Dataset", "applications") for one in (load(), load(declared)))
    assert before is not None
    assert after is not None
    assert after.spec.columns["income"].proxy_for == ("sex",)
    assert material_digest(after.spec) == material_digest(before.spec)
