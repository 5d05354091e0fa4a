"""What the answers are worth: the gates of the Model, judged again on these rows.

The same functions measure that measured in training. Two versions of a metric would one day give
two numbers for one artifact, and the difference would be taken for drift.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.training import evaluation, feedback
from ordain.runtime.training.measuring import tells_apart
from ordain.runtime.training.splits import Parts
from ordain.runtime.validation.checks import of_metric, rows_told, untold
from ordain.runtime.validation.truths import sample_of
from ordain.specs.gates import gate_problems
from ordain.specs.validating import REFITTED

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.training.measuring import AnySample
    from ordain.runtime.validation.scene import Scene
    from ordain.specs.evidence import Metric
    from ordain.specs.kinds.model import MetricGate
    from ordain.specs.validations import Check

    Indices = NDArray[np.int64]

SECTION = "performance"


def examine(scene: Scene) -> Iterator[Check]:
    """Every metric of the task; those with a gate are judged."""
    gates = [gate for gate in gates_of(scene) if gate.versus is None]
    yield from _refitted(scene)
    sample = sample_at(scene)
    if isinstance(sample, str):
        yield from (untold(SECTION, gate.name, sample, limit=limit_of(gate)) for gate in gates)
        if not gates:
            yield untold(SECTION, "outcomes", sample)
        return
    cases = cases_of(scene)
    rows = evaluation.evaluate(
        {"test": sample}, gates, everybody=cases.everybody, without=frozenset({REFITTED})
    )
    yield from (of_metric(SECTION, row) for row in cases.qualified(rows, gates))


def _refitted(scene: Scene) -> Iterator[Check]:
    """A gate that rows cannot judge is told; a promotion is judged on it by the evidence."""
    if any(gate.name == REFITTED for gate in scene.order.spec.acceptance.metrics):
        reason = "it is measured by fitting again: judged in training only"
        yield untold(SECTION, REFITTED, reason, n=len(scene.rows))


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


def sample_at(scene: Scene, among: Indices | None = None) -> AnySample | str:
    """The rows with an answer and an outcome, or why nothing can be measured on them.

    `among` are places of rows; without them all count.
    """
    if scene.unreadable:
        return scene.unreadable
    places = scene.judged if among is None else np.intersect1d(scene.judged, among)
    if not len(places):
        return scene.truth.reason or "no row has both an answer and an outcome"
    values = scene.truth.at(places)
    plan, seed = scene.served.plan, scene.order.seed
    sample = sample_of(plan, scene.given, scene.raw, places, values, seed)
    if not tells_apart(sample):
        return f"{rows_told(len(places))}, and all have the same outcome or cluster"
    return sample


@dataclass(frozen=True, slots=True)
class Cases:
    """Whose outcomes were seen, where a feedback loop is declared; as training has it."""

    everybody: Indices | None
    coverage: dict[str, Any]
    loop: Any

    def qualified(self, rows: Sequence[Metric], gates: Sequence[MetricGate]) -> Sequence[Metric]:
        """With a feedback loop every judged number says whom it is about."""
        if self.loop is None:
            return rows
        return feedback.qualify(rows, gates, self.coverage, self.loop)


def cases_of(scene: Scene) -> Cases:
    """The rows that were answered, as the test part of a training has them."""
    loop = feedback.loop_of(scene.order.data)
    if loop is None:
        return Cases(None, {}, None)
    answered = scene.given.answered
    known = np.zeros(len(scene.rows), dtype=bool)
    known[scene.truth.places] = True
    nobody = np.empty(0, dtype=np.int64)
    parts = Parts(
        train=nobody,
        validation=nobody,
        test=scene.rows[known & answered],
        rows=scene.table.num_rows,
        unlabelled={"test": scene.rows[~known & answered]},
    )
    scores = np.zeros(scene.table.num_rows)
    scores[scene.rows] = np.nan_to_num(scene.given.output)
    found = feedback.cases_of(loop, scene.table, parts, scores)
    return Cases(feedback.everybody(found, scene.order.seed), feedback.coverage_of(found), loop)
