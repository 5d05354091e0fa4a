"""JUnit XML, the test report that every CI shows: a suite for each file, a case for each finding.

A file without findings is a case that passes, so that a report is never empty and its numbers mean
something. What fails the command is a failure; what does not is a case that passes and says so in
its output; what is waived is skipped, with the reason. XML 1.0 cannot hold control characters at
all: they are shown as a terminal shows them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from ordain.specs.diagnostics import one_line, shown
from ordain.specs.writers.fingerprints import marked

if TYPE_CHECKING:
    from ordain.specs.findings import Finding
    from ordain.specs.writers.checked import Checked
    from ordain.specs.writers.fingerprints import Marked

# XML 1.0, production 2, allows these no more than control characters, which `shown` takes care of.
_NO_CHARACTERS = re.compile("[\ufffe\uffff]")
_NO_FILE = "the estate"


def render(checked: Checked) -> str:
    """One `testsuites` element."""
    by_file: dict[str, list[Marked]] = {path: [] for path in checked.paths}
    for one in marked(checked):
        place = one.finding.location
        by_file.setdefault(_NO_FILE if place is None else place.path, []).append(one)
    if not by_file:
        by_file[_NO_FILE] = []
    root = ET.Element("testsuites", {"name": "ordain check"})
    for path, found in sorted(by_file.items()):
        root.append(_suite(path, found, checked))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n'


def _suite(path: str, found: list[Marked], checked: Checked) -> ET.Element:
    name = _line(path)
    failures = sum(one.waived is None and checked.fails(one.finding) for one in found)
    attributes = {
        "name": name,
        "tests": str(max(1, len(found))),
        "failures": str(failures),
        "errors": "0",
        "skipped": str(sum(one.waived is not None for one in found)),
        "timestamp": checked.instant.removesuffix("Z"),
        "time": "0",
    }
    suite = ET.Element("testsuite", attributes)
    if not found:
        ET.SubElement(suite, "testcase", {"name": "no findings", "classname": name, "time": "0"})
    for one in found:
        suite.append(_case(one, name, checked))
    return suite


def _case(one: Marked, classname: str, checked: Checked) -> ET.Element:
    finding = one.finding
    title = f"{finding.code}: {_line(finding.message)}"
    case = ET.Element("testcase", {"name": title, "classname": classname, "time": "0"})
    kind = {"type": finding.severity.value, "message": _line(finding.message)}
    if one.waived is not None:
        ET.SubElement(case, "skipped", {"type": "waived", "message": _line(one.waived.words)})
    elif checked.fails(finding):
        ET.SubElement(case, "failure", kind).text = _body(finding)
    else:
        ET.SubElement(case, "system-out").text = _body(finding)
    return case


def _body(finding: Finding) -> str:
    place = [f"at {finding.location}"] if finding.location is not None else []
    controls = [f"controls: {', '.join(finding.controls)}"] if finding.controls else []
    remedy = [f"help: {finding.remedy}"] if finding.remedy else []
    head = f"{finding.severity.value}[{finding.code}]: {finding.message}"
    return _text("\n".join([head, *place, *finding.evidence, *controls, *remedy]))


def _text(text: str) -> str:
    return _NO_CHARACTERS.sub("\ufffd", shown(text))


def _line(text: str) -> str:
    return _NO_CHARACTERS.sub("\ufffd", one_line(text))
