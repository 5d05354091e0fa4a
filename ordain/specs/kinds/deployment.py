"""A stable slot in which one version of a model runs."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Duration, Int, Name, Percent, about


@declared
class Objectives:
    """What the slot promises."""

    latency_p99: Annotated[Duration | None, about("99 of 100 answers are faster")] = None
    availability: Annotated[Percent | None, about("share of requests that are answered")] = None


@declared
class Rollout:
    """How a new version takes over."""

    strategy: Annotated[
        Literal["replace", "canary", "blue_green", "shadow"],
        about("strategy"),
    ] = "replace"
    steps: Annotated[tuple[Percent, ...], about("traffic of each canary step")] = ()


@declared
class Deployment:
    """A stable slot; routes point at it and never at a version."""

    model: Annotated[Name, about("the Model")]
    environment: Annotated[Name, about("environment of the Estate")]
    version: Annotated[
        Int | None,
        about("written by a promotion only; absent means that no version is approved yet", ge=1),
    ] = None
    mode: Annotated[Literal["online", "batch", "stream"], about("how rows arrive")] = "online"
    source: Annotated[str, about("where a batch or stream reads")] = ""
    sink: Annotated[str, about("where a batch or stream writes")] = ""
    schedule: Annotated[str, about("when a batch runs, as a cron expression")] = ""
    target: Annotated[
        Literal["environment", "ec2", "asg", "lambda"],
        about("what runs it, where the environment leaves a choice"),
    ] = "environment"
    size: Annotated[
        Literal["small", "medium", "large"],
        about("processor and memory of one replica"),
    ] = "small"
    replicas: Annotated[Int, about("how many run", ge=1, le=1000)] = 1
    objectives: Annotated[Objectives, about("what the slot promises")] = Objectives()
    rollout: Annotated[Rollout, about("how a new version takes over")] = Rollout()
