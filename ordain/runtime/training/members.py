"""What an artifact is made of beside its plan: for explanations, monitoring and proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import TrainingError
from ordain.runtime.monitoring.profiles import profile_rows
from ordain.runtime.reasons import Explainer, favourable_class, unfavourable_side
from ordain.runtime.reasons.cases import Deciding
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
    from ordain.specs.kinds.model import Background

EXPLAINED, FEWEST = 200, 20
LEAVES = 4_000  # As many can be explained for all of these rows; for more, fewer rows are.


def members_of(job: Job, data: Data, trained: Trained, background: list[Row]) -> dict[str, bytes]:
    """The bytes of every member by name.

    Raises:
        TrainingError: when they are too large for an artifact.
    """
    declared = job.spec.explanation.background
    members = {
        "plan.json": trained.plan_bytes,
        "background.json": canonical_json(_background(declared, background)),
        "profile.json": _profile(data, trained),
        "parity.json": trained.proof.member,
        **trained.forms.members,
    }
    refuse_large_artifact(members, trained.fitted.row.form)
    return members


def background_rows(job: Job, data: Data, plan: RowPlan) -> list[Row]:
    """Raw training rows that explanations compare with, drawn without replacement.

    Raises:
        TrainingError: when favourable ones are declared, and there are none or no decision is.
    """
    declared = job.spec.explanation.background
    if declared.of == "all":
        return data.frame.rows(_drawn(data.parts.train, declared.rows, declared.seed))
    target = job.data.target
    deciding = Deciding(plan, unfavourable_side(target), favourable_class(target))
    why = deciding.without
    if not why and (target is None or target.favourable is None):
        why = "the Dataset declares no favourable outcome"
    if why:
        message = f"the background is of favourable decisions, and {why}"
        remedy = "declare `decision` and `target.favourable`, or explanation.background.of: all"
        raise TrainingError(message, remedy=remedy)
    return _favourable(data, deciding, declared.rows, declared.seed)


def _favourable(data: Data, deciding: Deciding, size: int, seed: int) -> list[Row]:
    """Rows in a random order until enough are decided favourably; in the order of the table."""
    order = np.random.default_rng(seed).permutation(data.parts.train)
    found: list[tuple[int, Row]] = []
    for position in order.tolist():
        (row,) = data.frame.rows(np.asarray([position]))
        if not deciding.against(row):
            found.append((position, row))
        if len(found) == size:
            break
    if not found:
        message = "the background is of favourable decisions, and no training row gets one"
        remedy = "look at `decision.threshold`, or declare explanation.background.of: all"
        raise TrainingError(message, remedy=remedy)
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _background(declared: Background, rows: list[Row]) -> dict[str, Any]:
    """What is said only where it is not the usual keeps the digests of older artifacts."""
    return {"rows": rows} if declared.of == "all" else {"of": declared.of, "rows": rows}


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
    explainer = Explainer.of(plan, background)
    values = [
        attribution.values
        for output in range(plan.model.outputs)
        for attribution in explainer.explain(rows, output)
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
