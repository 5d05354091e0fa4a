"""SARIF 2.1.0, for code scanning and for editors that show its results.

Section numbers below are those of the OASIS standard. Columns count code points (3.14.17), paths
are relative to `%SRCROOT%`, whose place only the reader knows (3.14.14), and are percent-encoded
(3.4.3). What waivers cover is there with its justification (3.35), never left out. Code scanning
refuses a result without a place, so the estate's own file stands for the estate as a whole.

GitHub takes 25,000 results of a run and 20 tags of a rule; beyond that it refuses the whole file.
What is cut is the lightest, and a notification (3.58) says how much.

`partialFingerprints` has our own name only: GitHub's upload adds the one that it computes itself,
and complains about another value under that name.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.diagnostics import cut
from ordain.specs.writers.checked import WHOLE_ESTATE
from ordain.specs.writers.fingerprints import NAME, heaviest_first, marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ordain.specs.explanations import Explanation
    from ordain.specs.findings import Finding, Location
    from ordain.specs.writers.checked import Checked
    from ordain.specs.writers.fingerprints import Marked

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0-rtm.5.json"
MOST_RESULTS: Final = 25_000
_MOST_TAGS: Final = 20
# What code scanning shows of a description.
_LONGEST: Final = 1024
_BASE: Final = "%SRCROOT%"


def render(checked: Checked) -> str:
    """One log with one run."""
    every = heaviest_first(marked(checked))
    shown = every[:MOST_RESULTS]
    rules = _rules(shown, checked.pages)
    index = {rule["id"]: position for position, rule in enumerate(rules)}
    run = {
        "tool": {"driver": _driver(checked, rules)},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {_BASE: {"description": {"text": "The root of the estate."}}},
        "automationDetails": {"id": "ordain/check/"},
        "invocations": [_invocation(checked, len(every) - len(shown))],
        "results": [_result(one, index[one.finding.code]) for one in shown],
        "properties": _properties(checked),
    }
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False)


def _driver(checked: Checked, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "ordain", "version": checked.tool_version, "rules": rules}


def _invocation(checked: Checked, cut: int) -> dict[str, Any]:
    """That the check itself went well (3.20.14); findings are no failure of it."""
    found: dict[str, Any] = {"executionSuccessful": True, "startTimeUtc": checked.instant}
    if cut:
        text = f"{cut:,} more results are not in this file, which holds {MOST_RESULTS:,} at most."
        found["toolExecutionNotifications"] = [{"level": "warning", "message": {"text": text}}]
    return found


def _properties(checked: Checked) -> dict[str, Any]:
    return {
        "verdict": checked.verdict.value,
        "asOf": checked.instant,
        "revision": checked.revision,
        "base": checked.base,
        "engine": checked.engine,
        # A change may be judged by two rules of one name.
        "policies": [{"name": name, "digest": digest} for name, digest in checked.policies],
    }


def _rules(shown: Iterable[Marked], pages: Mapping[str, Explanation]) -> list[dict[str, Any]]:
    """A rule for every code that is used, by its heaviest finding (3.49)."""
    first: dict[str, Finding] = {}
    controls: dict[str, dict[str, None]] = {}
    for one in shown:
        first.setdefault(one.finding.code, one.finding)
        controls.setdefault(one.finding.code, {}).update(dict.fromkeys(one.finding.controls))
    return [
        _rule(finding, list(controls[code]), pages.get(code))
        for code, finding in sorted(first.items())
    ]


def _rule(finding: Finding, controls: list[str], page: Explanation | None) -> dict[str, Any]:
    title = page.title if page is not None else finding.message
    why = page.why if page is not None else ""
    remedy = page.remedy if page is not None else finding.remedy
    said = [text for text in (why, f"Remedy: {remedy}" if remedy else "") if text]
    said.append(f"More: ordain explain {finding.code}")
    shown = page.example.rstrip("\n") if page is not None else ""
    example = f"```text\n{shown}\n```" if shown else ""
    return {
        "id": finding.code,
        "shortDescription": {"text": cut(title, _LONGEST)},
        "fullDescription": {"text": cut(why or title, _LONGEST)},
        "help": {
            "text": "\n".join(said),
            "markdown": "\n\n".join([*said[:-1], *([example] if example else []), said[-1]]),
        },
        "defaultConfiguration": {"level": finding.severity.value},
        "properties": {"tags": controls[:_MOST_TAGS]},
    }


def _result(one: Marked, rule: int) -> dict[str, Any]:
    finding = one.finding
    place = finding.location
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": finding.severity.value,
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _physical(place)}],
        "partialFingerprints": {NAME: one.fingerprint},
    }
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "physicalLocation": _physical(where), "message": {"text": label}}
            for number, (where, label) in enumerate(finding.related, start=1)
        ]
    if one.waived is not None:
        waived = one.waived
        properties = {"waiver": waived.waiver, "by": waived.approved_by, "until": waived.expires}
        suppression = {"kind": "external", "status": "accepted", "justification": waived.reason}
        result["suppressions"] = [{**suppression, "properties": properties}]
    return result


def _message(finding: Finding) -> str:
    """What is wrong, the facts, the remedy; what would be read as a link is escaped (3.11.6)."""
    remedy = [f"help: {finding.remedy}"] if finding.remedy else []
    text = "\n".join([finding.message, *finding.evidence, *remedy])
    return text.replace("[", "\\[").replace("]", "\\]") if "](" in text else text


def _physical(place: Location | None) -> dict[str, Any]:
    from urllib.parse import quote

    path = place.path if place is not None else WHOLE_ESTATE
    found: dict[str, Any] = {
        "artifactLocation": {"uri": quote(path, safe="/", errors="replace"), "uriBaseId": _BASE}
    }
    if place is not None and place.line:
        found["region"] = {
            "startLine": place.line,
            "startColumn": max(1, place.column),
            "endLine": place.line,
            "endColumn": max(1, place.column) + place.length,
        }
    return found
