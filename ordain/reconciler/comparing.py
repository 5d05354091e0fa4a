"""What two runs were given otherwise, and what came of it.

A difference of two metrics is no finding by itself: the intervals stand beside it, and where one
run was measured against the artifact of the other on the same rows, the paired difference with its
own interval, which is the only one of the two that answers whether it is more than chance.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.environment import read_lock
from ordain.runtime.errors import LockError
from ordain.specs.differences import spec_differences
from ordain.specs.kinds import kind_validator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.reconciler.runs import Run
    from ordain.specs.evidence import Metric

TEST: Final = "test"
_RESOURCES: Final = ("wall_seconds", "cpu_seconds", "peak_rss_bytes", "rows")


@dataclass(frozen=True, slots=True)
class Input:
    """Something that the runs were given otherwise; None stands for nothing."""

    what: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Pair:
    """One metric of both runs on the test part; `paired` is measured on the same rows."""

    name: str
    before: Metric | None
    after: Metric | None
    paired: Metric | None

    @property
    def difference(self) -> float | None:
        """How much larger the second is."""
        if self.before is None or self.after is None:
            return None
        return self.after.value - self.before.value


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs side by side."""

    before: Run
    after: Run
    inputs: tuple[Input, ...]
    metrics: tuple[Pair, ...]
    resources: tuple[Input, ...]
    search: tuple[Input, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """The comparison for programs."""
        return {
            "format": "ordain.comparison/1",
            "runs": [self.before.id, self.after.id],
            "inputs": [asdict(one) for one in self.inputs],
            "metrics": [{**asdict(one), "difference": one.difference} for one in self.metrics],
            "resources": [asdict(one) for one in self.resources],
            "search": [asdict(one) for one in self.search],
        }


def compare(before: Run, after: Run) -> Comparison:
    """Hold a run against an earlier one."""
    names = dict.fromkeys((*before.resources, *after.resources))
    return Comparison(
        before,
        after,
        tuple(_inputs(before, after)),
        tuple(_metrics(before, after)),
        tuple(
            Input(name, before.resources.get(name), after.resources.get(name))
            for name in _RESOURCES
            if name in names
        ),
        tuple(_searched(before, after)),
    )


def _searched(before: Run, after: Run) -> Iterator[Input]:
    """What two searches have found; a named estimator counts as one that was not searched for."""
    was, now = _found(before), _found(after)
    if any(was.values()) or any(now.values()):
        for name in was:
            yield Input(name, was[name], now[name])


def _found(run: Run) -> dict[str, Any]:
    search = {} if run.evidence is None else run.evidence.search
    chosen = search.get("chosen", {})
    return {
        "trials": len(run.trials) or None,
        "chosen": chosen.get("family"),
        "parameters": chosen.get("training", {}).get("parameters"),
        "ranked by": search.get("metric"),
        "score": chosen.get("mean"),
    }


def _inputs(before: Run, after: Run) -> Iterator[Input]:
    """What differs in the orders; a field that has no influence on the artifact is none of them."""
    if before.begun.model != after.begun.model:
        yield Input("model", before.begun.model, after.begun.model)
    yield from _declared("Model", before.order.get("spec"), after.order.get("spec"))
    was, now = (run.order.get("dataset", {}) for run in (before, after))
    if was.get("name") != now.get("name"):
        yield Input("dataset", was.get("name"), now.get("name"))
    yield from _declared("Dataset", was.get("spec"), now.get("spec"))
    facts = (_facts(before), _facts(after))
    for name in facts[0]:
        if facts[0][name] != facts[1][name]:
            yield Input(name, facts[0][name], facts[1][name])
    packages = (_packages(before), _packages(after))
    for name in sorted(packages[0].keys() | packages[1].keys()):
        if packages[0].get(name) != packages[1].get(name):
            yield Input(f"lock {name}", packages[0].get(name), packages[1].get(name))


def _facts(run: Run) -> dict[str, Any]:
    """What decides a run and stands in no document."""
    return {
        "data digest": run.order.get("recipe", {}).get("data"),
        "split digest": (run.result or {}).get("split"),
        "compared with": run.begun.champion,
        "ordain": run.order.get("tool"),
    }


def _packages(run: Run) -> dict[str, str]:
    try:
        return read_lock(run.order.get("environment", "").encode())
    except LockError:
        return {}


def _declared(kind: str, before: Any, after: Any) -> Iterator[Input]:  # noqa: ANN401 - a spec as JSON
    """The material fields that differ; the digest of the data is told by itself."""
    if before is None or after is None:
        return
    was, now = (_read(kind, one) for one in (before, after))
    for one in spec_differences(was, now):
        if one.material and one.field != "spec.digest":
            yield Input(f"{kind} {one.field}", one.before, one.after)


def _read(kind: str, spec: Any) -> Any:  # noqa: ANN401 - a spec of any kind
    """A spec as the language reads it; one of an older language is compared as it stands."""
    from pydantic_core import ValidationError

    try:
        return kind_validator(kind).validate_python(spec)
    except ValidationError:
        return spec


def _metrics(before: Run, after: Run) -> Iterator[Pair]:
    was, now = _measured(before), _measured(after)
    same = before.result is not None and after.begun.champion == before.result["artifact"]
    for name in dict.fromkeys((*was, *now)):
        if not name.endswith("_delta"):
            paired = now.get(f"{name}_delta") if same else None
            yield Pair(name, was.get(name), now.get(name), paired)


def _measured(run: Run) -> dict[str, Metric]:
    evidence = run.evidence
    return (
        {} if evidence is None else {one.name: one for one in evidence.metrics if one.part == TEST}
    )
