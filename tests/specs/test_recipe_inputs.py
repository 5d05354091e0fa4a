"""The recipe changes when, and only when, something changes that training is made from.

The cases are made from the declarations of the kinds, so that a field that somebody adds is tested
without anybody thinking of it: each field of Model and Dataset, at any depth, is set to another
value, and its change class says whether that is another recipe.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass, replace
from functools import cache
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import pytest

from ordain.specs.kinds import dataset as dataset_module
from ordain.specs.kinds import model as model_module
from ordain.specs.kinds.dataset import Dataset
from ordain.specs.kinds.model import Model
from ordain.specs.plain import material_digest
from ordain.specs.recipes import Recipe, recipe_of
from ordain.specs.shapes import alternatives, shapes

if TYPE_CHECKING:
    from collections.abc import Iterator

ENVIRONMENT = "sha256:" + "8" * 64
Step = str | int


@dataclass(frozen=True, slots=True)
class Place:
    """A field at some depth; `material` is false where it or anything above it is metadata."""

    path: tuple[Step, ...]
    owner: str
    material: bool

    def __str__(self) -> str:
        return ".".join(map(str, self.path))


def sample(hint: Any, turn: int = 0) -> Any:  # noqa: ANN401 - a type expression
    """A value of this type; another one for another turn, wherever the type has two."""
    kind = next(alternatives(hint))
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return inner[turn] if turn < len(inner) else f"(another than {inner[0]})"
    if origin is dict:
        return {f"key-{turn}": sample(inner[1])}
    if origin is tuple:
        kinds = inner[:1] if inner[-1] is Ellipsis else inner
        return tuple(sample(one, turn) for one in kinds)
    if is_dataclass(kind):
        return full(kind)
    texts = {str: f"text-{turn}", int: turn + 1, float: turn + 0.5, bool: not turn}
    return texts[kind]


@cache
def _full(cls: Any) -> Any:  # noqa: ANN401 - a dataclass of a kind
    """An instance in which every field has a value, the optional ones too."""
    return cls(**{shape.attribute: sample(shape.type) for shape in shapes(cls).values()})


def full(cls: Any) -> Any:  # noqa: ANN401 - a dataclass of a kind
    return _full(cls)


def places(cls: Any, above: tuple[Step, ...] = (), *, material: bool = True) -> Iterator[Place]:  # noqa: ANN401
    """Every field of a kind, at any depth: its first entry or item stands for all of them."""
    for shape in shapes(cls).values():
        path = (*above, shape.attribute)
        kept = material and shape.change != "metadata"
        yield Place(path, cls.__name__, kept)
        value, steps = getattr(full(cls), shape.attribute), path
        while isinstance(value, dict | tuple) and value:
            key = next(iter(value)) if isinstance(value, dict) else 0
            value, steps = value[key], (*steps, key)
        if is_dataclass(value):
            yield from places(type(value), steps, material=kept)


def changed(value: Any, path: tuple[Step, ...], new: Any) -> Any:  # noqa: ANN401 - any declared value
    """The same value with another one at a path."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, dict):
        return value | {step: changed(value[step], rest, new)}
    if isinstance(value, tuple):
        items = list(value)
        items[int(step)] = changed(items[int(step)], rest, new)
        return tuple(items)
    return replace(value, **{str(step): changed(getattr(value, str(step)), rest, new)})


def others(cls: Any, place: Place) -> list[Any]:  # noqa: ANN401 - a dataclass of a kind
    """Other values of a field: one of its type, nothing where it may be absent, one entry more."""
    owner: Any = full(cls)
    for step in place.path[:-1]:
        owner = _at(owner, step)
    kind: Any = type(owner)
    shape = next(s for s in shapes(kind).values() if s.attribute == place.path[-1])
    value = getattr(owner, shape.attribute)
    found = [] if is_dataclass(value) else [sample(shape.type, 1)]
    if NoneType in get_args(get_args(shape.type)[0] if _annotated(shape.type) else shape.type):
        found.append(None)
    if isinstance(value, dict):
        found += [{}, value | sample(shape.type, 1)]
    if isinstance(value, tuple):
        found.append((*value, *value))
    differing = [other for other in found if other != value]
    assert differing or is_dataclass(value)
    return differing


def _at(owner: Any, step: Step) -> Any:  # noqa: ANN401 - any declared value
    if isinstance(owner, tuple):
        return owner[int(step)]
    return owner[step] if isinstance(owner, dict) else getattr(owner, str(step))


def _annotated(hint: Any) -> bool:  # noqa: ANN401 - a type expression
    return get_origin(hint) is Annotated


def recipe(model: Model, dataset: Dataset) -> Recipe | None:
    return recipe_of("credit", model, dataset, ENVIRONMENT)


BASE = recipe(full(Model), full(Dataset))
OF_MODEL, OF_DATASET = tuple(places(Model)), tuple(places(Dataset))


@pytest.mark.parametrize("place", OF_MODEL, ids=str)
def test_a_field_of_a_model_is_in_the_recipe_as_its_change_class_says(place: Place) -> None:
    for value in others(Model, place):
        model = changed(full(Model), place.path, value)
        assert (recipe(model, full(Dataset)) != BASE) is place.material


@pytest.mark.parametrize("place", OF_DATASET, ids=str)
def test_a_field_of_a_dataset_is_in_the_recipe_as_its_change_class_says(place: Place) -> None:
    for value in others(Dataset, place):
        dataset = changed(full(Dataset), place.path, value)
        assert (recipe(full(Model), dataset) != BASE) is place.material


@pytest.mark.parametrize(
    ("module", "found"), [(model_module, OF_MODEL), (dataset_module, OF_DATASET)]
)
def test_every_declared_field_is_among_the_cases(module: Any, found: tuple[Place, ...]) -> None:  # noqa: ANN401
    declared = {
        (cls.__name__, field.name)
        for cls in vars(module).values()
        if isinstance(cls, type) and is_dataclass(cls) and cls.__module__ == module.__name__
        for field in fields(cls)
    }
    assert declared == {(place.owner, place.path[-1]) for place in found}


def test_what_is_metadata_is_what_a_person_may_edit_without_training() -> None:
    """Written out, so that a field which stops being trained on is seen in a review."""
    found = sorted(str(place) for place in (*OF_MODEL, *OF_DATASET) if not place.material)
    assert found == [
        "columns.key-0.description",
        "columns.key-0.proxy_for",
        "columns.key-0.unit",
        "consent",
        "consent.basis",
        "consent.purposes",
        "consent.source",
        "explanation.gates",
        "explanation.gates.agreement",
        "explanation.gates.flips",
        "imported.origin",
        "licence",
        "owner",
        "provenance",
        "purpose",
        "tier",
        *(
            f"validation{below}"
            for below in (
                "",
                ".calibration",
                ".calibration.max_error",
                ".dataset",
                ".edge_cases",
                ".robustness",
                ".robustness.max_flips",
                ".robustness.missing",
                ".robustness.noise",
                ".segments",
                ".segments.columns",
                ".segments.max",
                ".segments.metric",
                ".segments.min",
                ".segments.min_cell",
            )
        ),
    ]


@pytest.mark.parametrize("name", [field.name for field in fields(Recipe)])
def test_every_part_of_a_recipe_is_in_its_digest(name: str) -> None:
    assert BASE is not None
    value = getattr(BASE, name)
    new: Any = value + 1 if isinstance(value, int) else value + "x"
    other = replace(BASE, **{name: new})
    assert other.digest != BASE.digest


def test_seed_threads_environment_and_data_reach_the_recipe() -> None:
    assert BASE is not None
    training = replace(full(Model).training, seed=99, threads=3)
    model = replace(full(Model), training=training)
    dataset = replace(full(Dataset), digest="sha256:" + "7" * 64)
    found = recipe_of("credit", model, dataset, "sha256:" + "6" * 64)
    assert found is not None
    assert (found.seed, found.threads) == (99, 3)
    assert (found.data, found.environment) == (dataset.digest, "sha256:" + "6" * 64)
    assert found.spec == material_digest(model) != BASE.spec
    assert found.dataset == material_digest(dataset) != BASE.dataset


def test_the_order_of_keys_is_no_part_of_a_recipe() -> None:
    columns = {"a": sample(Annotated[str, ""]), "b": sample(Annotated[str, ""], 1)}
    one = replace(full(Dataset), columns=columns)
    other = replace(full(Dataset), columns=dict(reversed(columns.items())))
    assert recipe(full(Model), one) == recipe(full(Model), other)
