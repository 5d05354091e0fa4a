"""A model against its dataset: every column that it names exists and may be used that way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.decisions import check_decisions
from ordain.specs.features import candidates, chosen, never_features, protected_names
from ordain.specs.findings import Finding, Severity
from ordain.specs.model_tasks import check_task
from ordain.specs.paths import Path, values_at
from ordain.specs.preprocessing import preprocessing_problems
from ordain.specs.promises import claims, promises, proxy_limits
from ordain.specs.searches import FAMILIES, directions, estimator_of_family, families_of
from ordain.specs.spelling import did_you_mean
from ordain.specs.splits import split_problems
from ordain.specs.tasks import CLASSIFICATION, CLUSTERING, DIRECTED, directed_of
from ordain.specs.validating import check_validation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Features

# Where a Dataset names its own columns.
_OF_DATASET = (
    "spec.entity",
    "spec.time",
    "spec.target.column",
    "spec.leaks.*",
    "spec.source.orderBy.*",
    "spec.target.feedback.observed",
    "spec.target.feedback.explored",
    "spec.expect.unique.*.*",
    "spec.expect.relations.*.left",
    "spec.expect.relations.*.right",
)


_ORDERED: Final = ("float", "int")  # Types of columns that can have a direction.
_TWO: Final = 2  # Outcomes that a threshold parts.


class _Table:
    """What a Dataset says about its columns, worked out once for all models that learn from it."""

    def __init__(self, document: Document) -> None:
        dataset: Dataset = document.spec
        self.name = document.name
        self.dataset = dataset
        self.never = never_features(dataset)
        self.candidates = candidates(dataset)
        self.dates = [name for name in self.candidates if dataset.columns[name].type == "date"]
        self.protected = protected_names(dataset)

    def features(self, features: Features) -> tuple[str, ...]:
        """The columns that a model learns from."""
        return chosen(features, self.candidates)

    def leaves_any(self, features: Features) -> bool:
        """Whether there is any column that a model learns from; most often the first one is."""
        only, without = set(features.include), set(features.exclude)
        return any(name not in without and (not only or name in only) for name in self.candidates)

    def lacks(self, names: Iterable[str]) -> bool:
        """Whether any of these is no column; most often none is, and nobody has to look where."""
        return not self.dataset.columns.keys() >= set(names)


class Columns:
    """Datasets on their own, models against their datasets, monitors and compliance after them."""

    def __init__(self, estate: LoadedEstate) -> None:
        self._estate = estate
        self._tables: dict[str, _Table] = {}

    def of(self, document: Document) -> Iterator[Finding]:
        """What is wrong with the columns that a document names."""
        match document.kind:
            case "Dataset":
                yield from _check_dataset(document)
            case "Model":
                yield from _check_parts(document)
                yield from check_task(document)
                if (table := self._table(document)) is not None:
                    yield from _check_model(document, table)
                yield from check_decisions(document, None if table is None else table.dataset)
                yield from check_validation(document, self._estate)
            case "Monitor":
                yield from _check_monitor(document)
                yield from self._watched(document)
            case "Compliance":
                model = self._estate.get("Model", document.spec.model)
                if model is not None and (table := self._table(model)) is not None:
                    yield from _check_compliance(document, model, table)

    def _table(self, model: Document) -> _Table | None:
        """The table of a model's Dataset, where there is one."""
        name = model.spec.dataset
        dataset = self._estate.get("Dataset", name) if name is not None else None
        if dataset is None:
            return None
        if name not in self._tables:
            self._tables[name] = _Table(dataset)
        return self._tables[name]

    def _watched(self, monitor: Document) -> Iterator[Finding]:
        deployment = self._estate.get("Deployment", monitor.spec.deployment)
        model = self._estate.get("Model", deployment.spec.model) if deployment else None
        if model is not None and (table := self._table(model)) is not None:
            yield from _check_watched(monitor, model, table)


def _check_dataset(document: Document) -> Iterator[Finding]:
    dataset: Dataset = document.spec
    for pattern in _OF_DATASET:
        yield from _missing_columns(document, pattern, dataset.columns, "declare it in `columns`")
    for name, column in dataset.columns.items():
        if column.reference is not None and column.levels and column.reference not in column.levels:
            path: Path = ("spec", "columns", name, "reference")
            message = f"`{column.reference}` is none of the levels of `{name}`"
            yield _error("REF003", document, path, message, f"levels: {', '.join(column.levels)}")
        if column.range is not None and column.range[0] > column.range[1]:
            path = ("spec", "columns", name, "range")
            message = f"the range of `{name}` ends before it begins"
            yield _error("REF012", document, path, message, "write the lowest value first")
        if column.monotone is not None and column.type not in _ORDERED:
            path = ("spec", "columns", name, "monotone")
            message = f"`{name}` is no number, so it has no direction"
            yield _error("SPEC151", document, path, message, "remove the line")
    for code, path, message, remedy in promises(dataset):
        yield _error(code, document, path, message, remedy, key=not isinstance(path[-1], int))


def _missing_columns(
    document: Document, pattern: str, columns: Collection[str], remedy: str
) -> Iterator[Finding]:
    """Columns that are named and not there."""
    for path, name in values_at(document.raw, pattern):
        if isinstance(name, str) and name not in columns:
            hint = did_you_mean(name, columns) or remedy
            yield _error("REF003", document, path, f"there is no column `{name}`", hint)


def _check_parts(document: Document) -> Iterator[Finding]:
    """A model is trained by exactly one thing, or taken over, or observed."""
    model = document.spec
    ways = ("training", "external", "imported")
    there = [way for way in ways if getattr(model, way) is not None]
    if len(there) != 1:
        message = "a model has one of `training`, `external` and `imported`"
        message += f"; this one has {' and '.join(there) or 'none'}"
        yield _error("REF008", document, ("spec",), message, "keep or add one of them", key=True)
    if model.training is None:
        return
    if (model.training.estimator is None) == (model.training.automl is None):
        message = "training is either by a named `estimator` or by `automl`"
        yield _error(
            "REF008", document, ("spec", "training"), message, "write one of the two", key=True
        )
    if model.dataset is None:
        message = "a model that is trained needs a `dataset`"
        yield _error("REF008", document, ("spec", "training"), message, "add `dataset:`", key=True)
    estimator = model.training.estimator
    if estimator and estimator not in DIRECTED and model.preprocessing.numeric.monotone:
        path = ("spec", "preprocessing", "numeric", "monotone")
        message = f"`{estimator}` takes no directions"
        if estimator == "logistic_regression":
            message = "a logistic regression is monotone in every number; its directions are learnt"
        others = ", ".join(directed_of(model.task))
        remedy = f"remove `monotone`, or train one of {others}" if others else "remove `monotone`"
        yield _error("REF012", document, path, message, remedy, key=True)


def _check_model(document: Document, table: _Table) -> Iterator[Finding]:
    features = document.spec.features
    if table.lacks((*features.include, *features.exclude)):
        remedy = f"declare it in the Dataset `{table.name}`"
        for pattern in ("spec.features.include.*", "spec.features.exclude.*"):
            yield from _missing_columns(document, pattern, table.dataset.columns, remedy)
    yield from _check_features(document, table)
    if document.spec.preprocessing.numeric.monotone:
        yield from _check_monotone(document, table)
    yield from _check_preprocessing(document, table)
    if document.spec.acceptance.fairness:
        yield from _check_fairness(document, table)
    if document.spec.training is not None:
        yield from _check_training(document, table)
    for code, path, message, remedy in claims(document.spec, table.dataset):
        place = document.marks.value(*path)
        yield Finding(code, Severity.WARNING, message, place, remedy=remedy)
    for code, path, message, remedy in proxy_limits(document.spec, table.dataset):
        yield _error(code, document, path, message, remedy, key=True)


def _check_features(document: Document, table: _Table) -> Iterator[Finding]:
    features = document.spec.features
    if not table.never.keys().isdisjoint(features.include):
        for path, name in values_at(document.raw, "spec.features.include.*"):
            if name in table.never:
                message = f"`{name}` can be no feature: {table.never[name]}"
                yield _error("REF004", document, path, message, "take it out of `include`")
    if not table.leaves_any(features) and not table.lacks(features.include):
        path = ("spec", "features")
        message = "no column is left as a feature"
        remedy = "every column is protected, a leak, the target, or excluded"
        yield _error("REF004", document, path, message, remedy, key=True)


def _check_training(document: Document, table: _Table) -> Iterator[Finding]:
    """There is something to learn, and rows to learn it from."""
    if table.dataset.target is None and document.spec.task != CLUSTERING:
        message = f"the Dataset `{table.name}` has no `target`, so there is nothing to learn"
        hint = "add `target:` to the Dataset"
        yield _error("REF012", document, ("spec", "dataset"), message, hint)
    yield from _check_search(document, table)
    for part, message, hint in split_problems(document.spec.split, table.dataset):
        path = ("spec", "split", part) if part else ("spec", "split")
        yield _error("REF009", document, path, message, hint, key=not part)


def _check_search(document: Document, table: _Table) -> Iterator[Finding]:
    """A search has a family left where features have a direction."""
    model = document.spec
    automl = model.training.automl
    columns = table.dataset.columns
    names = table.features(model.features)
    held = automl and directions(model, {name: columns[name] for name in names})
    if held and not families_of(model, automl, directed=True)[0]:
        path = ("spec", "training", "automl", "families")
        message = f"no family that is named can hold the direction of `{min(held)}`"
        others = [name for name in FAMILIES[model.task] if estimator_of_family(name) in DIRECTED]
        remedy = f"add one of {', '.join(others)}" if others else "remove `monotone`"
        yield _error("SPEC151", document, path, message, remedy, key=True)


def _check_monotone(document: Document, table: _Table) -> Iterator[Finding]:
    """Directions are given to numeric features."""
    features = table.features(document.spec.features)
    columns = table.dataset.columns
    for name, direction in document.spec.preprocessing.numeric.monotone.items():
        path = ("spec", "preprocessing", "numeric", "monotone", name)
        if name not in columns:
            message = f"there is no column `{name}`"
            hint = did_you_mean(name, columns) or f"declare it in the Dataset `{table.name}`"
            yield _error("REF003", document, path, message, hint, key=True)
        elif name not in features or columns[name].type not in _ORDERED:
            message = f"`{name}` is no numeric feature, so it has no direction"
            yield _error("REF012", document, path, message, "remove the line", key=True)
        elif columns[name].monotone not in (None, direction):
            message = f"`{name}` is {direction} here and {columns[name].monotone} in the Dataset"
            remedy = f"write {columns[name].monotone}, or correct the Dataset `{table.name}`"
            yield _error("SPEC151", document, path, message, remedy)


def _check_preprocessing(document: Document, table: _Table) -> Iterator[Finding]:
    """Most models declare nothing that could contradict itself, and have no date."""
    model = document.spec
    plain = model.features.select is None and "preprocessing" not in document.raw["spec"]
    if model.training is None or (plain and not table.dates):
        return
    columns = table.dataset.columns
    features = {name: columns[name] for name in table.features(model.features)}
    for problem in preprocessing_problems(model, features):
        path: Path = ("spec", *problem.path)
        yield _error(problem.code, document, path, problem.message, problem.remedy, key=True)


def _check_fairness(document: Document, table: _Table) -> Iterator[Finding]:
    """Fairness is measured on protected columns, by a favourable outcome and a decision."""
    gates = document.spec.acceptance.fairness
    if any(gate.attributes or gate.intersections for gate in gates):
        for pattern in ("attributes.*", "intersections.*.*"):
            for path, name in values_at(document.raw, f"spec.acceptance.fairness.*.{pattern}"):
                if name not in table.protected:
                    message = f"`{name}` is no protected column of the Dataset"
                    hint = did_you_mean(str(name), table.protected)
                    hint = hint or "give the column `role: protected`"
                    yield _error("REF003", document, path, message, hint)
    if any(gate.within for gate in gates):
        yield from _check_strata(document, table)
    if document.spec.decision is None and not _many_classes(document, table.dataset):
        path = ("spec", "acceptance", "fairness")
        message = "fairness compares decisions, and this model makes none"
        hint = "add `decision:`, or declare the target's levels if there are more than two"
        yield _error("REF012", document, path, message, hint, key=True)


def _check_strata(document: Document, table: _Table) -> Iterator[Finding]:
    """Strata are those of a policy: never of who people are, nor of what came of it."""
    pattern, target = "spec.acceptance.fairness.*.within.*", table.dataset.target
    remedy = f"declare it in the Dataset `{table.name}`"
    yield from _missing_columns(document, pattern, table.dataset.columns, remedy)
    for path, name in values_at(document.raw, pattern):
        if name in table.protected:
            message = f"`{name}` is protected; a comparison inside of it compares nobody"
        elif target is not None and name == target.column:
            message = f"`{name}` is the outcome; a comparison inside of it is of another metric"
        else:
            continue
        yield _error("SPEC159", document, path, message, "name columns of the credit policy")


def _many_classes(document: Document, dataset: Dataset) -> bool:
    """Whether the task, or the declared levels of the target, say that no threshold decides."""
    if document.spec.task != CLASSIFICATION:
        return True  # That there is no decision at all is said where tasks are looked at.
    column = dataset.columns.get(dataset.target.column) if dataset.target is not None else None
    return column is not None and column.levels is not None and len(column.levels) > _TWO


def _check_monitor(document: Document) -> Iterator[Finding]:
    """Limits and windows that can be reached."""
    limits = (("psi", document.spec.psi), ("predictionPsi", document.spec.prediction_psi))
    for name, limit in limits:
        if limit.warn > limit.fail:
            message = f"`{name}` warns at {limit.warn} and fails at {limit.fail}"
            remedy = "let it warn before it fails"
            yield _error("REF012", document, ("spec", name), message, remedy, key=True)
    if document.spec.hysteresis.breaches > document.spec.hysteresis.of:
        path = ("spec", "hysteresis", "breaches")
        message = "more windows must breach than are looked at"
        yield _error("REF012", document, path, message, "let `breaches` be at most `of`")
    if document.spec.window.min_rows > document.spec.window.rows:
        message = "the window never has as many rows as it needs"
        remedy = "let `minRows` be at most `rows`"
        yield _error("REF012", document, ("spec", "window"), message, remedy, key=True)


def _check_watched(document: Document, model: Document, table: _Table) -> Iterator[Finding]:
    """Watched features are features of the model behind the deployment."""
    features = table.features(model.spec.features)
    for path, name in values_at(document.raw, "spec.features.*"):
        if name not in features:
            message = f"`{name}` is no feature of the model `{model.name}`"
            hint = did_you_mean(str(name), features) or "take it out"
            yield _error("REF003", document, path, message, hint)


def _check_compliance(document: Document, model: Document, table: _Table) -> Iterator[Finding]:
    """The fairness policy names columns, and what it prohibits is no feature."""
    pattern = "spec.fairness_bias.attributes.*"
    remedy = f"declare it in the Dataset `{table.name}`"
    yield from _missing_columns(document, pattern, table.dataset.columns, remedy)
    features = table.features(model.spec.features)
    for path, name in values_at(document.raw, "spec.fairness_bias.prohibitedFeatures.*"):
        if name in features:
            message = f"`{name}` is prohibited here and a feature of the model `{model.name}`"
            remedy = f"add it to `features.exclude` of the Model `{model.name}`"
            yield _error("REF004", document, path, message, remedy)


def _error(
    code: str, document: Document, path: Path, message: str, remedy: str, *, key: bool = False
) -> Finding:
    place = document.marks.key(*path) if key else document.marks.value(*path)
    return Finding(code, Severity.ERROR, message, place, remedy=remedy)
