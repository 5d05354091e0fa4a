"""What an artifact is made of beside its plan: for explanations, monitoring and proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.monitoring.profiles import profile_rows
from ordain.runtime.reasons import attributions
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from ordain.runtime.scoring import RowPlan
    from ordain.runtime.training.features import Indices, Row
    from ordain.runtime.training.fitting import Trained
    from ordain.runtime.training.inputs import Data
    from ordain.runtime.training.order import Job

EXPLAINED = 200


def members_of(data: Data, trained: Trained, background: list[Row]) -> dict[str, bytes]:
    """The bytes of every member by name."""
    return {
        "plan.json": trained.plan_bytes,
        "background.json": canonical_json({"rows": background}),
        "profile.json": _profile(data, trained),
        "parity.json": trained.proof.member,
        **trained.forms.members,
    }


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
    """Mean absolute attribution in log-odds of each input over test rows, largest first."""
    rows = data.frame.rows(_drawn(data.parts.test, EXPLAINED, job.recipe.seed))
    values = attributions(plan, background, rows)
    means = {
        given.name: float(np.mean([abs(value[given.name]) for value in values]))
        for given in plan.inputs
    }
    return tuple(sorted(means.items(), key=lambda item: (-item[1], item[0])))


def _profile(data: Data, trained: Trained) -> bytes:
    """The reference for monitoring: held-out rows.

    Scores of rows that were learnt from are too sure of themselves; an output profile made of them
    would report drift on the first day.
    """
    positions = data.held_out
    inputs = [(given.name, given.type) for given in trained.plan.inputs]
    outputs = trained.scores[positions].tolist()
    return profile_rows(data.frame.rows(positions), inputs, outputs).to_json()
