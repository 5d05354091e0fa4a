"""What came of a run of tests, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.policies.testing.coverage import Covered
    from ordain.policies.testing.suites import Stated
    from ordain.specs.findings import Finding


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one case; it passed where there are no findings."""

    stated: Stated
    findings: tuple[Finding, ...]

    @property
    def passed(self) -> bool:
        """Whether all was found that is expected, and nothing else."""
        return not self.findings


@dataclass(frozen=True, slots=True)
class Report:
    """All results by file, what is wrong with the files themselves, and the coverage if any.

    `tree` holds the files that findings point into; `policies` are (name, digest) of the rules that
    cases could ask, and `engine` is what evaluated them.
    """

    results: tuple[tuple[str, tuple[Result, ...]], ...]
    findings: tuple[Finding, ...]
    tree: Mapping[str, bytes]
    coverage: tuple[Covered, ...] | None = None
    engine: str = ""
    policies: tuple[tuple[str, str], ...] = ()

    @property
    def failed(self) -> bool:
        """Whether anything is not as it should be."""
        return bool(self.all_findings)

    @property
    def cases(self) -> tuple[Result, ...]:
        """Every case of every file."""
        return tuple(one for _, found in self.results for one in found)

    @property
    def all_findings(self) -> tuple[Finding, ...]:
        """What is wrong with files and cases."""
        return (*self.findings, *(found for one in self.cases for found in one.findings))

    def joined(self, other: Report) -> Report:
        """Both as one."""
        coverage = None
        if self.coverage is not None or other.coverage is not None:
            coverage = (*(self.coverage or ()), *(other.coverage or ()))
        return Report(
            (*self.results, *other.results),
            (*self.findings, *other.findings),
            {**self.tree, **other.tree},
            coverage,
            self.engine,
            tuple(sorted({*self.policies, *other.policies})),
        )
