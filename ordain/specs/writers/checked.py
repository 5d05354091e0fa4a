"""Everything that a writer may know about a check: one neutral, frozen value.

It names nothing of the rooms that judge, so that `check`, a plan or a server fill it alike and a
new writer needs no new question to the gate. The time in it is the one the verdict was made as of,
never the time of writing: the same tree and the same instant give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import ordain
from ordain.specs.diagnostics import waiver_words
from ordain.specs.findings import Finding, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from ordain.specs.explanations import Explanation

# The file that stands for the estate where a format insists on one and a finding has none.
WHOLE_ESTATE: Final = "ordain.yaml"
# How the entry of a package of rules begins; no policy is called so.
_PACKAGE: Final = "package "


@dataclass(frozen=True, slots=True)
class Waived:
    """A finding that is accepted for a time: by which waiver, why, by whom, until when."""

    finding: Finding
    waiver: str
    reason: str
    approved_by: str
    expires: str
    subject: str = ""

    @property
    def words(self) -> str:
        """The waiver in one line."""
        return waiver_words(self.waiver, self.expires, self.approved_by, self.reason)


@dataclass(frozen=True, slots=True)
class Checked:
    """The answer of one check.

    `findings` stand and are in the order in which people read them; `suppressed` are waived. `tree`
    is what was checked, for the lines that are shown, and `paths` are its documents. `revision` is
    empty for a work tree, `base` where no change was judged. `policies` are (name, digest) of the
    rules that were asked, those of the base too, and of the packages that hold them; `engine` is
    what evaluated them. `fail_on` is the least weight that fails the command. `pages` are what
    `ordain explain` says, by code; `command` judges the same again.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    as_of: datetime
    tree: Mapping[str, bytes]
    suppressed: tuple[Waived, ...] = ()
    paths: tuple[str, ...] = ()
    tool_version: str = ordain.__version__
    engine: str = ""
    policies: tuple[tuple[str, str], ...] = ()
    revision: str = ""
    base: str = ""
    change: str = ""
    fail_on: Severity = Severity.ERROR
    command: tuple[str, ...] = ("ordain", "check")
    pages: Mapping[str, Explanation] = field(default_factory=dict)

    @property
    def instant(self) -> str:
        """The time the verdict was made as of: RFC 3339, in UTC, to the second."""
        from datetime import UTC

        return self.as_of.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    @property
    def policy_names(self) -> tuple[str, ...]:
        """Each policy that was asked once, without the packages."""
        names = (name for name, _ in self.policies if not name.startswith(_PACKAGE))
        return tuple(dict.fromkeys(names))

    def fails(self, finding: Finding) -> bool:
        """Whether a finding is of the weight that makes the command fail."""
        return finding.severity.reaches(self.fail_on)
