"""When a report is written and who gets it."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Name, about


@declared
class ReportSchedule:
    """A report on a schedule."""

    report: Annotated[Literal["audit", "model-card", "inventory"], about("which report")]
    schedule: Annotated[str, about("when, as a cron expression")]
    models: Annotated[tuple[Name, ...], about("models; empty means all")] = ()
    formats: Annotated[
        tuple[Literal["html", "pdf", "json", "csv"], ...],
        about("formats"),
    ] = ("html",)
    channels: Annotated[tuple[Name, ...], about("AlertChannels that are told")] = ()
