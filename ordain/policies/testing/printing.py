"""Results of policy tests: for people, for programs, and for whatever reads JUnit.

A case that failed is a finding, so that it looks like every other finding.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.testing.coverage import BOTH, percent
from ordain.specs.diagnostics import render_text, shown
from ordain.specs.findings import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ordain.policies.testing.coverage import Covered, Gap
    from ordain.policies.testing.reports import Report
    from ordain.specs.findings import Finding

FORMAT: Final = "ordain.tests/1"


def as_text(report: Report, *, colour: bool) -> str:
    """For people."""
    lines = []
    if report.all_findings:
        lines.append(_blocks(report.all_findings, report, colour=colour))
    lines.append(summary(report))
    if report.coverage is not None:
        lines += ["", *_coverage_lines(report.coverage)]
    return "\n".join(lines)


def _blocks(findings: Sequence[Finding], report: Report, *, colour: bool) -> str:
    """Findings without the last line, which counts documents; here it is cases that count."""
    return render_text(findings, report.tree, colour=colour).rpartition("\n")[0]


def summary(report: Report) -> str:
    """Such as `31 cases in 2 files: 30 passed, 1 failed`."""
    passed = sum(one.passed for one in report.cases)
    files = _count(len(report.results), "file")
    failed = len(report.cases) - passed
    counts = f"{passed} passed, {failed} failed" if failed else f"{passed} passed"
    if report.findings:
        counts += f"; {_count(len(report.findings), 'file finding')}"
    return f"{_count(len(report.cases), 'case')} in {files}: {counts}"


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"


def coverage_line(covered: Sequence[Covered]) -> str:
    """Such as `coverage: 87.5 % (70 of 80 outcomes of 11 policies)`."""
    seen, possible = sum(one.covered for one in covered), sum(one.possible for one in covered)
    policies = f"{len(covered)} {'policy' if len(covered) == 1 else 'policies'}"
    return f"coverage: {percent(covered):.1f} % ({seen} of {possible} outcomes of {policies})"


def _coverage_lines(covered: Sequence[Covered]) -> Iterator[str]:
    for one in covered:
        yield f"{one.percent:5.1f} %  {one.policy}  ({one.covered} of {one.possible})"
        yield from (f"           {_gap_line(gap)}" for gap in one.gaps)
        for watched in one.expressions:
            if watched.errors:
                times = _count(watched.errors, "time")
                yield f"           {watched.label}: could not be evaluated {times}"
    yield coverage_line(covered)


def _gap_line(gap: Gap) -> str:
    return f"{gap.location}: {gap.label}: {gap.words}: {shown(gap.text)}"


def as_json(report: Report, moment: datetime, version: str = "") -> str:
    """For programs; findings as in `check -o json`, as of a moment, by a version of the tool."""
    from ordain.specs.writers import documents
    from ordain.specs.writers.checked import Checked

    verdict = Verdict.FAIL if report.failed else Verdict.PASS
    checked = Checked(
        verdict,
        tuple(report.all_findings),
        moment,
        report.tree,
        tool_version=version,
        engine=report.engine,
        policies=report.policies,
    )
    content: dict[str, Any] = json.loads(documents.render(checked))
    content["format"] = FORMAT
    passed = sum(one.passed for one in report.cases)
    content["summary"] = {
        "files": len(report.results),
        "cases": len(report.cases),
        "passed": passed,
        "failed": len(report.cases) - passed,
    }
    content["cases"] = [
        {
            "path": path,
            "line": one.stated.place.key.line,
            "policy": one.stated.policy,
            "name": one.stated.name,
            "passed": one.passed,
        }
        for path, results in report.results
        for one in results
    ]
    if report.coverage is not None:
        content["coverage"] = _coverage_json(report.coverage)
    return json.dumps(content, indent=2, ensure_ascii=False)


def _coverage_json(covered: Sequence[Covered]) -> dict[str, Any]:
    return {
        "percent": round(percent(covered), 1),
        "policies": [
            {
                "policy": one.policy,
                "percent": round(one.percent, 1),
                "covered": one.covered,
                "possible": one.possible,
                "expressions": [
                    {
                        "name": watched.label,
                        "answers": [answer for answer in BOTH if answer in watched.answers],
                        "errors": watched.errors,
                    }
                    for watched in one.expressions
                    if watched.counts
                ],
                "gaps": [
                    {
                        "name": gap.label,
                        "path": gap.location.path,
                        "line": gap.location.line,
                        "column": gap.location.column,
                        "text": gap.text,
                        "never": list(gap.never),
                    }
                    for gap in one.gaps
                ],
            }
            for one in covered
        ],
    }


def as_junit(report: Report) -> str:
    """JUnit XML, a suite for each file."""
    from xml.etree import ElementTree as ET

    root = ET.Element("testsuites", name="ordain test")
    for path, results in report.results:
        suite = ET.SubElement(
            root,
            "testsuite",
            name=path,
            tests=str(len(results)),
            failures=str(sum(not one.passed for one in results)),
            errors="0",
        )
        for one in results:
            case = ET.SubElement(
                suite,
                "testcase",
                classname=one.stated.policy or path,
                name=shown(one.stated.name),
                file=path,
                line=str(one.stated.place.key.line),
            )
            if not one.passed:
                failure = ET.SubElement(case, "failure", message=shown(one.findings[0].message))
                failure.text = _blocks(one.findings, report, colour=False)
    if report.findings:
        count = str(len(report.findings))
        suite = ET.SubElement(root, "testsuite", name="files", tests=count, errors=count)
        for found in report.findings:
            case = ET.SubElement(suite, "testcase", classname="files", name=str(found.location))
            error = ET.SubElement(case, "error", message=shown(found.message))
            error.text = _blocks((found,), report, colour=False)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True)
