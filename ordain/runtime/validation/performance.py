"""What the answers are worth: the gates of the Model, judged again on these rows.

The same functions measure that measured in training. Two versions of a metric would one day give
two numbers for one artifact, and the difference would be taken for drift.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.training import evaluation
from ordain.runtime.training.measuring import tells_apart
from ordain.runtime.validation.checks import of_metric, rows_told, untold
from ordain.runtime.validation.truths import sample_of
from ordain.specs.gates import gate_problems

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.kinds.model import MetricGate
    from ordain.specs.validations import Check

SECTION = "performance"
REFITTED = "stability"  # It is measured by fitting again, which is the work of a training.


def examine(scene: Scene) -> Iterator[Check]:
    """Every metric of the task; those with a gate are judged."""
    gates = [gate for gate in gates_of(scene) if gate.versus is None]
    sample = sample_at(scene)
    if isinstance(sample, str):
        yield from (untold(SECTION, gate.name, sample, limit=limit_of(gate)) for gate in gates)
        if not gates:
            yield untold(SECTION, "outcomes", sample)
        return
    for row in evaluation.evaluate({"test": sample}, gates):
        yield of_metric(SECTION, row)


def gates_of(scene: Scene) -> list[MetricGate]:
    """The declared gates that can be judged on rows."""
    spec = scene.order.spec
    return [
        gate
        for gate in spec.acceptance.metrics
        if gate.name != REFITTED and not list(gate_problems(gate, spec.task))
    ]


def limit_of(gate: MetricGate) -> str:
    """The limit of a gate, in the words that a judged row has."""
    if gate.versus is not None:
        return f"{gate.bound} >= {gate.min_delta or 0.0:g} versus champion"
    limits = [f">= {gate.min:g}"] if gate.min is not None else []
    limits += [f"<= {gate.max:g}"] if gate.max is not None else []
    return f"{gate.bound} {' and '.join(limits)}"


def sample_at(scene: Scene) -> AnySample | str:
    """The rows with an answer and an outcome, or why nothing can be measured on them."""
    if scene.unreadable:
        return scene.unreadable
    places = scene.judged
    if not len(places):
        return scene.truth.reason or "no row has both an answer and an outcome"
    values = scene.truth.at(places)
    sample = sample_of(scene.served.plan, scene.given, scene.raw, places, values, scene.order.seed)
    if not tells_apart(sample):
        return f"all {rows_told(len(places))} have the same outcome or cluster"
    return sample
