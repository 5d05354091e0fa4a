"""What can stop the reconciler.

ReconcilerError      REC000  exit code 2
├── Busy             REC001  another reconciler works on the same estate
├── DirtyTree        REC002  the work tree differs from the commit that would be planned
├── PlanStale        REC003  git or production moved since the plan was written
├── Untrusted        REC004  the history does not begin where it was trusted
├── StateDamaged     REC005  the state store cannot be read or written
├── KeyMissing       REC006  a private key is not where it was expected
├── DriverFailed     REC007  a stage could not be carried out
├── ProposalRefused  REC008  a proposal may not be approved or merged (exit code 1)
├── UnknownKey       REC009  a routing key, or a route for one, that is not there
├── Skipped          REC010  a stage that turned out to have nothing to do (exit code 1)
├── AnchorInvalid    REC011  what git anchors and what the ledger holds do not agree
├── PlanUnreadable   REC012  the file is no saved plan
├── NotDeployed      REC013  there is no such deployment
├── RunUnknown       REC014  there is no such run of a training on this machine
├── Untrainable      REC015  a model that cannot be trained here, or that there is none of
├── VersionUnknown   REC016  there is no such version of a model
├── NotReproducible  REC017  a version cannot be made again here, so nothing was compared
├── EmergencyRefused EMG007  an order in an emergency that nobody may give (exit code 1)
├── HookRefused      PUSH028 a hook cannot be installed or run here
└── ServerUnready    PUSH029 a git server does not know what it protects (exit code 1)
"""

from __future__ import annotations

from ordain.specs.errors import OrdainError


class ReconcilerError(OrdainError):
    """The reconciler cannot go on."""

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


class UnknownKey(ReconcilerError):
    """A key or route that is not there."""

    code = "REC009"


class AnchorInvalid(ReconcilerError):
    """What git anchors and what the ledger holds do not agree."""

    code = "REC011"


class PlanUnreadable(ReconcilerError):
    """The file is no saved plan."""

    code = "REC012"


class NotDeployed(ReconcilerError):
    """There is no such deployment."""

    code = "REC013"


class Skipped(ReconcilerError):
    """A stage that turned out to have nothing to do, with the reason."""

    exit_code = 1
    code = "REC010"


class RunUnknown(ReconcilerError):
    """There is no such run of a training on this machine, or its beginning is that of several."""

    code = "REC014"


class Untrainable(ReconcilerError):
    """A model that cannot be trained here, or that the work tree does not declare."""

    code = "REC015"


class VersionUnknown(ReconcilerError):
    """There is no such version of a model."""

    code = "REC016"


class NotReproducible(ReconcilerError):
    """A version cannot be made again here, so nothing was compared."""

    code = "REC017"


class EmergencyRefused(ReconcilerError):
    """An order in an emergency that this person cannot give, or that means nothing."""

    code = "EMG007"
    exit_code = 1


class HookRefused(ReconcilerError):
    """A hook cannot be installed or run here."""

    code = "PUSH028"


class ServerUnready(ReconcilerError):
    """A git server cannot say what it protects, and so accepts nothing."""

    exit_code = 1
    code = "PUSH029"
