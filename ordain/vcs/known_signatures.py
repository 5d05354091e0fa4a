"""Which key has signed a commit, remembered by the commit's id.

Whether a signature holds, and by which key, is a fact of the bytes of a commit, and its id is the
digest of these bytes. So it is found out once, and no later run reads or verifies the commit again
to know who signed it. What is not a fact of the bytes is never remembered: whose key that is, and
whether it is good now, is asked of the Organization every time, so that a key that was revoked a
second ago counts no more. That a signature does *not* hold is not remembered either: a later
version may accept kinds of keys that this one does not.

The file is believed as `specs.memory` says, and it stands in the estate's home and not in the git
directory. What git keeps is hashed again when it is read, so a git directory need not be trusted,
and it travels: whoever hands over a clone as an archive could say in it that a commit is somebody
else's. The home is where the state store says which commit was good last; whoever can write there
needs no signature any more. A digest with a key of our own was refused for the same reason: that
key would stand beside the file.

An id is as good as git's hash. In SHA-1 repositories that is SHA-1, against whose known collisions
git itself defends what it is given; approvals and changes bind to the same ids.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Final

from ordain.specs.memory import keep, recall
from ordain.vcs.errors import BadSignature
from ordain.vcs.keys import PublicKey, holder

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from pathlib import Path

    from ordain.vcs.git import Repository
    from ordain.vcs.keys import AllowedKey

# To be changed with every change of what a signature is, in `signatures`.
_FORMAT: Final = "ordain.signatures/1"
_MOST: Final = 100_000


class KnownSignatures:
    """The signing key of each commit that was verified; without a path for this process only."""

    def __init__(self, path: Path | None = None, most: int = _MOST) -> None:
        self._path = path
        self._most = most
        self._keys: dict[str, PublicKey] | None = None
        self._learnt = False

    def of(self, commit: str) -> PublicKey | None:
        """The key that has signed a commit; None where nothing is known."""
        return self._known().get(commit)

    def learn(self, commit: str, key: PublicKey) -> None:
        self._known()[commit] = key
        self._learnt = True

    def keep(self) -> None:
        """Leave to the next run what this one has learnt, with what others have left meanwhile."""
        if self._path is None or not self._learnt:
            return
        known = {**_read(self._path), **self._known()}
        newest = dict(islice(known.items(), max(0, len(known) - self._most), None))
        commits: dict[str, list[str]] = {}
        for commit, key in newest.items():
            commits.setdefault(key.line, []).append(commit)
        if keep(self._path, _FORMAT, json.dumps(commits, separators=(",", ":")).encode()):
            self._learnt = False

    def _known(self) -> dict[str, PublicKey]:
        if self._keys is None:
            self._keys = {} if self._path is None else _read(self._path)
        return self._keys


def _read(path: Path) -> dict[str, PublicKey]:
    body = recall(path, _FORMAT)
    if body is None:
        return {}
    found: dict[str, PublicKey] = {}
    for line, commits in json.loads(body).items():
        found.update(dict.fromkeys(commits, PublicKey.parse(line)))
    return found


def commit_keys(repository: Repository, commits: Sequence[str]) -> tuple[PublicKey | None, ...]:
    """The key that has signed each commit, by full ids; None where no signature holds.

    Raises:
        UnknownRevision: one that is not known is no commit of this repository.
    """
    from ordain.vcs.signatures import commit_key

    known = repository.signatures
    found = {commit: known.of(commit) for commit in commits}
    new = [commit for commit, key in found.items() if key is None]
    for commit in repository.commits(new):
        try:
            found[commit.id] = key = commit_key(commit)
        except BadSignature:
            continue
        known.learn(commit.id, key)
    return tuple(found[commit] for commit in commits)


def commit_signers(
    repository: Repository,
    commits: Sequence[str],
    allowed: Iterable[AllowedKey],
    now: datetime,
) -> tuple[str | None, ...]:
    """The person who has signed each commit, as far as keys are good at `now`."""
    keys = commit_keys(repository, commits)
    listed = tuple(allowed)
    # A thousand commits are signed with a handful of keys.
    people = {key: holder(key, listed, now).person for key in set(keys) if key is not None}
    return tuple(None if key is None else people[key] for key in keys)
