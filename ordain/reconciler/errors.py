"""What can stop the reconciler.

ReconcilerError      exit code 2
├── Busy             another reconciler works on the same estate
├── DirtyTree        the work tree differs from the commit that would be planned
├── PlanStale        git or production moved since the plan was written
├── Untrusted        the history does not begin where it was trusted
├── StateDamaged     the state store cannot be read
├── KeyMissing       a private key is not where it was expected
├── DriverFailed     a stage could not be carried out
└── ProposalRefused  a proposal may not be approved or merged (exit code 1)
"""

from __future__ import annotations

from ordain.specs.errors import OrdainError


class ReconcilerError(OrdainError):
    """The root of this room's errors."""

    code = "REC000"


class Busy(ReconcilerError):
    """Another reconciler works on the same estate."""

    code = "REC001"


class DirtyTree(ReconcilerError):
    """The work tree differs from the commit that would be planned."""

    code = "REC002"


class PlanStale(ReconcilerError):
    """Git or production moved since the plan was written."""

    code = "REC003"


class Untrusted(ReconcilerError):
    """The history is not the one that was trusted."""

    code = "REC004"


class StateDamaged(ReconcilerError):
    """The state store cannot be read or written."""

    code = "REC005"


class KeyMissing(ReconcilerError):
    """A private key is not where it was expected."""

    code = "REC006"


class DriverFailed(ReconcilerError):
    """A stage could not be carried out."""

    code = "REC007"


class ProposalRefused(ReconcilerError):
    """A proposal may not be approved or merged."""

    exit_code = 1
    code = "REC008"
