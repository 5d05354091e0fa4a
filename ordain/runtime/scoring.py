"""The fitted model as data, and the standard library that runs it.

Training describes what it fitted as a *plan*: how each input becomes columns, a model over these
(`models`), and what its numbers mean: a task, names of classes or clusters, a link. One row is then
some dozens of additions and comparisons, for which Python itself is quicker than a numeric library
with its start-up and its arrays of one. Loading scikit-learn in a serving process was refused:
0.5 s and 100 MB for each worker, objects that need pickle, and answers that may change with the
library. The plan is proven against the fitted pipeline before anybody sees it (`training.export`)
and again by every process that serves it (parity rows).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.calibration import Calibration, read_calibration
from ordain.runtime.encoding import (
    REMEDY,
    Columns,
    Input,
    agree,
    contradiction,
    finite,
    read_columns,
    read_input,
)
from ordain.runtime.errors import PlanError
from ordain.runtime.models import (
    CentresModel,
    Fitting,
    LinearModel,
    MixtureModel,
    Tree,
    TreeModel,
    exponential,
    logistic,
    read_model,
    softmax,
)
from ordain.specs.tasks import BINARY, CLASSIFICATION, CLUSTERING, REGRESSION

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "FORMAT",
    "CentresModel",
    "Decision",
    "Fitting",
    "Input",
    "LinearModel",
    "MixtureModel",
    "RowPlan",
    "Scored",
    "Tree",
    "TreeModel",
    "logistic",
]

FORMAT = "ordain.plan/2"
# What the numbers of a model may mean for each task; trees may hold probabilities themselves.
_LINKS = {
    BINARY: ("logit", "identity"),
    CLASSIFICATION: ("softmax", "identity"),
    REGRESSION: ("identity", "log"),
    CLUSTERING: ("none", "softmax"),
}
# What reading raises where the bytes are no plan; ArithmeticError where a number is too large.
_BROKEN = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Decision:
    """Scores at or above the threshold take the upper decision."""

    threshold: float
    above: str
    below: str


@dataclass(frozen=True, slots=True)
class Scored:
    """What a model says of one row.

    `output` is the one number that is recorded: for two classes the probability of the positive
    one, for more the probability of the class that was chosen, for a regression the value, for a
    clustering the distance to the centre, or the probability, of the cluster that was chosen.
    `scores` are the probabilities of more than two classes, or of the clusters of a mixture, in the
    order of the plan's `classes`; else there are none.
    """

    output: float
    scores: tuple[float, ...]
    decision: str | None


@dataclass(frozen=True, slots=True)
class RowPlan:
    """A fitted model that scores one row.

    `names` are the encoded columns that the model takes, and `sources` the inputs that each of them
    came from: one, or two for a product. `classes` are the names of more than two classes, or of
    clusters; a model that tells two outcomes apart has none, and `positive` is the name of the one
    whose probability it gives and `negative` of the other, where the plan says it. A `calibration`
    takes the place of the link of such a model, and what the margins mean for reasons stays the
    same.
    """

    task: str
    classes: tuple[str, ...]
    inputs: tuple[Input, ...]
    names: tuple[str, ...]
    sources: tuple[tuple[str, ...], ...]
    model: Fitting
    link: str
    decision: Decision | None
    columns: Columns
    positive: str = ""
    negative: str = ""
    calibration: Calibration | None = None

    @classmethod
    def read(cls, data: bytes) -> RowPlan:
        """The plan in these bytes.

        Raises:
            PlanError: when they are no plan, or one that contradicts itself.
        """
        try:
            raw = json.loads(data, parse_constant=_no_constant)
            agree(raw["format"] == FORMAT, f"its format is {raw['format']!r}, not {FORMAT!r}")
            return _read(raw)
        except _BROKEN as error:
            message = f"plan.json is not a plan of the format {FORMAT}: {error!r}"
            raise PlanError(message, remedy=REMEDY) from error

    def encode(self, row: Mapping[str, object]) -> list[float]:
        """The row as numbers, in the order of `names`; NaN where the model takes missing values.

        An absent key, None, NaN and an empty text are missing. Keys that are no input are not
        looked at.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        return self.columns.kept(self.columns.every(row))

    def margins(self, encoded: list[float]) -> list[float]:
        """One number per output before the link, which is where attributions add up."""
        return self.model.margins(encoded)

    def margin(self, encoded: list[float]) -> float:
        """The only margin of a model with one output.

        Raises:
            ValueError: when it has more.
        """
        (margin,) = self.model.margins(encoded)
        return margin

    def answer(self, row: Mapping[str, object]) -> Scored:
        """What the model says of one row, and the decision that follows from it.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        return self.answered(self.model.margins(self.encode(row)))

    def answered(self, margins: list[float]) -> Scored:
        """What follows from the margins of one row."""
        if self.task == REGRESSION:
            return Scored(exponential(margins[0]) if self.link == "log" else margins[0], (), None)
        if self.link == "none":
            place = margins.index(min(margins))
            return Scored(margins[place], (), self.classes[place])
        if not self.classes:
            score = self.probability(margins[0])
            return Scored(score, (), self.decide(score))
        scores = softmax(margins) if self.link == "softmax" else list(map(_share, margins))
        place = scores.index(max(scores))
        return Scored(scores[place], tuple(scores), self.classes[place])

    def probability(self, margin: float) -> float:
        """The probability of the positive one of two outcomes: a calibration's, else the link's."""
        if self.calibration is not None:
            return self.calibration(margin)
        return logistic(margin) if self.link == "logit" else _share(margin)

    def score(self, row: Mapping[str, object]) -> float:
        """The output of `answer`.

        Raises:
            RowError: when a value is not of the input's type, or a level is refused.
        """
        return self.answer(row).output

    def decide(self, score: float) -> str | None:
        """The decision that follows from the probability of the positive one of two outcomes.

        None where the Model declares none.
        """
        if self.decision is None:
            return None
        return self.decision.above if score >= self.decision.threshold else self.decision.below


def _no_constant(name: str) -> float:
    raise contradiction(f"{name} is no number of JSON")


def _share(margin: float) -> float:
    """A probability that trees hold themselves; adding up may have left it by a rounding error."""
    return min(max(margin, 0.0), 1.0)


def _read(raw: dict[str, Any]) -> RowPlan:
    calibration = read_calibration(raw["calibration"])
    inputs = {given["name"]: read_input(given) for given in raw["inputs"]}
    agree(len(inputs) == len(raw["inputs"]), "an input is listed twice")
    columns = read_columns(raw["columns"], raw["keep"], inputs)
    sources = [list(found) for found in columns.sources]
    names = tuple(raw["names"])
    agree(sources == raw["sources"], "sources do not agree with columns")
    agree(len(names) == len(sources), "names do not agree with columns")
    model = read_model(raw["model"], len(names))
    classes = tuple(map(str, raw["classes"]))
    _refuse_other_meaning(raw["task"], raw["link"], classes, model)
    decides = raw["task"] == CLASSIFICATION and not classes
    agree(calibration is None or decides, "a calibration is of two outcomes")
    return RowPlan(
        task=raw["task"],
        classes=classes,
        inputs=tuple(inputs.values()),
        names=names,
        sources=columns.sources,
        model=model,
        link=raw["link"],
        decision=_decision(raw["decision"]),
        columns=columns,
        positive=str(raw.get("positive", "")),
        negative=str(raw.get("negative", "")),
        calibration=calibration,
    )


def _refuse_other_meaning(task: str, link: str, classes: tuple[str, ...], model: Fitting) -> None:
    """Task, link, names and number of outputs must be those of one kind of model."""
    kind = BINARY if task == CLASSIFICATION and not classes else task
    agree(kind in _LINKS, f"task {task!r} cannot be scored")
    agree(link in _LINKS[kind], f"link {link!r} is not known for {kind}")
    agree(len(set(classes)) == len(classes), "a class is listed twice")
    single = kind in {BINARY, REGRESSION}
    agree(not (single and classes), f"{kind} has no classes")
    wanted = 1 if single else len(classes)
    agree(model.outputs == wanted, f"{model.outputs} outputs do not agree with {wanted} of {kind}")
    grouping = isinstance(model, CentresModel | MixtureModel)
    agree(grouping == (kind == CLUSTERING), f"such a model gives no {kind}")
    agree(isinstance(model, CentresModel) == (link == "none"), f"such a model has no link {link!r}")


def _decision(raw: dict[str, Any] | None) -> Decision | None:
    if raw is None:
        return None
    return Decision(finite(raw["threshold"]), str(raw["above"]), str(raw["below"]))
