"""GitLab's code quality report: a list of entries, each with a place and a fingerprint.

GitLab compares the fingerprints of two branches to tell what is new, so they must be different from
each other and stay the same when lines move. It knows no findings that are accepted: what is waived
is left out here, and is in every other format. An entry without a file is refused, so the estate's
own file stands for the estate as a whole.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.findings import Severity
from ordain.specs.writers.checked import WHOLE_ESTATE
from ordain.specs.writers.fingerprints import heaviest_first, marked

if TYPE_CHECKING:
    from ordain.specs.writers.checked import Checked
    from ordain.specs.writers.fingerprints import Marked

_SEVERITIES: Final = {
    Severity.ERROR: "blocker",
    Severity.WARNING: "minor",
    Severity.NOTE: "info",
}


def render(checked: Checked) -> str:
    """One JSON array, the heaviest first."""
    found = [one for one in heaviest_first(marked(checked)) if one.waived is None]
    return json.dumps([_entry(one) for one in found], ensure_ascii=False)


def _entry(one: Marked) -> dict[str, Any]:
    finding, place = one.finding, one.finding.location
    remedy = f" ({finding.remedy})" if finding.remedy else ""
    return {
        "description": f"{finding.message}{remedy}",
        "check_name": finding.code,
        "fingerprint": one.fingerprint,
        "severity": _SEVERITIES[finding.severity],
        "location": {
            "path": place.path if place is not None else WHOLE_ESTATE,
            "lines": {"begin": max(1, place.line) if place is not None else 1},
        },
    }
