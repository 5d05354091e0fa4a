"""An emergency action that is approved after the fact.

The document is the trace of an act that has taken effect already: `ordain stop` and `ordain
rollback` write and sign it for whoever acts. The approval is no field of it, because a name in a
document proves nothing; it is the signed approval of the change that brings the document.
"""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Instant, Int, Name, about


@declared
class BreakGlass:
    """Who did what in an emergency; a stop holds until the document is removed."""

    action: Annotated[Literal["stop", "rollback"], about("what was done")]
    route: Annotated[Name | None, about("route that was stopped")] = None
    deployment: Annotated[Name | None, about("deployment that was rolled back")] = None
    version: Annotated[Int | None, about("version that it was rolled back to", ge=1)] = None
    reason: Annotated[str, about("why it could not wait", min_length=1)]
    requested_by: Annotated[Name, about("manager who acted, and signed the change")]
    requested_at: Annotated[Instant, about("when, by the clock of whoever acted")]
    ended_by: Annotated[Name | None, about("manager who ended it before it was approved")] = None
    ended_at: Annotated[Instant | None, about("when it was ended; it has no effect since")] = None

    def __post_init__(self) -> None:
        """Refuse a record that does not say what was done to what."""
        done = (self.route is not None, self.deployment is not None, self.version is not None)
        if self.action == "stop" and done != (True, False, False):
            message = "a stop names a route, and neither deployment nor version"
            raise ValueError(message)
        if self.action == "rollback" and done != (False, True, True):
            message = "a rollback names a deployment and a version, and no route"
            raise ValueError(message)
        if (self.ended_by is None) != (self.ended_at is None):
            message = "endedBy and endedAt go together"
            raise ValueError(message)
