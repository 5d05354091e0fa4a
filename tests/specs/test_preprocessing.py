"""A preprocessing that could never be done is found without data, where it is declared."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

LAST = "decision: {threshold: 0.3}"


def declared(text: str) -> str:
    return f"{LAST}\n  preprocessing: {{{text}}}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "numeric: {outliers: {clip: [1%, p99]}}",
            (
                "SPEC145 model.yaml:12:40 error: ['1%', 'p99'] are no quantiles "
                "| write two quantiles such as [p01, p99]"
            ),
        ),
        (
            "numeric: {outliers: {clip: [p99, p01]}}",
            (
                "SPEC145 model.yaml:12:40 error: ['p99', 'p01'] keeps nothing "
                "| write the lower quantile first"
            ),
        ),
        (
            "numeric: {outliers: {limits: {income: [5, 1]}}}",
            (
                "SPEC145 model.yaml:12:40 error: income from 5 to 1 keeps nothing "
                "| write the lower limit first"
            ),
        ),
        (
            "numeric: {outliers: {limits: {purpose: [1, 5]}}}",
            (
                "SPEC145 model.yaml:12:40 error: purpose is no numeric feature "
                "| correct the name, or take it out"
            ),
        ),
        (
            "dates: {parts: [day, day]}",
            (
                "SPEC145 model.yaml:12:27 error: ['day', 'day'] names a part twice "
                "| name each part once"
            ),
        ),
        (
            "texts: {ngrams: [0, 2]}",
            (
                "SPEC145 model.yaml:12:27 error: [0, 2] is no range of 1 to 5 words "
                "| write the fewest and the most words of a term, such as [1, 2]"
            ),
        ),
        (
            "interactions: [[income, sex]]",
            (
                "SPEC145 model.yaml:12:19 error: sex is no numeric feature "
                "| correct the name, or take it out"
            ),
        ),
        (
            "interactions: [[income, income]]",
            ("SPEC145 model.yaml:12:19 error: a pair names one feature twice | name two features"),
        ),
        (
            "interactions: [[income, income]]",
            (
                "SPEC147 model.yaml:12:19 error: products of features are for linear models, and "
                "this is hist_gradient_boosting | take them out: trees find interactions themselves"
            ),
        ),
    ],
)
def test_what_contradicts_itself_is_found(
    check: Check, edit: Edit, text: str, expected: str
) -> None:
    assert expected in check(edit("model", LAST, declared(text)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "numeric: {fill: 7.5}",
            (
                "SPEC145 model.yaml:12:29 error: 7.5 fills nothing, for impute is median | write "
                "impute: constant, or take fill out"
            ),
        ),
        (
            "categorical: {folds: 3}",
            (
                "SPEC145 model.yaml:12:33 error: 3 folds are of nothing, for encode is one_hot | "
                "write encode: target, or take folds out"
            ),
        ),
    ],
)
def test_a_setting_of_what_is_not_declared_is_found(
    check: Check, edit: Edit, text: str, expected: str
) -> None:
    assert check(edit("model", LAST, declared(text))) == [expected]


def test_a_date_needs_parts_to_be_a_feature(check: Check, edit: Edit) -> None:
    dated = edit("dataset", "purpose:", "opened_on: {type: date}\n    purpose:")
    assert check(dated) == [
        (
            "SPEC146 model.yaml:4:1 error: opened_on is a date, and no part of a date is declared "
            "| write parts such as [month, days], or add opened_on to features.exclude"
        )
    ]
    parts = edit("model", LAST, declared("dates: {parts: [month]}"))
    assert check(dated | parts) == []


def test_a_clustering_has_no_outcomes_to_encode_or_select_by(check: Check, edit: Edit) -> None:
    text = f"{declared('categorical: {encode: target}')}\n  features: "
    changed = edit("model", LAST, text + "{select: {method: anova, keep: 1}}")
    path = "specs/model.yaml"
    found = check({path: changed[path].replace("task: classification", "task: clustering")})
    assert [line for line in found if line.startswith("SPEC145")] == [
        (
            "SPEC145 model.yaml:12:33 error: target needs outcomes, which a clustering has not "
            "| write one_hot or ordinal"
        ),
        (
            "SPEC145 model.yaml:13:23 error: anova needs outcomes, which a clustering has not "
            "| write variance"
        ),
    ]


def test_everything_that_can_be_declared_together_passes(check: Check, edit: Edit) -> None:
    text = (
        "numeric: {impute: constant, fill: 1, scale: minmax, outliers: {limits: {income: [0, 9]}}},"
        " categorical: {encode: target, folds: 3}, dates: {parts: [year, days]},"
        " texts: {terms: 50, ngrams: [1, 2], minRows: 2}"
    )
    dated = edit(
        "dataset", "purpose:", "opened_on: {type: date}\n    note: {type: text}\n    purpose:"
    )
    chosen = "\n  features: {select: {method: mutual_info, keep: 3}}"
    assert check(dated | edit("model", LAST, declared(text) + chosen)) == []


def linear(changed: dict[str, str]) -> dict[str, str]:
    """The same documents with a linear model."""
    old, new = "hist_gradient_boosting", "logistic_regression"
    return {path: text.replace(old, new) for path, text in changed.items()}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "numeric: {splines: {features: [purpose]}}",
            (
                "SPEC145 model.yaml:12:39 error: purpose is no numeric feature "
                "| correct the name, or take it out"
            ),
        ),
        (
            "numeric: {splines: {features: [income, income]}}",
            "SPEC145 model.yaml:12:39 error: a feature is named twice | take one of them out",
        ),
        (
            "numeric: {splines: {features: [income]}}, interactions: [[income, debts]]",
            (
                "SPEC155 model.yaml:12:39 error: income is a factor of a product, which multiplies "
                "one column | take income out of interactions, or out of the splines"
            ),
        ),
    ],
)
def test_curves_are_of_numeric_features_that_are_in_no_product(
    check: Check, edit: Edit, text: str, expected: str
) -> None:
    table = edit("dataset", "purpose:", "debts: {type: int}\n    purpose:")
    assert check(table | linear(edit("model", LAST, declared(text)))) == [expected]


def test_curves_are_for_linear_models(check: Check, edit: Edit) -> None:
    changed = edit("model", LAST, declared("numeric: {splines: {knots: 4, degree: 2}}"))
    assert check(linear(changed)) == []
    assert check(changed) == [
        (
            "SPEC155 model.yaml:12:29 error: splines are for linear models, and this is "
            "hist_gradient_boosting | take them out: other models find curves themselves"
        )
    ]
