"""What a preview says of the validations that a change brings: verdicts, and who is decided anew.

They are read from the tree of the change. One that cannot be read is a finding of the gate already,
and is not told twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.policies.validated import read_report
from ordain.specs import validation_text
from ordain.specs.findings import Finding
from ordain.specs.validation_text import share, shift_cells
from ordain.specs.validation_verdicts import blockers, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.validations import ValidationReport

SHIFTS = ("version", *validation_text.SHIFTS)
SECTIONS = ("version", "section", "verdict", "checks that decide")
REASONS = ("version", "first reason", "before", "now")


@dataclass(frozen=True, slots=True)
class Validated:
    """A version that comes with a change, and its validation."""

    version: str
    report: ValidationReport

    @property
    def line(self) -> str:
        """The verdict in one line."""
        held = blockers(self.report)
        more = f": {'; '.join(held[:3])}" if held else ""
        verdict = self.report.verdict
        return f"the validation of {self.version} says {verdict} on {self.report.rows:,} rows{more}"

    def sections(self) -> Iterator[tuple[str, ...]]:
        """A row for each section."""
        for one in sections(self.report):
            yield self.version, one.name, one.said, str(one.deciding)

    def shifts(self) -> Iterator[tuple[str, ...]]:
        """A row for each group that both versions have decided on."""
        if self.report.behaviour is not None:
            for one in self.report.behaviour.shifts:
                yield self.version, *shift_cells(one)

    def reasons(self) -> Iterator[tuple[str, ...]]:
        """A row for each first reason of unfavourable decisions."""
        if self.report.behaviour is not None:
            for name, ours, theirs in self.report.behaviour.reasons:
                yield self.version, name, share(theirs), share(ours)

    def to_json(self) -> dict[str, Any]:
        """For programs; the whole document is in the tree under its digest."""
        return {
            "version": self.version,
            "document": self.report.digest,
            "verdict": self.report.verdict,
            "blockers": list(blockers(self.report)),
            "sections": [list(row[1:]) for row in self.sections()],
            "shifts": [list(row[1:]) for row in self.shifts()],
            "reasons": [list(row[1:]) for row in self.reasons()],
        }


def validations_in(
    added: tuple[str, ...], estate: LoadedEstate, tree: Mapping[str, bytes]
) -> Iterator[Validated]:
    """The validations of the versions that a change adds."""
    for key in added:
        document = estate.documents.get(key)
        if document is not None and document.kind == "ModelVersion":
            found = read_report(document, tree)
            if not isinstance(found, Finding):
                yield Validated(key, found)
