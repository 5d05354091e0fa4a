"""Verifying a ledger: every chain, and every chain against what others say of it.

The control chain is read first, because it holds the anchors of the prediction chains; heads kept
in git are passed in and hold the control chain itself. The codes of the findings are in `walk`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ordain.ledger.chain import CONTROL
from ordain.ledger.walk import ChainReport, Walk, missing_chain
from ordain.specs.findings import Finding, Location, blocking

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.ledger.chain import Anchor
    from ordain.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The chains of a ledger, the control chain first."""

    chains: tuple[ChainReport, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings, chain by chain."""
        return tuple(finding for chain in self.chains for finding in chain.findings)

    @property
    def records(self) -> int:
        """How many records were verified."""
        return sum(chain.records for chain in self.chains)

    @property
    def ok(self) -> bool:
        """Whether nothing was damaged; warnings and notes of crashes are not damage."""
        return not blocking(self.findings)


def verify(ledger: Ledger, *, anchors: Iterable[Anchor] = ()) -> VerifyReport:
    """Read the whole ledger and report what does not hold.

    `anchors` are heads that were kept outside the ledger, such as in git; those in the control
    chain are used as well.

    Raises:
        LedgerError: a directory cannot be listed. A file that cannot be read is a finding.
    """
    kept = list(anchors)
    names = ledger.chains()
    reports = []
    # Sorted so that the control chain is first: it adds to the anchors of those that follow.
    for name in sorted(names, key=lambda name: (name != CONTROL, name)):
        walk = Walk(name, ledger.directory(name), kept)
        reports.append(walk.report())
        kept.extend(walk.anchors)
    missing = sorted({anchor.chain for anchor in kept} - set(names))
    for name in missing:
        last = max(anchor.seq for anchor in kept if anchor.chain == name)
        finding = missing_chain(name, Location(str(ledger.directory(name))), last)
        reports.append(ChainReport(name, 0, None, (finding,)))
    return VerifyReport(tuple(reports))
