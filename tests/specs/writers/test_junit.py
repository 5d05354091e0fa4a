from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
import xmlschema

from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]

XSD = Path(__file__).parents[2] / "data" / "schemas" / "junit-10.xsd"


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(XSD))


def suites(text: str) -> dict[str, ET.Element]:
    """The suites by their names."""
    return {suite.get("name", ""): suite for suite in ET.fromstring(text)}  # noqa: S314 - our own


def test_a_report_is_junit(make: Make, write: Write, schema: xmlschema.XMLSchema) -> None:
    schema.validate(write("junit", make()))
    schema.validate(write("junit", make((), ())))
    schema.validate(write("junit", make((), (), paths=())))


def test_hostile_texts_are_junit_all_the_same(
    everywhere: Checked, write: Write, schema: xmlschema.XMLSchema
) -> None:
    schema.validate(write("junit", everywhere))


def test_a_finding_that_fails_the_command_is_a_failure(make: Make, write: Write) -> None:
    suite = suites(write("junit", make()))["specs/monitor.yaml"]
    assert (suite.get("tests"), suite.get("failures")) == ("1", "1")
    (case,) = suite
    assert case.get("name") == "POL-drift-limit.features: the limit is above 0.25"
    (failure,) = case
    assert (failure.tag, failure.get("type")) == ("failure", "error")
    assert failure.text == (
        "error[POL-drift-limit.features]: the limit is above 0.25\n"
        "at specs/monitor.yaml:2:26\n"
        "object = Monitor/credit\n"
        "object.spec.psi.fail = 5\n"
        "controls: SR262-MON, SS123-4.4\n"
        "help: set psi.fail to 0.25 or less"
    )


def test_a_warning_fails_only_where_it_fails_the_command(make: Make, write: Write) -> None:
    warning = (Finding("ACC-METRIC", Severity.WARNING, "low"),)
    passing = suites(write("junit", make(warning, ())))["the estate"]
    assert (passing.get("failures"), passing[0][0].tag) == ("0", "system-out")
    strict = make(warning, (), fail_on=Severity.WARNING)
    failing = suites(write("junit", strict))["the estate"]
    assert (failing.get("failures"), failing[0][0].tag) == ("1", "failure")


def test_what_is_waived_is_skipped_with_its_reason(make: Make, write: Write) -> None:
    suite = suites(write("junit", make()))["ordain.yaml"]
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "0", "1")
    (skipped,) = (one for case in suite for one in case if one.tag == "skipped")
    assert skipped.get("message") == (
        "Waiver/monitored until 2026-12-31, by compliance-manager:"
        " the monitor comes with the next release"
    )


def test_a_file_without_findings_is_a_case_that_passes(make: Make, write: Write) -> None:
    suite = suites(write("junit", make()))["specs/größe 50%.yaml"]
    (case,) = suite
    assert case.get("name") == "no findings"
    assert len(case) == 0


def test_the_numbers_of_the_whole_are_those_of_the_suites(make: Make, write: Write) -> None:
    root = ET.fromstring(write("junit", make()))  # noqa: S314 - our own
    assert (root.get("tests"), root.get("failures")) == ("5", "1")
    assert len(root.findall(".//testcase")) == 5


def test_thirty_thousand_findings_are_thirty_thousand_cases(many: Checked, write: Write) -> None:
    suite = suites(write("junit", many))["a.yaml"]
    assert (suite.get("tests"), suite.get("failures")) == ("30000", "10000")
