"""What an artifact answers to rows, asked as a caller would ask its server.

A row goes through the contract of the served model first, because an answer that no caller can get
is no part of what a validation looks at. This is the one place of the package that answers rows.
Many are asked at once, which gives the same bits as `RowPlan.answer`, the truth of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ordain.runtime.artifacts import load_artifact
from ordain.runtime.errors import RowError
from ordain.runtime.scoring import RowPlan, Scored
from ordain.runtime.serving.contract import Contract
from ordain.runtime.serving.outputs import is_answer
from ordain.runtime.vectorised import answers_of_plan, columns_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ordain.runtime.artifacts import Artifact, ArtifactStore
    from ordain.runtime.serving.errors import Problem

    Floats = NDArray[np.float64]
    Indices = NDArray[np.int64]
    Mask = NDArray[np.bool_]
    Row = Mapping[str, object]

NO_DECISION = -1


@dataclass(frozen=True, slots=True)
class Answered:
    """Answers to rows; a row that was refused has the output NaN, and its reason is kept.

    `output` is of the shape (rows,), `scores` (rows, classes) with no column where there is one
    output, and `decision` the place of each row's decision in `decisions`, -1 where none is made.
    """

    output: Floats
    scores: Floats
    decision: Indices
    decisions: tuple[str, ...]
    refused: dict[int, str]

    @property
    def answered(self) -> Mask:
        """Which rows have an answer."""
        found: Mask = np.ones(len(self.output), dtype=bool)
        found[list(self.refused)] = False
        return found


@dataclass(frozen=True, slots=True)
class Served:
    """An artifact as a server has it: proven bytes, the plan, and the contract of its inputs."""

    artifact: Artifact
    plan: RowPlan
    contract: Contract

    @classmethod
    def load(cls, store: ArtifactStore, digest: str) -> Served:
        """The artifact of that digest.

        Raises:
            ArtifactError: when anything is missing, was changed, or is of a refused format.
            PlanError: when its plan cannot be read.
        """
        artifact = load_artifact(store, digest)
        plan = RowPlan.read(artifact.member("plan.json"))
        return cls(artifact, plan, Contract.read(plan.inputs, ()))

    @property
    def names(self) -> list[str]:
        """The columns that it reads."""
        return [given.name for given in self.plan.inputs]

    @property
    def decisions(self) -> tuple[str, ...]:
        """What it may decide: a class or cluster, or one of the two sides of a threshold."""
        if self.plan.classes:
            return self.plan.classes
        decision = self.plan.decision
        return () if decision is None else (decision.below, decision.above)

    def ask(self, row: Row) -> Scored | str:
        """The answer to one row, or why there is none."""
        accepted = self._accept(row)
        return accepted if isinstance(accepted, str) else self._answer(accepted)

    def ask_all(self, rows: Sequence[Row]) -> list[Scored | str]:
        """The answers to rows, each to the last bit as `ask` gives it, asked at once."""
        accepted = [self._accept(row) for row in rows]
        given = [one for one in accepted if not isinstance(one, str)]
        try:
            found = answers_of_plan(self.plan, columns_of(given, self.names))
        except RowError:
            # One of them does not fit the plan; only who asks for each alone can say which.
            return [one if isinstance(one, str) else self._answer(one) for one in accepted]
        scores = map(tuple, found.scores.tolist())
        answers = map(Scored, found.output.tolist(), scores, found.decisions)
        return [one if isinstance(one, str) else self._sane(next(answers)) for one in accepted]

    def _accept(self, row: Row) -> dict[str, object] | str:
        problems: list[Problem] = []
        accepted = self.contract.accept(row, problems)
        return problems[0].message if problems else accepted

    def _answer(self, accepted: Mapping[str, object]) -> Scored | str:
        try:
            return self._sane(self.plan.answer(accepted))
        except RowError as error:
            return error.message

    def _sane(self, scored: Scored) -> Scored | str:
        sane = is_answer(self.plan, scored)
        return scored if sane else "the output is none that a model of its task can give"


def answer_rows(served: Served, rows: Sequence[Row]) -> Answered:
    """Ask for every row."""
    decisions, classes = served.decisions, len(served.plan.classes)
    places = {name: place for place, name in enumerate(decisions)}
    output = np.full(len(rows), np.nan)
    scores = np.full((len(rows), classes if served.plan.link != "none" else 0), np.nan)
    decision = np.full(len(rows), NO_DECISION, dtype=np.int64)
    refused: dict[int, str] = {}
    for place, found in enumerate(served.ask_all(rows)):
        if isinstance(found, str):
            refused[place] = found
            continue
        output[place] = found.output
        if found.scores:
            scores[place] = found.scores
        if found.decision is not None:
            decision[place] = places[found.decision]
    return Answered(output, scores, decision, decisions, refused)
