from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.writers.findings_schema import findings_schema

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]


def valid(text: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(text)
    jsonschema.Draft7Validator(findings_schema()).validate(content)
    return content


def test_the_published_schema_is_a_schema() -> None:
    jsonschema.Draft7Validator.check_schema(findings_schema())


def test_what_is_written_is_what_the_schema_says(make: Make, write: Write) -> None:
    valid(write("json", make()))
    valid(write("json", make((), (), revision="", policies=())))


def test_hostile_texts_are_what_the_schema_says(everywhere: Checked, write: Write) -> None:
    valid(write("json", everywhere))


@pytest.mark.parametrize("field", ["format", "verdict", "findings", "suppressed", "as_of"])
def test_the_schema_refuses_a_document_without_a_field(
    make: Make, write: Write, field: str
) -> None:
    content = json.loads(write("json", make()))
    del content[field]
    with pytest.raises(jsonschema.ValidationError, match=f"'{field}' is a required property"):
        jsonschema.validate(content, findings_schema())


def test_the_schema_lets_later_versions_add_fields(make: Make, write: Write) -> None:
    content = json.loads(write("json", make()))
    content["later"] = content["findings"][0]["later"] = True
    jsonschema.validate(content, findings_schema())


def test_it_says_what_was_judged_by_what_and_when(make: Make, write: Write) -> None:
    content = valid(write("json", make()))
    assert content["format"] == "ordain.findings/1"
    assert content["tool"] == {"name": "ordain", "version": "1.2.3"}
    assert content["verdict"] == "fail"
    assert content["as_of"] == "2026-11-20T12:00:00Z"
    assert content["engine"] == "cel 1.0"
    assert content["policies"][0] == {"name": "drift-limit", "digest": "sha256:1"}
    assert (content["revision"], content["base"]) == ("a" * 40, None)
    assert content["summary"] == {
        "error": 1,
        "warning": 1,
        "note": 1,
        "suppressed": 1,
        "files": 3,
    }


def test_a_finding_has_its_place_its_line_and_its_fingerprint(make: Make, write: Write) -> None:
    first = valid(write("json", make()))["findings"][0]
    assert len(first.pop("fingerprint")) == 64
    assert first == {
        "code": "POL-drift-limit.features",
        "severity": "error",
        "message": "the limit is above 0.25",
        "location": {
            "path": "specs/monitor.yaml",
            "range": {"start": {"line": 2, "column": 26}, "end": {"line": 2, "column": 27}},
            "snippet": "  psi: {warn: 0.1, fail: 5}",
        },
        "evidence": ["object = Monitor/credit", "object.spec.psi.fail = 5"],
        "remedy": "set psi.fail to 0.25 or less",
        "controls": ["SR262-MON", "SS123-4.4"],
        "related": [
            {
                "message": "the policy",
                "path": "ordain.yaml",
                "range": {"start": {"line": 1, "column": 7}, "end": {"line": 1, "column": 13}},
                "snippet": "kind: Estate",
            }
        ],
    }


def test_what_is_waived_names_its_waiver(make: Make, write: Write) -> None:
    (waived,) = valid(write("json", make()))["suppressed"]
    assert waived["code"] == "POL-monitored"
    assert waived["waiver"] == {
        "name": "Waiver/monitored",
        "subject": "Model/credit",
        "reason": "the monitor comes with the next release",
        "approved_by": "compliance-manager",
        "expires": "2026-12-31",
    }


def test_a_place_without_a_line_has_no_range(make: Make, write: Write) -> None:
    findings = (
        Finding("SPEC001", Severity.ERROR, "x", Location("ordain.yaml")),
        Finding("SPEC001", Severity.ERROR, "x"),
    )
    whole, nowhere = valid(write("json", make(findings, ())))["findings"]
    assert whole["location"] == {"path": "ordain.yaml", "range": None, "snippet": None}
    assert nowhere["location"] is None


def test_a_line_that_nobody_reads_is_left_out(make: Make, write: Write) -> None:
    one = Finding("SPEC011", Severity.ERROR, "x", Location("long.yaml", 1, 1))
    checked = make((one,), (), tree={"long.yaml": b"x" * 501})
    assert valid(write("json", checked))["findings"][0]["location"]["snippet"] is None


def test_the_same_check_gives_the_same_bytes(make: Make, write: Write) -> None:
    assert write("json", make()) == write("json", make())
