"""Which names of refs are one to a person or to a disk, though git takes them for two.

A branch that looks like the protected one, or stands in its way, could be taken for it: by whoever
reads a list, and by a file system that ignores case or composes letters. To ask the disk
of the server was refused, because the next clone may be on another one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ordain.reconciler.served import HEADS
from ordain.vcs.approvals import PREFIX as APPROVALS
from ordain.vcs.emergencies import BRANCH as EMERGENCY_BRANCH
from ordain.vcs.emergencies import PREFIX as EMERGENCIES
from ordain.vcs.plain import ANCHORS, PROMOTE

# What these names begin with is somebody's.
RESERVED: Final = (
    f"{HEADS}{PROMOTE}",
    f"{HEADS}{EMERGENCY_BRANCH}",
    APPROVALS,
    EMERGENCIES,
    ANCHORS,
)
# Letters that are printable by Unicode and show nothing.
_UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


def twin_of(ref: str, protected: str) -> str | None:
    """The name that means something here and that this one is not, but looks like or blocks.

    On a disk that ignores case or composes letters the two are one file; to a person, one name. And
    where a branch `ordain` stands, git makes no `ordain/promote/x`.
    """
    plain, home = folded(ref), folded(protected)
    if plain == home:
        return None if ref == protected else protected
    if plain.startswith(f"{home}/") or home.startswith(f"{plain}/"):
        return protected
    for name in RESERVED:
        if plain.startswith(folded(name)) and not ref.startswith(name):
            return name
        if folded(name).startswith(f"{plain}/"):
            return name
    short = plain.removeprefix(HEADS)
    if short != plain and short in {"head", home, home.removeprefix("refs/")}:
        return "HEAD" if short == "head" else protected
    return None


def folded(ref: str) -> str:
    """A name without case, composition and width (toNFKC_Casefold, Unicode 3.13 D147)."""
    folded = unicodedata.normalize("NFKC", ref).casefold()
    return unicodedata.normalize("NFKC", _UNSEEN.sub("", folded))
