"""One validation from order to document: the sections in their order.

The same function runs in a process of its own (`python -m ordain.runtime.validation`), in a
Kubernetes Job and in a test. It writes nothing: the document is all that comes of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.environment import check_environment, read_lock
from ordain.runtime.validation import (
    behaviour,
    calibration,
    champion,
    drift,
    edge_cases,
    explanations,
    fairness,
    load,
    performance,
    proxies,
    quality,
    robustness,
    schema,
    segments,
    stability,
)
from ordain.runtime.validation.checks import rows_told
from ordain.runtime.validation.scene import make_scene
from ordain.specs.validations import ValidationReport, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.runtime.training.job import Progress
    from ordain.runtime.validation.order import ValidationOrder
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

# What looks at the scene alone; the champion, fairness and the load have more to do.
_SECTIONS: Final[tuple[tuple[str, Callable[[Scene], Iterator[Check]]], ...]] = (
    (schema.SECTION, schema.examine),
    (quality.SECTION, quality.examine),
    (drift.SECTION, drift.examine),
    (performance.SECTION, performance.examine),
    (calibration.SECTION, calibration.examine),
    (segments.SECTION, segments.examine),
    (robustness.SECTION, robustness.examine),
    (edge_cases.SECTION, edge_cases.examine),
    (stability.SECTION, stability.examine),
    (explanations.SECTION, explanations.examine),
    (proxies.SECTION, proxies.examine),
)


def validate(
    order: ValidationOrder,
    progress: Progress,
    clock: Callable[[], float] = time.perf_counter,
) -> ValidationReport:
    """Measure everything that is ordered; that something fails is said in the document.

    `clock` counts seconds, for the load alone.

    Raises:
        RunError: for everything that keeps it from being measured: environment, artifact, rows,
            a file of edge cases that cannot be read.
    """
    lock = read_lock(order.environment.encode())
    check_environment(lock)
    progress("reading", 0.0)
    with threadpool_limits(limits=order.threads):
        scene = make_scene(order)
        checks: list[Check] = []
        for number, (name, examine) in enumerate(_SECTIONS):
            progress(name, 0.2 + 0.5 * number / len(_SECTIONS))
            checks += examine(scene)
        progress(champion.SECTION, 0.7)
        other = champion.meet(scene)
        checks += champion.examine(scene, other)
        difference, uncompared = behaviour.compare(scene, other)
        progress(fairness.SECTION, 0.9)
        rows, unmeasured = fairness.examine(scene)
        checks += unmeasured
        cost = load.profile(scene, clock)
    progress("done", 1.0)
    return ValidationReport(
        model=order.model,
        artifact=order.artifact,
        dataset=order.dataset,
        data=order.data.digest or "",
        part=order.part,
        rows=len(scene.rows),
        task=scene.served.plan.task,
        checks=tuple(checks),
        fairness=rows,
        behaviour=difference,
        load=cost,
        environment={**lock, "ordain": order.tool},
        limitations=(*_limitations(scene), *_uncompared(uncompared)),
        verdict=verdict_of(checks, rows).value,
        champion=order.champion or "",
        inputs=order.inputs,
    )


def _uncompared(why: str) -> Iterator[str]:
    if why:
        yield f"First reasons are not compared with the version now running: {why}."


def _limitations(scene: Scene) -> Iterator[str]:
    """What the numbers of this document cannot show."""
    order = scene.order
    if order.part and order.spec.split.by != "time":
        yield "The rows are a random part of those of the training: later cases are not shown."
    if not order.part and order.dataset == order.spec.dataset:
        yield f"The model learns from {order.dataset}: it may have seen some of these rows."
    if scene.truth.reason:
        yield f"Outcomes are not known ({scene.truth.reason}): performance is not shown."
    unknown = len(scene.rows) - len(scene.truth.places)
    if not scene.truth.reason and unknown:
        yield f"{rows_told(unknown)} without an outcome: performance is of the others."
    if scene.given.refused:
        count = len(scene.given.refused)
        yield f"{rows_told(count)} refused by the artifact: all numbers are of the others."
    if len(scene.given.output) > robustness.ROWS:
        yield f"Robustness is measured on {robustness.ROWS} rows, drawn with the seed."
