"""Something went wrong in production."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Instant, Name, about


@declared
class Incident:
    """What happened, when it was noticed, when it ended."""

    model: Annotated[Name, about("the Model")]
    severity: Annotated[Literal["critical", "high", "medium", "low"], about("weight")]
    summary: Annotated[str, about("what happened", min_length=1)]
    started_at: Annotated[Instant, about("when it began")]
    detected_at: Annotated[Instant, about("when it was noticed")]
    resolved_at: Annotated[Instant | None, about("when it ended")] = None
    actions: Annotated[tuple[str, ...], about("what was done")] = ()
