"""Every way in which git, a key or a forge can say no.

    VcsError                       VCS000
    ├── GitError                   VCS001  git failed; the message is git's own
    │   ├── GitMissing             VCS002  there is no git program
    │   ├── GitTooOld              VCS003  this git cannot do what is asked
    │   ├── NotARepository         VCS004  the directory is in no git repository
    │   ├── NoCommits              VCS005  the repository has no commit yet
    │   ├── UnknownRevision        VCS006  no commit has this name here
    │   ├── MissingPath            VCS007  the commit has no file of this path
    │   ├── CorruptObject          VCS008  git keeps something that cannot be read
    │   ├── MergeConflict          VCS009  knows the paths
    │   ├── RefMoved               VCS010  somebody was faster; nothing was changed
    │   ├── PushRejected           VCS011  the remote refused; knows git's reason
    │   ├── GitTimeout             VCS012  git did not answer in time
    │   ├── ShallowClone           VCS013  the clone lacks the history that is asked for
    │   └── UnrelatedHistories     VCS014  two commits have no commit in common
    ├── SignatureError             VCS020  a key or a signature cannot be used
    │   ├── KeyUnusable            VCS021  a key that cannot sign or be read
    │   └── BadSignature           VCS022  the signature does not hold
    ├── UnnameableChange           VCS030  the change has no canonical form, or is empty
    └── ForgeError                 VCS040  a proposal cannot be made, shown or merged
        ├── UnknownProposal        VCS041  there is no such proposal
        ├── ProposalMoved          VCS042  its branch is not what the caller has looked at
        ├── WorkTreeInTheWay       VCS043  a merge would tread on files of the work tree
        └── HostError              VCS050  a forge's API says no, or something that is no answer
            ├── HostUnreachable    VCS051  it is down, too slow, or breaks off
            ├── HostDenied         VCS052  the token is missing, wrong, or may not do this
            ├── HostBusy           VCS053  too many questions; knows when to ask again
            └── HostContradicted   VCS054  it answers, and git or the question says otherwise

`RefMoved`, `PushRejected` and `ProposalMoved` are answers to a race: read again, decide again. All
others stay the same when they are tried again.
"""

from __future__ import annotations

from ordain.specs.errors import OrdainError


class VcsError(OrdainError):
    """Git, a key or a forge says no."""

    code = "VCS000"


class GitError(VcsError):
    """Git refused or failed."""

    code = "VCS001"


class GitMissing(GitError):
    code = "VCS002"


class GitTooOld(GitError):
    code = "VCS003"


class NotARepository(GitError):
    code = "VCS004"


class NoCommits(GitError):
    code = "VCS005"


class UnknownRevision(GitError):
    code = "VCS006"


class MissingPath(GitError):
    code = "VCS007"


class CorruptObject(GitError):
    code = "VCS008"


class MergeConflict(GitError):
    """Two sides changed the same lines; `paths` says where.

    In a report of `ordain check --base` it is a finding at each of the files.
    """

    code = "VCS009"

    def __init__(self, message: str, paths: tuple[str, ...], *, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.paths = paths


class RefMoved(GitError):
    code = "VCS010"


class PushRejected(GitError):
    """The remote kept its refs; `reason` is git's word for it, `said` what a hook wrote."""

    code = "VCS011"

    def __init__(
        self, message: str, *, reason: str, said: tuple[str, ...] = (), remedy: str = ""
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason
        self.said = said


class GitTimeout(GitError):
    code = "VCS012"


class ShallowClone(GitError):
    code = "VCS013"


class UnrelatedHistories(GitError):
    """Two commits have no commit in common.

    So it cannot be said what one would change in the other.
    """

    code = "VCS014"


class SignatureError(VcsError):
    code = "VCS020"


class KeyUnusable(SignatureError):
    code = "VCS021"


class BadSignature(SignatureError):
    code = "VCS022"


class UnnameableChange(VcsError):
    """The change has no canonical form, or is empty.

    An approval binds to the names and the content of files. Without a name that is UTF-8 there is
    nothing it could bind to, so that the gate refuses such a change.
    """

    code = "VCS030"


class ForgeError(VcsError):
    code = "VCS040"


class UnknownProposal(ForgeError):
    code = "VCS041"


class ProposalMoved(ForgeError):
    code = "VCS042"


class WorkTreeInTheWay(ForgeError):
    code = "VCS043"


class HostError(ForgeError):
    """The forge's API refused, or answered what it never documented.

    Nothing is taken for an approval that could not be read whole.
    """

    code = "VCS050"


class HostUnreachable(HostError):
    code = "VCS051"


class HostDenied(HostError):
    code = "VCS052"


class HostBusy(HostError):
    """The forge limits how often it is asked; `seconds` until it may be asked again."""

    code = "VCS053"

    def __init__(self, message: str, *, seconds: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.seconds = seconds


class HostContradicted(HostError):
    """The forge answers, and git or the question says otherwise."""

    code = "VCS054"


def unrelated(target: str, head: str) -> UnrelatedHistories:
    """Why nothing can be said of what `head` would bring into `target`."""
    return UnrelatedHistories(
        f"{head} has no history in common with {target}",
        remedy="begin the branch at a commit of the estate",
    )
