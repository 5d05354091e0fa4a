"""Every gate of a Model on decided rows: the groups, their metrics, and one family of tests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ordain.runtime.errors import DataError, TrainingError
from ordain.runtime.fairness.groups import Grouped, best_treated, grouped, stratified
from ordain.runtime.fairness.judging import Compared, judge
from ordain.runtime.fairness.metrics import Measured, measure
from ordain.runtime.fairness.samples import Sample
from ordain.specs.chance import Counts
from ordain.specs.evidence import NO_GATE
from ordain.specs.fairness import fairness_problems, is_ratio, subject_name, subjects_of
from ordain.specs.features import protected_names
from ordain.specs.kinds.model import FairnessGate

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ordain.runtime.fairness.groups import Indices
    from ordain.runtime.fairness.samples import Decided
    from ordain.specs.evidence import FairnessRow
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

NO_GROUP = "(no other group)"


def rows_of(
    spec: Model,
    data: Dataset,
    table: Any,  # noqa: ANN401 - pa.Table
    rows: Indices,
    decided: Decided,
    *,
    incomplete: bool = False,
) -> tuple[FairnessRow, ...]:
    """A row for each group of each gate; without a gate, rows that inform and decide nothing.

    `rows` are places in the table; `decided` is about them, in their order. Attributes are compared
    by name, because the order of columns is in no digest and rows of evidence follow it. With
    `incomplete` rows an attribute that cannot be grouped has one insufficient row, which hides no
    other; without, as in a training, it is a mistake in a declaration.

    Raises:
        TrainingError: when a gate cannot be judged, an attribute is not protected, or its reference
            group is empty.
        DataError: when a score is no probability, or there are other rows than decisions.
    """
    known, gates = tuple(sorted(protected_names(data))), spec.acceptance.fairness
    if gates and not known:
        message = "acceptance.fairness is declared, and the Dataset has no protected column"
        raise TrainingError(message, remedy="give a column the role protected")
    if not known:
        return ()
    _refuse_unusable(rows, decided)
    compared = []
    for gate in gates or (FairnessGate(),):
        _refuse_gate(gate)
        strata = stratified(gate.within, data, table, rows) if gate.within else None
        for names in subjects_of(gate, known):
            try:
                groups = grouped(names, data, table, rows)
            except TrainingError as error:
                if not incomplete:
                    raise
                compared.append(_ungrouped(gate, names, data, error))
                continue
            choices = 1
            if is_ratio(gate.metric) and not groups.declared:
                groups, choices = best_treated(groups, decided.favourable, gate.min_cell)
            compared += list(_compared(gate, groups, decided, strata, choices))
    judged = judge(compared, spec.tier)
    return judged if gates else tuple(_informing(row) for row in judged)


def _compared(
    gate: FairnessGate,
    groups: Grouped,
    decided: Decided,
    strata: Any,  # noqa: ANN401 - an array
    choices: int,
) -> Iterator[Compared]:
    """Each group beside the reference; an attribute with one level has nobody to compare.

    The best of several groups is better than each by chance alone, so p-values against a reference
    that was chosen by its rate are taken that many times (Bonferroni).
    """
    reference = groups.labels == groups.reference
    for group in groups.others:
        sample = Sample(decided, groups.labels == group, reference, strata)
        found = measure(sample, gate)
        if found.p_value is not None:
            found = replace(found, p_value=min(1.0, choices * found.p_value))
        yield Compared(gate, groups.attribute, group, groups.reference, found)
    if not groups.others:
        nobody = Sample(decided, np.zeros(len(reference), dtype=bool), reference)
        _, counts = nobody.counts(decided.favourable)
        reason = f"every row is of the group {groups.reference}"
        alone = Measured(Counts(0, 0), counts, reason=reason)
        yield Compared(gate, groups.attribute, NO_GROUP, groups.reference, alone)


def _ungrouped(
    gate: FairnessGate, names: Sequence[str], data: Dataset, error: TrainingError
) -> Compared:
    """The row of an attribute of which nobody can be compared, and why."""
    columns = [data.columns[name] for name in names if name in data.columns]
    wanted = subject_name([one.reference for one in columns if one.reference is not None])
    reason = error.message.removeprefix("acceptance.fairness: ")
    nobody = Measured(Counts(0, 0), Counts(0, 0), reason=reason)
    return Compared(gate, subject_name(names), NO_GROUP, wanted or NO_GROUP, nobody)


def _refuse_gate(gate: FairnessGate) -> None:
    """Documents are checked before; what was not is refused here in the same words."""
    given = ("max",) if is_ratio(gate.metric) and gate.max is not None else ()
    for problem in fairness_problems(gate, given):
        raise TrainingError(f"acceptance.fairness: {problem.message}", remedy=problem.remedy)


def _refuse_unusable(rows: Indices, decided: Decided) -> None:
    arrays = (decided.favourable, decided.truth, decided.scores, decided.seen)
    lengths = {len(one) for one in arrays if one is not None}
    if lengths != {len(rows)}:
        message = f"fairness of {len(rows)} rows was asked for, and others were decided"
        raise DataError(message, remedy="decide about the rows that are compared")
    scores = decided.scores
    if scores is None:
        return
    wrong = int(np.count_nonzero(~((scores >= 0) & (scores <= 1))))
    if wrong:
        message = f"{wrong} of {len(scores)} scores are no probabilities"
        raise DataError(message, remedy="fairness compares probabilities from 0 to 1")


def _informing(row: FairnessRow) -> FairnessRow:
    return replace(row, reason="; ".join(filter(None, [row.reason, NO_GATE])))
