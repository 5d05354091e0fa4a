"""What a check has found: one type, many writers.

The loader is the first to report, which is why `Finding` lives in the lowest room. Everything that
judges (schema, references, policies, evidence, drift) returns findings; everything that prints
(text, JSON, later SARIF and its kin) takes them. A finding never carries a formatted line.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable


class Severity(StrEnum):
    """How much a finding weighs: an error blocks, a warning asks for a look, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """0 for what weighs most."""
        return _RANKS[self]


_RANKS: Final = {severity: rank for rank, severity in enumerate(Severity)}


class Verdict(StrEnum):
    """The four answers of a statistic or a gate; `INSUFFICIENT` is never a pass."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    INSUFFICIENT = "insufficient"

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """The verdict that decides: fail, then insufficient, then warn, then pass.

        No verdict at all is `INSUFFICIENT`: nothing was measured, so nothing passed.
        """
        order = (cls.FAIL, cls.INSUFFICIENT, cls.WARN, cls.PASS)
        found = set(verdicts)
        return next((verdict for verdict in order if verdict in found), cls.INSUFFICIENT)


@dataclass(frozen=True, slots=True, order=True)
class Location:
    """A place in a file of the estate; line and column count from 1, 0 means the whole file.

    `length` is the number of code points to underline.
    """

    path: str
    line: int = 0
    column: int = 0
    length: int = 1

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}" if self.line else self.path


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth knowing.

    `evidence` holds the facts that led here as short `name = value` lines; `related` points at
    other places that matter (the first of two duplicate keys); `controls` are ids of the control
    catalogue.
    """

    code: str
    severity: Severity
    message: str
    location: Location | None = None
    evidence: tuple[str, ...] = ()
    remedy: str = ""
    controls: tuple[str, ...] = ()
    related: tuple[tuple[Location, str], ...] = ()


def blocking(findings: Iterable[Finding]) -> bool:
    """Whether any of the findings forbids going on."""
    return any(finding.severity is Severity.ERROR for finding in findings)
