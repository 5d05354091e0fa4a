"""The hidden line by which a comment of ours is found again, and which of several merges is one.

Both are the same on every forge. Anybody can write the hidden line into a comment, so that it says
nothing without the account that wrote it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ordain.vcs.errors import HostError
from ordain.vcs.host import Posted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ordain.vcs.forges.http import Client
    from ordain.vcs.forges.reading import Reading
    from ordain.vcs.host import HostProposal

# GitHub takes 65,536 characters; what it stores may be longer than what was sent.
LARGEST: Final = 60_000


@dataclass(frozen=True, slots=True)
class Comments:
    """The comments of a proposal: where a new one goes, those that are there, which are ours.

    `edit` is the method and the place of one that is there.
    """

    path: str
    there: Callable[[], Iterable[Reading]]
    is_own: Callable[[Reading], bool]
    edit: Callable[[int], tuple[str, str]]


def post(client: Client, comments: Comments, marker: str, body: str) -> Posted:
    """Make the one comment with a marker, or bring it up to date; see `Host.comment`.

    Raises:
        ValueError: the body has no first line with the marker, or is too long.
    """
    check_body(marker, body)
    for one in comments.there():
        text = one.text("body")
        if not text.startswith(_beginning(marker)) or not comments.is_own(one):
            continue
        if _same_text(body, text):
            return Posted.UNCHANGED
        method, place = comments.edit(one.identifier("id"))
        client.send(method, place, {"body": body}).reading.identifier("id")
        return Posted.EDITED
    client.send("POST", comments.path, {"body": body}).reading.identifier("id")
    return Posted.MADE


def _beginning(marker: str) -> str:
    """How the first line of a comment with this marker begins; the digest follows."""
    return f"<!-- ordain:{marker.removeprefix('ordain:')} "


def check_body(marker: str, body: str) -> None:
    """`ValueError` for a comment that could not be found again or that no forge takes."""
    first = body.partition("\n")[0]
    if not first.startswith(_beginning(marker)) or not first.endswith(" -->"):
        message = f"the first line of the comment is not {_beginning(marker)}DIGEST -->"
        raise ValueError(message)
    if len(body.encode()) > LARGEST:
        message = f"the comment has more than {LARGEST} bytes"
        raise ValueError(message)


def _same_text(ours: str, theirs: str) -> bool:
    """Whether a text is the same but for the ends of its lines, which forges change."""
    return _plain(ours) == _plain(theirs)


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").rstrip()


def the_one(
    found: Sequence[HostProposal], commit: str, parents: Callable[[], Sequence[str]]
) -> HostProposal | None:
    """The proposal that a commit is the merge of.

    A forge calls a proposal merged, too, whose commits came in with another one, and names the same
    merge. Of several the one counts whose head the merge has for a parent; where that is none, or
    more than one with different heads, it is an error. With one head they bring the same, and the
    first one made is taken.
    """
    if len({one.head for one in found}) > 1:
        heads = set(parents())
        found = [one for one in found if one.head in heads]
        if len({one.head for one in found}) != 1:
            raise HostError(
                f"the forge names several proposals for the merge {commit}, and none is its parent",
                remedy="revert the merge and merge the proposals one by one",
            )
    return min(found, key=lambda one: one.number, default=None)
