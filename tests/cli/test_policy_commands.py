"""`ordain test` and `ordain lint`, as a person runs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

import ordain

if TYPE_CHECKING:
    from places import Place

RULE = "policies/house-rules.yaml"
TESTS = "policies/house-rules.test.yaml"


def test_the_tests_of_a_new_estate_pass_and_cover_its_rules(founded: Place) -> None:
    done = founded.ordain("test", "--coverage", "--fail-under", "100")
    assert done.stdout.splitlines() == [
        "10 cases in 1 file: 10 passed",
        "",
        "100.0 %  psi-limit-not-loosened  (8 of 8)",
        "coverage: 100.0 % (8 of 8 outcomes of 1 policy)",
        "Next: ordain check",
    ]


def test_a_file_or_a_directory_can_be_named(founded: Place) -> None:
    for path in ("policies", TESTS, str(founded.estate / TESTS)):
        lines = founded.ordain("test", path).stdout.splitlines()
        assert lines == ["10 cases in 1 file: 10 passed", "Next: ordain test --coverage"]
    done = founded.ordain("test", "specs", expect=2)
    assert "error[TEST005]: there are no tests of policies in specs" in done.stderr
    done = founded.ordain("test", "..", expect=2)
    assert done.stderr.endswith(f"Error: .. is not in the estate at {founded.estate}\n")


def test_a_rule_that_changes_breaks_its_tests(place: Place) -> None:
    place.edit(RULE, "<= 0.25", "<= 0.5")
    done = place.ordain("test", expect=1)
    first, place_of_case, *_, last = done.stdout.splitlines()
    assert first == (
        "error[TEST001]: psi-limit-not-loosened: a limit that hides drift: "
        "expected POL-psi-limit-not-loosened, found nothing of it"
    )
    assert place_of_case.strip() == f"--> {TESTS}:12:9"
    assert last == "Next: ordain explain TEST001"


def test_a_file_of_tests_is_no_document_of_the_estate(place: Place) -> None:
    before = place.ordain("check").stdout
    place.edit(TESTS, "policies:", "nonsense: true\npolicies:")
    assert place.ordain("check").stdout == before
    done = place.ordain("test", expect=1)
    assert "error[SPEC104]: unknown field `nonsense`" in done.stdout


def test_too_little_coverage_fails_with_the_number(place: Place) -> None:
    place.edit(TESTS, "set: {Monitor/credit-default: {spec.psi: null}}", "params: {}")
    done = place.ordain("test", "--fail-under", "90", expect=1)
    assert done.stdout.splitlines()[-1] == "The coverage is 87.5 %; --fail-under asks for 90 %."
    place.ordain("test", "--fail-under", "87.5")
    done = place.ordain("test", "--fail-under", "90", "-o", "json", expect=1)
    assert json.loads(done.stdout)["coverage"]["percent"] == 87.5
    assert done.stderr == "The coverage is 87.5 %; --fail-under asks for 90 %.\n"


def test_junit_is_xml_and_nothing_else(founded: Place) -> None:
    root = ET.fromstring(founded.ordain("test", "-o", "junit").stdout)  # noqa: S314 - our own
    assert [suite.get("name") for suite in root] == [TESTS]
    assert len(root[0]) == 10


def test_packs_are_tested_by_their_examples(founded: Place) -> None:
    lines = founded.ordain("test", "--pack", "baseline@1.0.0").stdout.splitlines()
    assert lines == ["36 cases in 1 file: 36 passed", "Next: ordain test --coverage"]
    done = founded.ordain("test", "--pack", "baselin", expect=2)
    assert done.stderr.startswith("error[POL003]: there is no pack baselin\n")
    founded.ordain("test", "--pack", "baseline", "policies", expect=2)


def test_the_rules_of_a_new_estate_are_clean(founded: Place) -> None:
    assert founded.ordain("lint").stdout == "no findings in 1 policy\nNext: ordain test\n"
    lines = founded.ordain("lint", "--pack", "baseline").stdout.splitlines()
    assert lines == ["no findings in 14 policies", "Next: ordain test"]


def test_a_misspelt_field_is_shown_with_what_was_meant(place: Place) -> None:
    place.edit(RULE, "object.spec.psi.fail <=", "object.spec.psi.fial <=")
    place.edit(RULE, "controls: [SR262-MON]", "controls: []")
    done = place.ordain("lint", expect=1)
    assert done.stdout.splitlines()[:6] == [
        "error[LINT010]: object.spec.psi has no field `fial`",
        f"  --> {RULE}:11:91",
        "   |",
        (
            '11 |     - expression: "!has(object.spec.psi) || !has(object.spec.psi.fail) || '
            'object.spec.psi.fial <= 0.25"'
        ),
        f"   | {' ' * 90}^^^^",
        "   = help: did you mean `fail`?",
    ]
    assert done.stdout.splitlines()[-2:] == [
        "1 error, 1 note in 1 policy",
        "Next: ordain explain LINT010",
    ]
    found = json.loads(place.ordain("lint", "-o", "json", expect=1).stdout)
    assert [one["code"] for one in found["findings"]] == ["LINT010", "LINT032"]
    assert (found["format"], found["summary"]["error"]) == ("ordain.findings/1", 1)


@pytest.mark.parametrize(("weight", "code"), [("error", 0), ("warning", 0), ("note", 1)])
def test_what_fails_is_asked_for(place: Place, weight: str, code: int) -> None:
    place.edit(RULE, "controls: [SR262-MON]", "controls: []")
    place.ordain("lint", "--fail-on", weight, expect=code)


def test_what_cannot_be_read_is_said_by_lint_as_by_check(place: Place) -> None:
    place.edit(RULE, "match:", "mtach:")
    done = place.ordain("lint", expect=1)
    assert done.stdout.startswith("error[SPEC104]: unknown field `mtach`\n")
    done = place.ordain("test", expect=1)
    assert done.stderr.splitlines() == [
        f"error[SPEC104]: {RULE}:7:3: unknown field `mtach`",
        "  = help: did you mean `match`?",
        "error[ORD001]: the estate has errors, so its policies cannot be tested",
        "  = help: run: ordain check",
    ]


def test_lint_counts_files_only_where_they_could_not_be_read(place: Place) -> None:
    place.edit("specs/models/credit-default.yaml", "tier:", "teir:")
    lines = place.ordain("lint", expect=1).stdout.splitlines()
    assert lines[-2].endswith(" in 10 files and 1 policy")


def test_lint_sends_nobody_to_tests_that_are_not_there(place: Place) -> None:
    (place.estate / TESTS).unlink()
    lines = place.ordain("lint").stdout.splitlines()
    assert lines == ["no findings in 1 policy", "Next: ordain check"]


def test_json_of_lint_and_test_says_what_judged(founded: Place) -> None:
    for command, files in (("lint", 10), ("test", 1)):
        found = json.loads(founded.ordain(command, "-o", "json").stdout)
        assert found["tool"]["version"] == ordain.__version__
        assert found["engine"].startswith("cel-expr-python ")
        assert "psi-limit-not-loosened" in [one["name"] for one in found["policies"]]
        assert found["summary"]["files"] == files


def test_a_coverage_that_is_no_number_is_a_usage_error(founded: Place) -> None:
    done = founded.ordain("test", "--fail-under", "nan", expect=2)
    assert "Invalid value for '--fail-under': nan is no percentage" in done.stderr
