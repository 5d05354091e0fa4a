"""Which answers of a policy its cases have seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.policies.engine import cel_engine
from ordain.policies.testing.benches import run_estate
from ordain.policies.testing.coverage import percent
from ordain.policies.testing.printing import as_text

if TYPE_CHECKING:
    from ordain.policies.testing.coverage import Covered
    from ordain.policies.testing.reports import Report

ESTATE = b"""\
apiVersion: ordain.dev/v1
kind: Estate
metadata: {name: tested}
spec: {environments: [{name: production}]}
"""
MODEL = b"""\
apiVersion: ordain.dev/v1
kind: Model
metadata: {name: credit}
spec: {purpose: Probability of default, tier: 1, owner: risk, task: classification}
"""
HEAD = """\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: rule}
spec:
"""


def run(policy: str, *cases: str) -> Report:
    """A policy, and cases as flow mappings: those with `finds` are bad ones."""
    lines = ["policies:", "  rule:"]
    for verdict in ("bad", "good"):
        found = [case for case in cases if ("finds" in case) is (verdict == "bad")]
        lines += [f"    {verdict}:", *(f"      - {case}" for case in found)] if found else []
    tree = {
        "ordain.yaml": ESTATE,
        "policies/a.test.yaml": ("\n".join(lines) + "\n").encode(),
        "policies/a.yaml": (HEAD + policy).encode(),
        "specs/model.yaml": MODEL,
    }
    if not cases:
        tree["policies/a.test.yaml"] = b"cases: []\n"
    return run_estate(tree, (), cel_engine(), watch=True)


def covered(report: Report) -> Covered:
    # A file without a case is a finding of its own.
    assert {one.code for one in report.all_findings} <= {"TEST003"}
    assert report.coverage is not None
    (found,) = report.coverage
    return found


def gaps(report: Report) -> list[tuple[str, int, int, str, str]]:
    return [
        (gap.label, gap.location.line, gap.location.column, gap.words, gap.text)
        for gap in covered(report).gaps
    ]


RULE = """\
  match: {kinds: [Model], when: object.spec.tier <= 2}
  validations:
    - expression: >-
        object.spec.owner == 'risk'
        || has(object.spec.dataset)
      message: m
"""
OTHER = "set: {Model/credit: {spec.owner: other}}"


def test_a_policy_that_no_case_asks_has_none() -> None:
    report = run(RULE)
    found = covered(report)
    assert (found.covered, found.possible, found.percent) == (0, 8, 0)
    assert gaps(report) == [
        ("match.when", 5, 33, "never asked", "object.spec.tier <= 2"),
        (
            "POL-rule",
            8,
            9,
            "never asked",
            "object.spec.owner == 'risk' || has(object.spec.dataset)",
        ),
    ]


def test_what_was_never_seen_is_named_with_its_place_and_text() -> None:
    report = run(RULE, "{}", f"{{{OTHER}, finds: POL-rule}}")
    assert (covered(report).covered, covered(report).possible) == (6, 8)
    assert gaps(report) == [
        ("match.when", 5, 33, "never false", "object.spec.tier <= 2"),
        ("POL-rule", 9, 12, "never true", "has(object.spec.dataset)"),
    ]
    assert (
        as_text(report, colour=False)
        == """\
2 cases in 1 file: 2 passed

 75.0 %  rule  (6 of 8)
           policies/a.yaml:5:33: match.when: never false: object.spec.tier <= 2
           policies/a.yaml:9:12: POL-rule: never true: has(object.spec.dataset)
coverage: 75.0 % (6 of 8 outcomes of 1 policy)"""
    )


def test_everything_seen_is_a_hundred_percent() -> None:
    report = run(
        RULE,
        "{}",
        "{set: {Model/credit: {spec.tier: 3}}}",
        f"{{{OTHER}, finds: POL-rule}}",
        "{set: {Model/credit: {spec.owner: other, spec.dataset: data}}}",
    )
    assert covered(report).percent == 100
    assert gaps(report) == []


def test_what_is_behind_a_false_condition_is_not_seen() -> None:
    report = run(RULE, "{set: {Model/credit: {spec.tier: 3}}}")
    assert (covered(report).covered, covered(report).possible) == (1, 8)


def test_parts_of_variables_and_conditions_count_and_variables_themselves_do_not() -> None:
    policy = """\
  match: {kinds: [Model]}
  matchConditions: [{name: big, expression: "object.spec.tier == 1"}]
  variables: [{name: owner, expression: "has(object.spec.owner) ? object.spec.owner : ''"}]
  validations: [{expression: "variables.owner == 'risk'", message: m}]
"""
    report = run(policy, "{}")
    assert (covered(report).covered, covered(report).possible) == (3, 6)
    assert gaps(report) == [
        ("big", 6, 46, "never false", "object.spec.tier == 1"),
        ("variables.owner", 7, 42, "never false", "has(object.spec.owner)"),
        ("POL-rule", 8, 31, "never false", "variables.owner == 'risk'"),
    ]


def test_an_expression_that_cannot_be_evaluated_is_told_and_not_counted() -> None:
    policy = """\
  match: {kinds: [Model]}
  validations: [{expression: "object.spec.dataset == 'd'", message: m}]
"""
    report = run(policy, "{finds: POL002}", "{set: {Model/credit: {spec.dataset: d}}}")
    assert (covered(report).covered, covered(report).possible) == (1, 2)
    assert "           POL-rule: could not be evaluated 1 time" in as_text(report, colour=False)


def test_only_the_answers_of_an_expression_without_code_can_be_seen() -> None:
    """Unsigned integers are known to the exact evaluator alone."""
    policy = """\
  match: {kinds: [Model]}
  validations: [{expression: "uint(object.spec.tier) == 1u || has(object.spec.x)", message: m}]
"""
    report = run(policy, "{}", "{set: {Model/credit: {spec.tier: 2}}, finds: POL-rule}")
    assert (covered(report).covered, covered(report).possible) == (2, 2)


@pytest.mark.parametrize(
    ("cases", "reached"), [((), 0), (("{}",), 37.5), (("{}", f"{{{OTHER}, finds: POL-rule}}"), 75)]
)
def test_the_percentage_is_that_of_outcomes(cases: tuple[str, ...], reached: float) -> None:
    report = run(RULE, *cases)
    assert report.coverage is not None
    assert percent(report.coverage) == reached
    assert percent(()) == 100
