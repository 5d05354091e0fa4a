"""Approvals of a proposal whose target was changed after them.

What a forge shows is the difference to the target. A branch that holds more than its reviewers
were to see can be proposed into another branch first, which holds it too, and be turned to the
protected one when it is approved. So an approval from before the last such turn is of something
else, whatever commit it names. One of the same moment is as well, because the clock of a forge may
be as coarse as a second.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.vcs.host import ReviewState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from ordain.vcs.host import HostReview


def since(turns: Iterable[datetime], reviews: Iterable[HostReview]) -> tuple[HostReview, ...]:
    """The reviews, where those that approved before the last turn say so no more."""
    last = max(turns, default=None)
    return tuple(
        replace(one, state=ReviewState.RETARGETED)
        if last is not None and one.state is ReviewState.APPROVED and one.time <= last
        else one
        for one in reviews
    )
