"""The root of every error that a user can meet.

    OrdainError              exit code 2: usage, environment, internal
    ├── FindingsError        exit code 1: the findings say it all
    └── one base per room    (SpecError here; GitError, LedgerError, … in their own errors.py)

An error knows where it happened, what is wrong and how to mend it, so that the command line needs
one `except` and prints the same three things every time. Nothing here is a traceback: a traceback
that reaches a user is a defect of ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from ordain.specs.findings import Finding, Location


class OrdainError(Exception):
    """Something went wrong that the reader can mend.

    `code` is stable and can be looked up with `ordain explain CODE`; `remedy` is one imperative
    sentence; `location` is given wherever a file is to blame.
    """

    exit_code: ClassVar[int] = 2
    code: str = "ORD000"

    def __init__(
        self,
        message: str,
        *,
        remedy: str = "",
        location: Location | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.location = location
        if code is not None:
            self.code = code


class FindingsError(OrdainError):
    """A step could not go on because of findings; the findings are the message."""

    exit_code = 1
    code = "ORD001"

    def __init__(self, message: str, findings: tuple[Finding, ...], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.findings = findings


class SpecError(OrdainError):
    """The estate cannot be read at all (no `ordain.yaml`, an unreadable file)."""

    code = "SPEC001"
