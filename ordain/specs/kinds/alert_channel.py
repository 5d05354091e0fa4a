"""Where alerts go."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Duration, Name, about


@declared
class Escalation:
    """Who is told next, and after how long."""

    after: Annotated[Duration, about("time without an acknowledgement")]
    channel: Annotated[Name, about("the next AlertChannel")]


@declared
class AlertChannel:
    """A way to reach people; the address itself comes from the environment."""

    type: Annotated[Literal["webhook", "smtp", "slack", "teams"], about("kind of channel")]
    address_from: Annotated[str, about("name of the environment variable that holds the address")]
    severities: Annotated[
        tuple[Literal["critical", "high", "medium", "low"], ...],
        about("weights that are sent"),
    ] = ("critical", "high")
    escalation: Annotated[Escalation | None, about("who is told next")] = None
