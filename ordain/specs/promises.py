"""What a Dataset promises of its rows, as far as that can be wrong before any row is read.

The columns that it names exist: `columns` has looked. Here is asked whether they are of a type that
can be held to the promise, and whether the promise says anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.features import protected_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.kinds.dataset import Dataset, Expectations, Target
    from ordain.specs.kinds.model import Model
    from ordain.specs.paths import Path

# Code, place, message and remedy.
Broken = tuple[str, "Path", str, str]

_EXPECT: Final = ("spec", "expect")
_TARGET: Final = ("spec", "target")
_ORDERED: Final = {"float": "a number", "int": "a number", "date": "a date"}


def promises(dataset: Dataset) -> Iterator[Broken]:
    """Every promise of a Dataset that cannot be kept or says nothing."""
    yield from _expected(dataset.expect, dataset)
    if dataset.target is not None:
        yield from _mature(dataset.target, dataset)
        yield from _seen(dataset.target, dataset)
    yield from _proxies(dataset)


def _proxies(dataset: Dataset) -> Iterator[Broken]:
    """Declared proxies of what needs none, or on columns that are never asked."""
    for name, column in dataset.columns.items():
        path: Path = ("spec", "columns", name, "proxyFor")
        if column.proxy_for and column.role == "protected":
            message = f"`{name}` is protected itself, and is declared a proxy"
            yield "SPEC165", path, message, "take `proxyFor` out, or correct the role"
            continue
        for attribute in column.proxy_for:
            other = dataset.columns.get(attribute)
            if other is not None and other.role != "protected":
                message = f"`{name}` is declared a proxy for `{attribute}`, which is not protected"
                remedy = f"write `role: protected` in `{attribute}`, or correct `proxyFor`"
                yield "SPEC164", path, message, remedy


def proxy_limits(model: Model, dataset: Dataset) -> Iterator[Broken]:
    """Limits of what features tell of protected attributes, where there are none."""
    if model.acceptance.proxies is not None and not protected_names(dataset):
        message = (
            "what features tell of protected attributes is limited, and no column is protected"
        )
        remedy = "write `role: protected` in a column of the Dataset, or take `proxies` out"
        yield "SPEC166", ("spec", "acceptance", "proxies"), message, remedy


def claims(model: Model, dataset: Dataset) -> Iterator[Broken]:
    """Gates on all cases that the Dataset gives no chance to be met."""
    loop = None if dataset.target is None else dataset.target.feedback
    if loop is None or loop.explored is not None:
        return
    for place, gate in enumerate(model.acceptance.metrics):
        if gate.population == "all":
            path: Path = ("spec", "acceptance", "metrics", place)
            message = (
                f"`{gate.name}` is required of all cases, and the Dataset knows of no outcome that "
                "was seen by chance"
            )
            remedy = "write `population: labelled`, or declare `explored` in the Dataset"
            yield "SPEC134", path, message, remedy


def _expected(expect: Expectations, dataset: Dataset) -> Iterator[Broken]:
    if expect.rows is not None and expect.rows[0] > expect.rows[1]:
        message = "the number of rows ends before it begins"
        yield "SPEC133", (*_EXPECT, "rows"), message, "write the lowest number first"
    for place, names in enumerate(expect.unique):
        if not names or len(set(names)) < len(names):
            message = f"a group of {len(set(names))} different columns is listed as {len(names)}"
            message = message if names else "a group without columns is never looked at"
            yield "SPEC133", (*_EXPECT, "unique", place), message, "name each column once"
    for place, relation in enumerate(expect.relations):
        path = (*_EXPECT, "relations", place)
        if relation.left == relation.right:
            message = f"`{relation.left}` is compared with itself"
            yield "SPEC133", path, message, "name two columns"
        kinds = [_kind(name, dataset) for name in (relation.left, relation.right)]
        if None not in kinds and (kinds[0] != kinds[1] or not kinds[0]):
            told = " and ".join(
                f"`{name}` is {_kind(name, dataset) or dataset.columns[name].type}"
                for name in (relation.left, relation.right)
            )
            yield "SPEC130", path, told, "compare two numbers or two dates"
    if expect.fresh is not None and _kind(dataset.time, dataset) != "a date":
        message = "how fresh the rows are is told by a time column of the type date"
        yield "SPEC131", (*_EXPECT, "fresh"), message, "set `time` of the Dataset"


def _kind(name: str | None, dataset: Dataset) -> str | None:
    """What a column is compared as; empty for nothing, None where there is no such column."""
    column = None if name is None else dataset.columns.get(name)
    return None if column is None else _ORDERED.get(column.type, "")


def _mature(target: Target, dataset: Dataset) -> Iterator[Broken]:
    if target.mature_after is None:
        return
    path = (*_TARGET, "matureAfter")
    if _kind(dataset.time, dataset) != "a date":
        message = "the age of an outcome is counted from a time column of the type date"
        yield "SPEC131", path, message, "set `time` of the Dataset"
    # Without a digest nothing is learnt from yet, and `ordain pin` writes both.
    elif dataset.as_of is None and dataset.digest is not None:
        message = "the age of an outcome is counted up to `asOf`, and there is none"
        yield "SPEC131", path, message, "run `ordain pin`, or write `asOf` beside `digest`"


def _seen(target: Target, dataset: Dataset) -> Iterator[Broken]:
    if target.feedback is None:
        return
    for field in ("observed", "explored"):
        name = getattr(target.feedback, field)
        column = None if name is None else dataset.columns.get(name)
        if column is not None and column.type != "bool":
            message = f"`{name}` is {column.type}, and whether an outcome was seen is yes or no"
            yield "SPEC132", (*_TARGET, "feedback", field), message, "name a column of type bool"
    if target.feedback.explored == target.feedback.observed:
        message = "every case that was let through would count as let through by chance"
        remedy = "name the column that marks the cases drawn by chance, or take `explored` out"
        yield "SPEC132", (*_TARGET, "feedback", "explored"), message, remedy
    if float(target.feedback.min_exploration.removesuffix("%")) == 0:
        path = (*_TARGET, "feedback", "minExploration")
        message = "a share of nothing asks for no exploration at all"
        yield "SPEC133", path, message, "write a share such as 1%"
