"""A Dataset promises nothing of its rows that cannot be kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Check = Callable[..., list[str]]
Edit = Callable[[str, str, str], dict[str, str]]

HEAD = "  columns:\n"
TARGET = "target: {column: outcome, favourable: 0}"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            HEAD,
            "  expect: {relations: [{left: applied_on, op: le, right: income}]}\n" + HEAD,
            (
                "SPEC130 dataset.yaml:10:24 error: `applied_on` is a date and `income` is a number "
                "| compare two numbers or two dates"
            ),
        ),
        (
            HEAD,
            "  expect: {relations: [{left: purpose, op: eq, right: sex}]}\n" + HEAD,
            (
                "SPEC130 dataset.yaml:10:24 error: `purpose` is category and `sex` is category "
                "| compare two numbers or two dates"
            ),
        ),
        (
            HEAD,
            "  expect: {relations: [{left: income, op: le, right: income}]}\n" + HEAD,
            "SPEC133 dataset.yaml:10:24 error: `income` is compared with itself | name two columns",
        ),
        (
            HEAD,
            "  expect: {relations: [{left: incme, op: le, right: arrears}]}\n" + HEAD,
            "REF003 dataset.yaml:10:31 error: there is no column `incme` | did you mean `income`?",
        ),
        (
            HEAD,
            "  expect: {rows: [1000, 10]}\n" + HEAD,
            (
                "SPEC133 dataset.yaml:10:12 error: the number of rows ends before it begins "
                "| write the lowest number first"
            ),
        ),
        (
            HEAD,
            "  expect: {unique: [[]]}\n" + HEAD,
            (
                "SPEC133 dataset.yaml:10:21 error: a group without columns is never looked at "
                "| name each column once"
            ),
        ),
        (
            HEAD,
            "  expect: {unique: [[applicant, applicant]]}\n" + HEAD,
            (
                "SPEC133 dataset.yaml:10:21 error: a group of 1 different columns is listed as 2 "
                "| name each column once"
            ),
        ),
        (
            "  time: applied_on\n",
            "  expect: {fresh: 30d}\n",
            (
                "SPEC131 dataset.yaml:7:12 error: how fresh the rows are is told by a time column "
                "of the type date | set `time` of the Dataset"
            ),
        ),
        (
            "  time: applied_on\n  target: {column: outcome, favourable: 0}",
            "  target: {column: outcome, favourable: 0, matureAfter: 365d}",
            (
                "SPEC131 dataset.yaml:7:44 error: the age of an outcome is counted from a time "
                "column of the type date | set `time` of the Dataset"
            ),
        ),
        (
            TARGET,
            f"digest: sha256:{'0' * 64}\n  {TARGET[:-1]}, matureAfter: 365d}}",
            (
                "SPEC131 dataset.yaml:9:44 error: the age of an outcome is counted up to `asOf`, "
                "and there is none | run `ordain pin`, or write `asOf` beside `digest`"
            ),
        ),
        (
            TARGET,
            TARGET[:-1] + ", feedback: {observed: arrears}}",
            (
                "SPEC132 dataset.yaml:8:55 error: `arrears` is int, and whether an outcome was "
                "seen is yes or no | name a column of type bool"
            ),
        ),
        (
            TARGET,
            TARGET[:-1] + ", feedback: {observed: granted}}",
            (
                "REF003 dataset.yaml:8:65 error: there is no column `granted` "
                "| declare it in `columns`"
            ),
        ),
    ],
)
def test_a_promise_that_cannot_be_kept_is_found(
    check: Check, edit: Edit, old: str, new: str, expected: str
) -> None:
    assert check(edit("dataset", old, new)) == [expected]


@pytest.mark.parametrize(
    "expect",
    [
        "relations: [{left: arrears, op: le, right: income}]",
        "rows: [10, 10]",
        "unique: [[applicant, applied_on]]",
        "fresh: 30d",
    ],
)
def test_a_promise_that_can_be_kept_is_none_of_our_business(
    check: Check, edit: Edit, expect: str
) -> None:
    assert check(edit("dataset", HEAD, f"  expect: {{{expect}}}\n{HEAD}")) == []


def test_a_claim_needs_some_exploration(check: Check, edit: Edit) -> None:
    loop = f"{TARGET[:-1]}, feedback: {{observed: granted, minExploration: 0.0%}}}}"
    changed = edit("dataset", TARGET, loop)
    truths = "  columns:\n    granted: {type: bool}\n"
    changed = {path: text.replace(HEAD, truths) for path, text in changed.items()}
    assert check(changed) == [
        (
            "SPEC133 dataset.yaml:8:74 error: a share of nothing asks for no exploration at all "
            "| write a share such as 1%"
        )
    ]


def test_outcomes_may_be_delayed_before_the_data_are_pinned(check: Check, edit: Edit) -> None:
    assert check(edit("dataset", TARGET, TARGET[:-1] + ", matureAfter: 365d}")) == []


@pytest.mark.parametrize(
    ("explored", "population", "found"),
    [
        ("", "", True),
        ("", ", population: labelled", False),
        (", explored: drawn", "", False),
    ],
)
def test_a_claim_that_nothing_can_show_is_told(
    check: Check, edit: Edit, explored: str, population: str, *, found: bool
) -> None:
    loop = f"{TARGET[:-1]}, feedback: {{observed: granted{explored}}}}}"
    truths = "  columns:\n    granted: {type: bool}\n    drawn: {type: bool, role: id}\n"
    changed = edit("dataset", TARGET, loop)
    changed = {path: text.replace(HEAD, truths) for path, text in changed.items()}
    last = "decision: {threshold: 0.3}"
    gate = f"acceptance: {{metrics: [{{name: roc_auc, min: 0.7{population}}}]}}"
    changed |= edit("model", last, f"{last}\n  {gate}")
    expected = (
        "SPEC134 model.yaml:12:26 warning: `roc_auc` is required of all cases, and the Dataset "
        "knows of no outcome that was seen by chance | write `population: labelled`, or declare "
        "`explored` in the Dataset"
    )
    assert check(changed) == ([expected] if found else [])


def test_what_says_whether_an_outcome_was_seen_is_no_feature(check: Check, edit: Edit) -> None:
    loop = (
        f"{TARGET[:-1]}, feedback: {{observed: granted}}}}\n  columns:\n    granted: {{type: bool}}"
    )
    changed = edit("dataset", f"{TARGET}\n  leaks: [arrears]\n  columns:", loop)
    changed |= edit("model", "decision: {threshold: 0.3}", "features: {include: [granted, income]}")
    (found,) = (line for line in check(changed) if line.startswith("REF004"))
    expected = (
        "REF004 model.yaml:11:24 error: `granted` can be no feature: it says whether the outcome "
        "could be seen (`target.feedback`) | take it out of `include`"
    )
    assert found == expected
