"""The suite of edge cases that stands in git: every case is asked, and every answer decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.errors import EdgeCasesError
from ordain.runtime.validation.checks import untold
from ordain.specs.edge_cases import read_edge_cases
from ordain.specs.findings import Verdict
from ordain.specs.validations import Check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.scoring import Scored
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.edge_cases import EdgeCase

SECTION = "edge-cases"


def examine(scene: Scene) -> Iterator[Check]:
    """A check for every case.

    Raises:
        EdgeCasesError: when the file cannot be read.
    """
    path, text = scene.order.spec.validation.edge_cases, scene.order.edge_cases
    if path is None:
        return
    if text is None:
        yield untold(SECTION, "suite", f"{path} is not there", limit="every case as expected")
        return
    cases, findings = read_edge_cases(text.encode(), path)
    if findings:
        first = findings[0]
        raise EdgeCasesError(first.message, remedy=first.remedy, location=first.location)
    for case in cases:
        yield _asked(case, scene.served.ask(case.inputs))


def _asked(case: EdgeCase, found: Scored | str) -> Check:
    wrong = _wrong(case, found)
    return Check(
        SECTION,
        case.name,
        value=None if isinstance(found, str) else found.output,
        n=1,
        limit=case.expected,
        verdict=(Verdict.FAIL if wrong else Verdict.PASS).value,
        reason=f"{wrong}; {case.why}" if wrong else case.why,
    )


def _wrong(case: EdgeCase, found: Scored | str) -> str:
    """What came instead of what is expected; empty where that came."""
    if isinstance(found, str):
        return "" if case.refused else f"refused: {found}"
    if case.refused:
        return f"answered with {found.output:.6g}"
    told = []
    low, high = case.low, case.high
    if (low is not None and found.output < low) or (high is not None and found.output > high):
        told.append(f"output {found.output:.6g}")
    if case.decision is not None and found.decision != case.decision:
        told.append(f"decision {found.decision}")
    return ", ".join(told)
