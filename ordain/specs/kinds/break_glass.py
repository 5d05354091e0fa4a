"""An emergency action that is approved after the fact."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Instant, Name, about


@declared
class BreakGlass:
    """Who did what in an emergency."""

    action: Annotated[Literal["stop", "rollback"], about("what was done")]
    route: Annotated[Name | None, about("route that was stopped")] = None
    deployment: Annotated[Name | None, about("deployment that was rolled back")] = None
    reason: Annotated[str, about("why it could not wait", min_length=1)]
    requested_by: Annotated[Name, about("manager who acted")]
    requested_at: Annotated[Instant, about("when")]
    approved_by: Annotated[Name | None, about("person who approved within 24 hours")] = None
