"""Reviews that a change takes away.

That somebody looks is a limit like any other: a path that nobody has to look at any more, a role
that is asked no longer, a forge on which only some changes are reviewed. All Organizations of a
side count together, so that nothing is lost by moving a review into another document.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.gate_limits import Pair
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.estate import ForgeSettings

# A pattern, and how many people of each role look at what it covers.
_Asked = tuple[str, "Counter[str]"]


def fewer_eyes(base: LoadedEstate, head: LoadedEstate) -> Iterator[tuple[Document, Pair]]:
    """(where it is to be looked for now, what was lost) of everything that is reviewed no more."""
    organizations = head.all("Organization")
    after = list(_asked(head))
    for pattern, roles in _asked(base) if organizations else ():
        if not any(pattern == other and roles <= more for other, more in after):
            who = " and ".join(sorted(roles.elements()))
            yield organizations[0], (("reviews",), f"{pattern} by {who}", "fewer or nobody")
    for new in head.all("Estate"):
        old = base.documents.get(new.key)
        if old is not None and reviews_all(old.spec.forge) and not reviews_all(new.spec.forge):
            yield new, (("forge",), "every change is reviewed", "by kind")


def reviews_all(forge: ForgeSettings) -> bool:
    """Whether every change is looked at; where reviews are at hand they always are."""
    return forge.type != "git" or forge.review == "every-change"


def _asked(estate: LoadedEstate) -> Iterator[_Asked]:
    for organization in estate.all("Organization"):
        for review in organization.spec.reviews:
            yield from ((pattern, Counter(review.roles)) for pattern in review.paths)
