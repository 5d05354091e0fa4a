"""An OpenReports `Report`, the shape in which Kubernetes tools collect the answers of policies.

The group `openreports.io` is the successor of the PolicyReport of `wgpolicyk8s.io`; only the
successor is written, since its readers take both and the older one is no longer developed. A report
is one object of a cluster, which etcd limits to 1.5 MB: the heaviest results are written up to a
megabyte, the summary counts all of them, and an annotation says how many were left out.

A policy that was asked and found nothing is a result that passes; none does where documents could
not be read, because nobody knows what it would have said of them. An expression that could not be
evaluated is an error, a finding that is waived is skipped.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.diagnostics import cut
from ordain.specs.findings import Severity
from ordain.specs.writers.fingerprints import heaviest_first, marked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.findings import Finding
    from ordain.specs.writers.checked import Checked
    from ordain.specs.writers.fingerprints import Marked

API_VERSION: Final = "openreports.io/v1alpha1"
MOST_BYTES: Final = 1_000_000
_LONGEST: Final = 4_000
# The code of an expression that could not be evaluated: neither pass nor fail.
_UNDECIDED: Final = "POL002"
# What the loader reports begins so.
_LANGUAGE: Final = "SPEC"
_RESULTS: Final = {
    Severity.ERROR: ("fail", "high"),
    Severity.WARNING: ("warn", "medium"),
    Severity.NOTE: ("warn", "info"),
}


def render(checked: Checked) -> str:
    """One Report as JSON, which is YAML to `kubectl apply`."""
    results = list(_results(checked))
    written, size = 0, 0
    for one in results:
        size += len(json.dumps(one, ensure_ascii=False).encode("utf-8", "replace"))
        if size > MOST_BYTES:
            break
        written += 1
    said = Counter(one["result"] for one in results)
    report = {
        "apiVersion": API_VERSION,
        "kind": "Report",
        "metadata": {
            "name": "ordain-check",
            "labels": {"app.kubernetes.io/managed-by": "ordain"},
            "annotations": _annotations(checked, len(results) - written),
        },
        "source": "ordain",
        "summary": {name: said[name] for name in ("pass", "fail", "warn", "error", "skip")},
        "results": results[:written],
    }
    return json.dumps(report, ensure_ascii=False)


def _annotations(checked: Checked, cut: int) -> dict[str, str]:
    found = {
        "verdict": checked.verdict.value,
        "as-of": checked.instant,
        "revision": checked.revision,
        "engine": checked.engine,
        "left-out": str(cut or ""),
    }
    return {f"ordain.dev/{name}": value for name, value in found.items() if value}


def _results(checked: Checked) -> Iterator[dict[str, Any]]:
    every = marked(checked)
    time = {"seconds": int(checked.as_of.timestamp()), "nanos": 0}
    for one in heaviest_first(every):
        yield {**_result(one), "timestamp": time}
    if any(_hides_documents(one.finding) for one in every):
        return
    for name in checked.policy_names:
        if not any(_concerns(one.finding, name) for one in every):
            yield {"source": "ordain", "policy": name, "result": "pass", "timestamp": time}


def _hides_documents(finding: Finding) -> bool:
    """Whether the language refuses something, so that it was not there to be asked about."""
    return finding.code.startswith(_LANGUAGE) and finding.severity is Severity.ERROR


def _concerns(finding: Finding, policy: str) -> bool:
    """Whether a finding is of a policy, or says that the policy could not be asked."""
    if finding.code.startswith("POL0"):
        return re.search(rf"(?<![\w.-]){re.escape(policy)}(?![\w-])", finding.message) is not None
    return finding.code.removeprefix("POL-").partition(".")[0] == policy


def _result(one: Marked) -> dict[str, Any]:
    finding = one.finding
    result, severity = _RESULTS[finding.severity]
    if finding.code == _UNDECIDED:
        result = "error"
    policy, _, rule = finding.code.removeprefix("POL-").partition(".")
    found: dict[str, Any] = {
        "source": "ordain",
        "policy": policy,
        "category": ", ".join(finding.controls[:1]) or "ordain",
        "severity": severity,
        "result": "skip" if one.waived is not None else result,
        "scored": finding.severity is Severity.ERROR,
        "message": cut(finding.message, _LONGEST),
        "properties": _properties(one),
    }
    return {**found, "rule": rule} if rule else found


def _properties(one: Marked) -> dict[str, str]:
    finding, place = one.finding, one.finding.location
    found = {"code": finding.code, "fingerprint": one.fingerprint}
    if place is not None:
        found["file"] = place.path
        if place.line:
            found |= {"line": str(place.line), "column": str(place.column)}
    if finding.remedy:
        found["remedy"] = finding.remedy
    if finding.controls:
        found["controls"] = ", ".join(finding.controls)
    if one.waived is not None:
        found |= {"waiver": one.waived.waiver, "reason": one.waived.reason}
    return found
