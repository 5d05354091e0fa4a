"""What is watched on a deployment, and what a breach does."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Duration, Float, Int, Name, about


@declared
class Limits:
    """Two limits."""

    warn: Annotated[Float, about("a warning from here on", ge=0)] = 0.1
    fail: Annotated[Float, about("a breach from here on", ge=0)] = 0.25


@declared
class Window:
    """The predictions that one evaluation looks at."""

    rows: Annotated[Int, about("the newest so many predictions", ge=1)] = 1000
    duration: Annotated[Duration | None, about("at most this old")] = None
    min_rows: Annotated[Int, about("fewer than this is insufficient", ge=1)] = 200


@declared
class Hysteresis:
    """How many windows must agree."""

    breaches: Annotated[Int, about("windows over the limit", ge=1)] = 1
    of: Annotated[Int, about("out of so many", ge=1)] = 1


@declared
class Monitor:
    """Drift of one deployment against the reference of its version."""

    deployment: Annotated[Name, about("the Deployment")]
    features: Annotated[tuple[str, ...], about("features that are watched; empty means all")] = ()
    psi: Annotated[Limits, about("limits of the population stability index per feature")] = Limits()
    prediction_psi: Annotated[Limits, about("limits of the same index of the output")] = Limits()
    window: Annotated[Window, about("the predictions that one evaluation looks at")] = Window()
    hysteresis: Annotated[Hysteresis, about("how many windows must agree")] = Hysteresis()
    on_breach: Annotated[
        tuple[Literal["alert", "fallback", "rollback", "retrain"], ...],
        about("what a breach does"),
    ] = ("alert",)
