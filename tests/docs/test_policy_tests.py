"""The page on tests of policies: its example runs, and its table has every field of a case."""

from __future__ import annotations

import re
from pathlib import Path

from ordain.policies.engine import cel_engine
from ordain.policies.lint.linting import lint
from ordain.policies.testing.benches import run_estate
from ordain.policies.testing.printing import as_text
from ordain.policies.testing.suites import Case, Expected, GivenApproval, GivenChange, People
from ordain.specs.estates import load_estate
from ordain.specs.shapes import shapes

PAGE = (Path(__file__).parents[2] / "docs" / "policy-tests.md").read_text(encoding="utf-8")
ESTATE = b"""\
apiVersion: ordain.dev/v1
kind: Estate
metadata: {name: page}
spec: {environments: [{name: production}]}
"""


def tree() -> dict[str, bytes]:
    policy, tests = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    return {
        "ordain.yaml": ESTATE,
        "policies/second-look.test.yaml": tests.encode(),
        "policies/second-look.yaml": policy.encode(),
    }


def test_the_example_passes_and_covers_its_policy() -> None:
    report = run_estate(tree(), (), cel_engine(), watch=True)
    assert (
        as_text(report, colour=False)
        == """\
5 cases in 1 file: 5 passed

100.0 %  second-look  (8 of 8)
coverage: 100.0 % (8 of 8 outcomes of 1 policy)"""
    )


def test_the_example_is_clean() -> None:
    assert lint(load_estate(tree()).all("Policy"), cel_engine()) == ()


def test_the_table_has_every_field_of_a_case() -> None:
    rows = re.findall(r"^\| (`[^|]*) \| (.*) \|$", PAGE, re.MULTILINE)
    named = {field for row, _ in rows for field in re.findall(r"`(\w+)`", row)}
    assert named == set(shapes(Case))
    said = {row.strip("`"): text for row, text in rows}
    rows_of = {"approvals": GivenApproval, "by": People, "change": GivenChange, "finds": Expected}
    for row, cls in rows_of.items():
        for field in shapes(cls):
            assert field in said[row], f"{row}: {field}"
