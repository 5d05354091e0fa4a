"""What every section of a validation looks at: the artifact, the rows, and what came true.

It is made once, and nothing in it depends on how the model was trained. Rows that the artifact
refuses stay among the rows, so that their number is told; whatever measures answers leaves them
out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.digests import logical_digest
from ordain.runtime.datasets.labels import labels_of
from ordain.runtime.datasets.reading import find_pinned, read_snapshot
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.errors import MaturityError, ValidationRefused
from ordain.runtime.training.features import raw_rows
from ordain.runtime.training.splits import split_rows
from ordain.runtime.validation.answering import Answered, Served, answer_rows
from ordain.runtime.validation.schema import unreadable
from ordain.runtime.validation.truths import Truth, truth_of_rows, unknown_truth
from ordain.specs.features import protected_names

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ordain.runtime.validation.answering import Row
    from ordain.runtime.validation.order import ValidationOrder

    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Scene:
    """An order, the artifact it names, and its rows.

    `rows` are the positions in the `table` of the rows that are judged, `raw` their values as a
    caller would send them, `given` what the artifact answers to them; both are empty where a
    column is missing that the artifact reads, and `unreadable` says so.
    """

    order: ValidationOrder
    store: ArtifactStore
    served: Served
    table: Any
    rows: Indices
    raw: list[Row]
    given: Answered
    truth: Truth
    unreadable: str = ""

    @property
    def judged(self) -> Indices:
        """Places among `rows` with an answer and an outcome."""
        return self.truth.places[self.given.answered[self.truth.places]]

    @property
    def favourable(self) -> str | None:
        """The decision that is good for the person; None where nobody has said so."""
        return favourable_decision(self)


def make_scene(order: ValidationOrder) -> Scene:
    """Load what the order names, and ask the artifact about every row.

    Raises:
        ValidationRefused: when the artifact is another model's, or the rows or their split are
            not those that the order names.
        ArtifactError, PlanError: when the artifact cannot be loaded.
        SnapshotError: when the rows cannot be read.
    """
    store = ArtifactStore(order.store)
    served = Served.load(store, order.artifact)
    if served.artifact.model != order.model:
        message = f"artifact {order.artifact} is of model {served.artifact.model}"
        raise ValidationRefused(message, remedy=f"name an artifact of model {order.model}")
    table = read_rows(order, store)
    rows, truth = _judged_rows(order, served, table)
    broken = unreadable(served.plan, table)
    raw: list[Row] = [] if broken else list(raw_rows(table, served.names, rows))
    given = answer_rows(served, raw)
    return Scene(order, store, served, table, rows, raw, given, truth, broken)


def read_rows(order: ValidationOrder, store: ArtifactStore) -> Any:  # noqa: ANN401 - pa.Table
    """The rows of the snapshot, bytes and content proven; what is expected of them is judged later.

    Raises:
        SnapshotError: when there is none, or its file was changed.
        ValidationRefused: when its content is not what the order names.
    """
    snapshots = Snapshots(store)
    kept = find_pinned(order.dataset, order.data, snapshots)
    snapshots.prove(order.dataset, kept)
    table = read_snapshot(order.dataset, store.path(kept.snapshot.blob))
    actual = logical_digest(table)
    if actual != order.data.digest:
        message = (
            f"Dataset/{order.dataset} holds the content {actual}, ordered is {order.data.digest}"
        )
        raise ValidationRefused(message, remedy="order the validation again, on what is there now")
    return table


def _judged_rows(
    order: ValidationOrder,
    served: Served,
    table: Any,  # noqa: ANN401 - pa.Table
) -> tuple[Indices, Truth]:
    """The positions of the rows, and what came true of them."""
    everything = np.arange(table.num_rows, dtype=np.int64)
    try:
        labels = labels_of(order.data, table)
    except MaturityError as error:
        if order.part:
            raise
        return everything, unknown_truth(error.message)
    if order.part:
        parts = split_rows(order.spec.split, order.data, table, order.seed, labels)
        if order.split is not None and parts.digest != order.split:
            message = (
                f"the split of Dataset/{order.dataset} is {parts.digest}, and the evidence of the "
                f"training is of {order.split}"
            )
            remedy = "validate the artifact with the Model and the rows that it was trained with"
            raise ValidationRefused(message, remedy=remedy)
        everything = parts.population(order.part)
    known = labels.known[everything] if len(everything) else np.empty(0, dtype=bool)
    return everything, truth_of_rows(served.plan, order.data, order.meant, table, everything, known)


def favourable_decision(scene: Scene) -> str | None:
    """The decision that is good for the person, as the Dataset says; None where it does not.

    Of more than two outcomes it is the class of the favourable outcome, of two the side of the
    threshold on which that outcome is the likelier one.
    """
    from ordain.runtime.training.outcomes import class_name

    target, plan = scene.order.meant, scene.served.plan
    if target is None or target.favourable is None or plan.task != "classification":
        return None
    name = class_name(target.favourable)
    if plan.classes:
        return name if name in plan.classes else None
    if plan.decision is None:
        return None
    positive = plan.positive or class_name(target.positive)
    return plan.decision.above if name == positive else plan.decision.below


def protected(scene: Scene) -> tuple[str, ...]:
    """The protected columns that the rows have, sorted."""
    return tuple(sorted(set(protected_names(scene.order.groups)) & set(scene.table.column_names)))


def absent(scene: Scene) -> tuple[str, ...]:
    """The protected columns that the rows do not have, sorted."""
    return tuple(sorted(set(protected_names(scene.order.groups)) - set(scene.table.column_names)))
