from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ordain.specs.findings import Finding, Location, Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]
    Validate = Callable[[object, str], None]

SCHEMA = "sarif-2.1.0.json"


def run_of(text: str) -> dict[str, Any]:
    (run,) = json.loads(text)["runs"]
    found: dict[str, Any] = run
    return found


def test_a_log_is_sarif(make: Make, write: Write, validate: Validate) -> None:
    validate(json.loads(write("sarif", make())), SCHEMA)
    validate(json.loads(write("sarif", make((), ()))), SCHEMA)


def test_hostile_texts_are_sarif_all_the_same(
    everywhere: Checked, write: Write, validate: Validate
) -> None:
    validate(json.loads(write("sarif", everywhere)), SCHEMA)


def test_a_result_says_where_and_what(make: Make, write: Write) -> None:
    first, second, third, waived = run_of(write("sarif", make()))["results"]
    assert first["ruleId"] == "POL-drift-limit.features"
    assert first["level"] == "error"
    assert first["message"]["text"] == (
        "the limit is above 0.25\n"
        "object = Monitor/credit\n"
        "object.spec.psi.fail = 5\n"
        "help: set psi.fail to 0.25 or less"
    )
    assert first["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "specs/monitor.yaml", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 2, "startColumn": 26, "endLine": 2, "endColumn": 27},
            }
        }
    ]
    (related,) = first["relatedLocations"]
    assert related["message"] == {"text": "the policy"}
    assert related["physicalLocation"]["region"]["startColumn"] == 7
    assert [one["level"] for one in (second, third, waived)] == ["warning", "note", "error"]


def test_the_estate_stands_for_a_finding_without_a_place(make: Make, write: Write) -> None:
    second = run_of(write("sarif", make()))["results"][1]
    (place,) = second["locations"]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "ordain.yaml"
    assert "region" not in place["physicalLocation"]


def test_what_is_waived_is_suppressed_with_its_justification(make: Make, write: Write) -> None:
    *others, waived = run_of(write("sarif", make()))["results"]
    assert waived["suppressions"] == [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "the monitor comes with the next release",
            "properties": {
                "waiver": "Waiver/monitored",
                "by": "compliance-manager",
                "until": "2026-12-31",
            },
        }
    ]
    assert not any("suppressions" in one for one in others)


def test_a_rule_says_what_explain_says(make: Make, write: Write) -> None:
    run = run_of(write("sarif", make()))
    rules = {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    monitored = rules["POL-monitored"]
    assert monitored["shortDescription"] == {"text": "no monitor"}
    assert monitored["help"]["text"] == (
        "because\nRemedy: add one\nMore: ordain explain POL-monitored"
    )
    assert monitored["help"]["markdown"] == (
        "because\n\nRemedy: add one\n\n```text\na: 1\n```\n\nMore: ordain explain POL-monitored"
    )
    assert rules["POL-drift-limit.features"]["properties"]["tags"] == ["SR262-MON", "SS123-4.4"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_a_path_is_a_uri_relative_to_the_root(make: Make, write: Write) -> None:
    place = Location("specs/größe 50%/a:b#c?.yaml", 1, 1)
    odd = Finding("SPEC104", Severity.ERROR, "x", place)
    (result,) = run_of(write("sarif", make((odd,), ())))["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "specs/gr%C3%B6%C3%9Fe%2050%25/a%3Ab%23c%3F.yaml"


def test_brackets_are_escaped_only_where_they_would_be_a_link(make: Make, write: Write) -> None:
    texts = ("[x](http://evil.example)", "one of [a, b]")
    findings = tuple(Finding("SPEC104", Severity.ERROR, text) for text in texts)
    results = run_of(write("sarif", make(findings, ())))["results"]
    assert [one["message"]["text"] for one in results] == [
        "\\[x\\](http://evil.example)",
        "one of [a, b]",
    ]


def test_no_more_results_than_code_scanning_takes(
    many: Checked, write: Write, validate: Validate
) -> None:
    run = run_of(write("sarif", many))
    levels = [one["level"] for one in run["results"]]
    assert len(levels) == 25_000
    assert [levels.count(level) for level in ("error", "warning", "note")] == [10_000, 10_000, 5000]
    (said,) = run["invocations"][0]["toolExecutionNotifications"]
    assert said["message"]["text"] == (
        "5,000 more results are not in this file, which holds 25,000 at most."
    )
    run["results"] = run["results"][:3]
    validate({"version": "2.1.0", "runs": [run]}, SCHEMA)


def test_a_rule_has_no_more_tags_than_are_taken(make: Make, write: Write) -> None:
    controls = tuple(f"C-{number}" for number in range(30))
    one = Finding("POL-x", Severity.ERROR, "x", controls=controls)
    (rule,) = run_of(write("sarif", make((one,), ())))["tool"]["driver"]["rules"]
    assert rule["properties"]["tags"] == list(controls[:20])


def test_the_run_says_what_was_judged_and_as_of_when(make: Make, write: Write) -> None:
    run = run_of(write("sarif", make()))
    assert run["columnKind"] == "unicodeCodePoints"
    assert run["properties"]["asOf"] == "2026-11-20T12:00:00Z"
    assert run["properties"]["revision"] == "a" * 40
    assert run["properties"]["policies"][0] == {"name": "drift-limit", "digest": "sha256:1"}
