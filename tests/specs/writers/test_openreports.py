from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from ordain.specs.findings import Finding, Severity
from ordain.specs.writers.openreports import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]
    Report = Callable[[Checked], dict[str, Any]]
    Validate = Callable[[object, str], None]

SCHEMA = "openreports-report-v1alpha1.json"


@pytest.fixture
def report(write: Write, validate: Validate) -> Callable[[Checked], dict[str, Any]]:
    def valid(checked: Checked) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(write("openreports", checked))
        validate(content, SCHEMA)
        return content

    return valid


def test_a_report_names_its_kind_and_its_verdict(make: Make, report: Report) -> None:
    content = report(make())
    assert (content["apiVersion"], content["kind"]) == ("openreports.io/v1alpha1", "Report")
    assert content["metadata"]["name"] == "ordain-check"
    assert content["metadata"]["annotations"]["ordain.dev/as-of"] == "2026-11-20T12:00:00Z"
    assert content["summary"] == {"pass": 1, "fail": 1, "warn": 2, "error": 0, "skip": 1}


def test_hostile_texts_are_results_all_the_same(everywhere: Checked, report: Report) -> None:
    assert len(report(everywhere)["results"]) == 5


def test_a_finding_is_a_result_of_its_policy(make: Make, report: Report) -> None:
    first = report(make())["results"][0]
    assert (first["policy"], first["rule"]) == ("drift-limit", "features")
    assert (first["result"], first["severity"], first["scored"]) == ("fail", "high", True)
    assert first["timestamp"] == {"seconds": 1795176000, "nanos": 0}
    assert first["properties"]["file"] == "specs/monitor.yaml"
    assert first["properties"]["controls"] == "SR262-MON, SS123-4.4"


def test_what_is_waived_is_skipped_and_what_is_quiet_passes(make: Make, report: Report) -> None:
    results = {one["policy"]: one for one in report(make())["results"]}
    assert results["monitored"]["result"] == "skip"
    assert results["monitored"]["properties"]["waiver"] == "Waiver/monitored"
    assert results["quiet"]["result"] == "pass"


def test_a_policy_that_could_not_be_asked_is_an_error_and_no_pass(
    make: Make, report: Report
) -> None:
    message = "the policy quiet could not be evaluated on Model/credit: no such key"
    undecided = Finding("POL002", Severity.ERROR, message)
    content = report(make((undecided,), ()))
    assert [one["result"] for one in content["results"]] == ["error", "pass", "pass"]
    assert "quiet" not in {one["policy"] for one in content["results"]}


def test_no_policy_passes_where_documents_could_not_be_read(make: Make, report: Report) -> None:
    unread = Finding("SPEC104", Severity.ERROR, "unknown field `fial`")
    assert [one["result"] for one in report(make((unread,), ()))["results"]] == ["fail"]
    odd = Finding("SPEC120", Severity.WARNING, "an unusual number")
    assert "pass" in [one["result"] for one in report(make((odd,), ()))["results"]]


def test_a_policy_is_not_taken_for_another_whose_name_holds_its_own(
    make: Make, report: Report
) -> None:
    message = "the policy quiet-nights could not be evaluated on Model/credit: no such key"
    undecided = Finding("POL002", Severity.ERROR, message)
    results = {one["policy"]: one["result"] for one in report(make((undecided,), ()))["results"]}
    assert results["quiet"] == "pass"


def test_a_report_stays_an_object_that_a_cluster_can_hold(many: Checked, write: Write) -> None:
    text = write("openreports", many)
    content = json.loads(text)
    assert len(text.encode()) < MOST_BYTES * 1.1
    assert content["summary"]["fail"] == 10_000
    assert {one["result"] for one in content["results"]} == {"fail"}
    left = int(content["metadata"]["annotations"]["ordain.dev/left-out"])
    assert left + len(content["results"]) == 30_000 + 2
