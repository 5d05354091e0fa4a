"""Whom a commit names: its author, its committer, and whoever wrote it together with them.

Names in a commit prove nothing, so nobody gains anything by them. But who is named may well have
contributed, and an approval of theirs is doubtful: a claim therefore adds a contributor and never
takes one away. A name is looked up exactly, an address without regard to case, among the people of
both sides of a change; the addresses that GitHub and GitLab make of an account count as that
account's.

A commit in the name of somebody else than its signer is refused. It is the usual slip of whoever
applies a colleague's patch, and the usual trick of whoever wants a change to look like theirs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ordain.specs.documents import LoadedEstate
    from ordain.specs.kinds.organization import Account, Person
    from ordain.vcs.objects import Commit, Identity

# git knows trailers by a name of any case; what stands behind the address does not matter.
_TOGETHER: Final = re.compile(
    r"^[ \t]*co-authored-by[ \t]*:[ \t]*([^<\r\n]*)<([^>\r\n]*)>", re.IGNORECASE | re.MULTILINE
)
_NOREPLY: Final = {
    "github": ("{id}+{login}@users.noreply.github.com", "{login}@users.noreply.github.com"),
    "gitlab": ("{id}-{login}@users.noreply.gitlab.com",),
}


class Names:
    """The people of some estates by what commits call them."""

    def __init__(self, *estates: LoadedEstate | None) -> None:
        self._people: dict[str, set[str]] = {}
        for estate in estates:
            for organization in estate.all("Organization") if estate else ():
                for person in organization.spec.people:
                    self._people.setdefault(person.name, set()).add(person.name)
                    for address in _addresses(person):
                        self._people.setdefault(address, set()).add(person.name)

    def called(self, name: str, address: str) -> frozenset[str]:
        """Everyone whom a name or an address may mean."""
        wanted = (name.strip(), f"<{address.strip().lower()}>")
        return frozenset[str]().union(*(self._people.get(one, ()) for one in wanted))

    def of(self, who: Identity) -> frozenset[str]:
        """Everyone whom an author or committer may be."""
        return self.called(who.name, who.email)

    def claimed(self, commit: Commit) -> frozenset[str]:
        """Everyone whom a commit names."""
        together = (self.called(*one) for one in _TOGETHER.findall(commit.message))
        return self.of(commit.author).union(self.of(commit.committer), *together)


def _addresses(person: Person) -> Iterator[str]:
    """The addresses of a person; in brackets, so that no name can be one."""
    yield from (f"<{email.strip().lower()}>" for email in person.emails)
    yield from (f"<{address}>" for one in person.accounts for address in _of_account(one))


def _of_account(account: Account) -> Iterator[str]:
    for form in _NOREPLY.get(account.forge, ()):
        yield form.format(id=account.id, login=account.login).lower()


def claimed(commits: Iterable[Commit], names: Names) -> frozenset[str]:
    """Everyone whom any of these commits names."""
    return frozenset[str]().union(*map(names.claimed, commits))


def borrowed_names(
    commits: Sequence[Commit], signers: Sequence[str | None], names: Names
) -> Iterator[Finding]:
    """A finding for every commit whose author is somebody else than its signer.

    Commits that nobody known has signed are refused for that already.
    """
    for commit, signer in zip(commits, signers, strict=True):
        others = sorted(names.of(commit.author) - {signer})
        if signer is not None and others:
            who = " and ".join(others)
            yield Finding(
                code="GATE006",
                severity=Severity.ERROR,
                message=f"commit {commit.id[:12]} names {who} as its author; {signer} signed it",
                remedy=(
                    f"commit it as {signer}: git commit --amend --reset-author -S, and name {who}"
                    " in a line Co-authored-by"
                ),
                controls=("HR-SOD",),
            )
