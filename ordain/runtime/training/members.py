"""What an artifact is made of beside its plan: for explanations, monitoring and proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.monitoring.profiles import profile_rows
from ordain.runtime.reasons import attributions
from ordain.runtime.scoring import TreeModel
from ordain.runtime.training.export import refuse_large_artifact
from ordain.specs.canonical import canonical_json
from ordain.specs.tasks import CLUSTERING

if TYPE_CHECKING:
    from ordain.runtime.scoring import RowPlan
    from ordain.runtime.training.features import Indices, Row
    from ordain.runtime.training.fitting import Trained
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job

EXPLAINED, FEWEST = 200, 20
LEAVES = 4_000  # As many can be explained for all of these rows; for more, fewer rows are.


def members_of(data: Data, trained: Trained, background: list[Row]) -> dict[str, bytes]:
    """The bytes of every member by name.

    Raises:
        TrainingError: when they are too large for an artifact.
    """
    members = {
        "plan.json": trained.plan_bytes,
        "background.json": canonical_json({"rows": background}),
        "profile.json": _profile(data, trained),
        "parity.json": trained.proof.member,
        **trained.forms.members,
    }
    refuse_large_artifact(members, trained.fitted.row.form)
    return members


def background_rows(job: Job, data: Data) -> list[Row]:
    """Raw training rows that explanations compare with, drawn without replacement."""
    declared = job.spec.explanation.background
    return data.frame.rows(_drawn(data.parts.train, declared.rows, declared.seed))


def _drawn(positions: Indices, size: int, seed: int) -> Indices:
    generator = np.random.default_rng(seed)
    chosen = generator.choice(positions, size=min(size, len(positions)), replace=False)
    return np.sort(chosen)


def importance_of(
    job: Job, data: Data, plan: RowPlan, background: list[Row]
) -> tuple[tuple[str, float], ...]:
    """Mean absolute attribution of each input over test rows and classes, largest first.

    In log-odds, or in what else the margins of the plan are; a clustering has none.
    """
    if plan.task == CLUSTERING:
        return ()
    rows = data.frame.rows(_drawn(data.parts.test, _explained(plan), job.recipe.seed))
    values = [
        value
        for output in range(plan.model.outputs)
        for value in attributions(plan, background, rows, output)
    ]
    means = {
        given.name: float(np.mean([abs(value[given.name]) for value in values]))
        for given in plan.inputs
    }
    return tuple(sorted(means.items(), key=lambda item: (-item[1], item[0])))


def _explained(plan: RowPlan) -> int:
    """How many rows: each leaf of a tree costs as much as the next, and forests have many."""
    if not isinstance(plan.model, TreeModel):
        return EXPLAINED
    leaves = sum(tree.feature.count(-1) for tree in plan.model.trees)
    return min(EXPLAINED, max(FEWEST, EXPLAINED * LEAVES // max(1, leaves)))


def _profile(data: Data, trained: Trained) -> bytes:
    """The reference for monitoring: held-out rows.

    Scores of rows that were learnt from are too sure of themselves; an output profile made of them
    would report drift on the first day.
    """
    positions = data.held_out
    inputs = [(given.name, given.type) for given in trained.plan.inputs]
    outputs = trained.scores[positions].tolist()
    chosen = trained.answers.at(positions).chosen.tolist()
    decisions = [trained.plan.classes[place] for place in chosen] if chosen else None
    return profile_rows(data.frame.rows(positions), inputs, outputs, decisions).to_json()
