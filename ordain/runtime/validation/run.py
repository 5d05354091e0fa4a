"""One validation from order to document: the sections in their order.

The same function runs in a process of its own (`python -m ordain.runtime.validation`), in a
Kubernetes Job and in a test. It writes nothing: the document is all that comes of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from ordain.runtime.environment import check_environment, read_lock
from ordain.runtime.validation import performance, schema
from ordain.runtime.validation.scene import make_scene
from ordain.specs.validations import ValidationReport, verdict_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.runtime.training.job import Progress
    from ordain.runtime.validation.order import ValidationOrder
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

_SECTIONS: Final[tuple[tuple[str, Callable[[Scene], Iterator[Check]]], ...]] = (
    (schema.SECTION, schema.examine),
    (performance.SECTION, performance.examine),
)


def validate(order: ValidationOrder, progress: Progress) -> ValidationReport:
    """Measure everything that is ordered; that something fails is said in the document.

    Raises:
        RunError: for everything that keeps it from being measured: environment, artifact, rows.
    """
    lock = read_lock(order.environment.encode())
    check_environment(lock)
    progress("reading", 0.0)
    with threadpool_limits(limits=order.threads):
        scene = make_scene(order)
        checks: list[Check] = []
        for number, (name, examine) in enumerate(_SECTIONS):
            progress(name, 0.2 + 0.8 * number / len(_SECTIONS))
            checks += examine(scene)
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
        environment={**lock, "ordain": order.tool},
        verdict=verdict_of(checks, ()).value,
    )
