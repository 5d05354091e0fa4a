"""JSON for programs: everything that is known, in a shape that is published and versioned.

`findings_schema` in the module beside this one describes it; `ordain schema` writes that to a file.
Fields may be added in later versions; `format` changes when one is removed or changes its meaning,
so a program checks `format` and ignores what it does not know. Positions count from 1 in code
points, `end` is behind the last one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.diagnostics import Sources, counts
from ordain.specs.writers.fingerprints import marked

if TYPE_CHECKING:
    from ordain.specs.findings import Location
    from ordain.specs.writers.checked import Checked, Waived
    from ordain.specs.writers.fingerprints import Marked

FORMAT: Final = "ordain.findings/1"
_LONGEST_SNIPPET: Final = 500


def render(checked: Checked) -> str:
    """One JSON document, without a line break at its end."""
    stand, suppressed = plain_findings(checked)
    content = {
        "format": FORMAT,
        "tool": {"name": "ordain", "version": checked.tool_version},
        "verdict": checked.verdict.value,
        "as_of": checked.instant,
        "revision": checked.revision or None,
        "base": checked.base or None,
        "change": checked.change or None,
        "engine": checked.engine,
        "policies": [{"name": name, "digest": digest} for name, digest in checked.policies],
        "summary": {
            **counts(checked.findings),
            "suppressed": len(checked.suppressed),
            "files": len(checked.paths),
        },
        "findings": stand,
        "suppressed": suppressed,
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def plain_findings(checked: Checked) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What stands and what is waived, as JSON values; every other document says it like this."""
    sources = Sources(checked.tree)
    every = marked(checked, sources)
    stand = [_finding(one, sources) for one in every if one.waived is None]
    waived = [
        {**_finding(one, sources), "waiver": _waiver(one.waived)} for one in every if one.waived
    ]
    return stand, waived


def _finding(one: Marked, sources: Sources) -> dict[str, Any]:
    finding = one.finding
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "location": _place(finding.location, sources),
        "evidence": list(finding.evidence),
        "remedy": finding.remedy,
        "controls": list(finding.controls),
        "related": [
            {"message": label, **(_place(place, sources) or {})} for place, label in finding.related
        ],
        "fingerprint": one.fingerprint,
    }


def _waiver(waived: Waived) -> dict[str, str]:
    return {
        "name": waived.waiver,
        "subject": waived.subject,
        "reason": waived.reason,
        "approved_by": waived.approved_by,
        "expires": waived.expires,
    }


def _place(place: Location | None, sources: Sources) -> dict[str, Any] | None:
    if place is None:
        return None
    if not place.line:
        return {"path": place.path, "range": None, "snippet": None}
    column = max(1, place.column)
    start = {"line": place.line, "column": column}
    end = {"line": place.line, "column": column + place.length}
    line = sources.line(place)
    return {
        "path": place.path,
        "range": {"start": start, "end": end},
        "snippet": line if line is None or len(line) <= _LONGEST_SNIPPET else None,
    }
