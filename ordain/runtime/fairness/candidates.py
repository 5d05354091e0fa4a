"""Other ways to train the same model, for a search for a less discriminatory one.

Three kinds, in turn: without one of the features, with more or less regularisation, with another
seed. A feature that stands in for a protected attribute is found by leaving it out; a stricter
model leans less on what few rows say; and models of equal performance that differ by their seed
alone often differ in whom they decide against. Each is a part of a Model as its document writes it,
to be laid over the declared one, so that the one that is chosen can be declared and made again.
"""

from __future__ import annotations

from dataclasses import asdict
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.features import feature_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

# The settings that hold a family back, from looser to stricter than its libraries' own.
REGULARISERS: Final[dict[str, tuple[dict[str, float], ...]]] = {
    "logistic_regression": ({"C": 10.0}, {"C": 0.1}, {"C": 0.01}),
    "decision_tree": ({"min_samples_leaf": 20}, {"min_samples_leaf": 100}),
    "random_forest": ({"min_samples_leaf": 5}, {"min_samples_leaf": 20}),
    "extra_trees": ({"min_samples_leaf": 5}, {"min_samples_leaf": 20}),
    "hist_gradient_boosting": (
        {"l2_regularization": 1.0},
        {"min_samples_leaf": 100},
        {"l2_regularization": 10.0, "min_samples_leaf": 100},
    ),
    "lightgbm": ({"min_child_samples": 100}, {"num_leaves": 7}),
    "xgboost": ({"min_child_weight": 20.0}, {"max_depth": 3}),
}


def candidate_overrides(model: Model, dataset: Dataset, budget: int) -> tuple[dict[str, Any], ...]:
    """Up to `budget` parts of a spec, each to be laid over that of the model; always the same."""
    if model.training is None:
        return ()
    kinds = (_without_features(model, dataset), _regularised(model), _seeded(model))
    in_turn = chain.from_iterable(zip_longest(*(islice(one, budget) for one in kinds)))
    return tuple(islice((one for one in in_turn if one is not None), budget))


def _without_features(model: Model, dataset: Dataset) -> Iterator[dict[str, Any]]:
    """Features that the preprocessing names stay: without them its declaration would be wrong."""
    names = feature_names(model.features, dataset)
    named = set(_texts(asdict(model.preprocessing)))
    for name in names if len(names) > 1 else ():
        if name not in named:
            yield {"features": {"exclude": [*model.features.exclude, name]}}


def _texts(value: object) -> Iterator[str]:
    """Every text in nested mappings and lists, names of mappings among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield from (*_texts(name), *_texts(one))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


def _regularised(model: Model) -> Iterator[dict[str, Any]]:
    training = model.training
    if training is None:
        return
    declared = dict(training.parameters)
    for settings in REGULARISERS.get(training.estimator or "", ()):
        if declared | settings != declared:
            yield {"training": {"parameters": declared | settings}}


def _seeded(model: Model) -> Iterator[dict[str, Any]]:
    seed = 0 if model.training is None else model.training.seed
    while True:
        seed += 1
        yield {"training": {"seed": seed}}
