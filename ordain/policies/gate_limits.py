"""Gates of a Model that a change makes weaker.

Gates are conditions that hold together, so what counts is not which entry became which: a limit of
the old list is kept when some gate of the new list is at least as strict about the same thing, and
loosened when none is. Reordering, merging and splitting entries is therefore nothing, and neither a
second gate on another protected column nor a second gate on the same metric can hide one that goes.

A metric gate is taken apart into its limits: a `min` is stricter the larger it is, and stricter
when the lower end of an interval must reach it than the value itself. A fairness gate is taken
apart into the columns and intersections that it names; one without columns is about all of them.
Inside of which strata it compares is part of what it is about.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.fairness import is_ratio, limit_of, subject_name, within_name
from ordain.specs.kinds.fields import yaml_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ordain.specs.kinds.model import FairnessGate, MetricGate, Model, ProxyLimits

# Where in the spec (YAML names), what stood there, and what stands there now.
Pair = tuple[tuple[str | int, ...], Any, Any]

_METRICS: Final = ("acceptance", "metrics")
_FAIRNESS: Final = ("acceptance", "fairness")
_PROXIES: Final = ("acceptance", "proxies")
# +1: a greater value is stricter; -1: a smaller value is stricter.
_OF_METRIC: Final = (("min", +1), ("max", -1))
# The limit itself stands beside them: a smallest ratio, or a largest difference.
_OF_FAIRNESS: Final = (("alpha", +1), ("min_cell", -1), ("min_power", +1))
_BOUNDS: Final = {"lower": +1, "value": 0, "upper": -1}


@dataclass(frozen=True, slots=True)
class _Limit:
    """One number that one thing must reach.

    `direction` is +1 where a greater `value` is stricter. `bound` is what is compared: the
    confidence of the strict end of the interval, 0 for the value itself, and below 0 the confidence
    of the lenient end. `everyone` says whether the claim is about all cases, seen or not.
    """

    about: str
    attribute: str
    direction: int
    value: float
    bound: float
    everyone: bool

    def keeps(self, old: _Limit) -> bool:
        strict = (self.value - old.value) * self.direction >= 0 and self.bound >= old.bound
        return strict and self.everyone >= old.everyone

    def weaker(self, old: _Limit) -> Iterator[Pair]:
        name = yaml_name(self.attribute)
        if (self.value - old.value) * self.direction < 0:
            yield _METRICS, f"{old.about} {name} {old.value:g}", f"{name} {self.value:g}"
        if self.bound < old.bound:
            yield _METRICS, f"{old.about} {name} {old.compared}", self.compared
        if self.everyone < old.everyone:
            yield _METRICS, f"{old.about} {name} of all cases", "of labelled cases"

    @property
    def compared(self) -> str:
        """Which number is compared, in words."""
        if not self.bound:
            return "at its value"
        end = "lower" if self.bound * self.direction > 0 else "upper"
        return f"at its {end} bound of {abs(self.bound):g}"


def weaker_gates(old: Model, new: Model) -> Iterator[Pair]:
    """Path, before and after of every gate that is weaker in new than in old."""
    yield from _weaker_metrics(old.acceptance.metrics, new.acceptance.metrics)
    yield from _weaker_fairness(old.acceptance.fairness, new.acceptance.fairness)
    yield from _weaker_proxies(old.acceptance.proxies, new.acceptance.proxies)


def _weaker_metrics(old: Sequence[MetricGate], new: Sequence[MetricGate]) -> Iterator[Pair]:
    left = [limit for gate in new for limit in _limits(gate)]
    for before in (limit for gate in old for limit in _limits(gate)):
        same = [
            one for one in left if (one.about, one.attribute) == (before.about, before.attribute)
        ]
        if any(one.keeps(before) for one in same):
            continue
        if same:
            yield from _nearest(before, same).weaker(before)
        else:
            name = f"{before.about} {yaml_name(before.attribute)} {before.value:g}"
            yield _METRICS, name, "removed"


def _nearest(before: _Limit, found: Iterable[_Limit]) -> _Limit:
    """The new limit that the old one most probably became."""

    def distance(one: _Limit) -> tuple[int, float]:
        return len(list(one.weaker(before))), abs(one.value - before.value)

    return min(found, key=distance)


def _limits(gate: MetricGate) -> Iterator[_Limit]:
    """The limits of a gate; against the champion there is always one, at 0 where none is given."""
    end, everyone = _BOUNDS[gate.bound] * gate.confidence, gate.population == "all"
    if gate.versus is not None:
        about = f"{gate.name} versus {gate.versus}"
        yield _Limit(about, "min_delta", +1, gate.min_delta or 0.0, end, everyone)
    for attribute, direction in _OF_METRIC:
        value = getattr(gate, attribute)
        if value is not None:
            yield _Limit(gate.name, attribute, direction, value, end * direction, everyone)


def _weaker_fairness(old: Sequence[FairnessGate], new: Sequence[FairnessGate]) -> Iterator[Pair]:
    for gate in old:
        for column in (*(gate.attributes or ("",)), *map(subject_name, gate.intersections)):
            inside = f" within {within_name(gate)}" if gate.within else ""
            name = f"{gate.metric} of {column or 'all protected columns'}{inside}"
            same = [one for one in new if _covers(one, gate, column)]
            found = [list(_differences(name, gate, one)) for one in same]
            if not found:
                yield _FAIRNESS, name, "removed"
            else:
                yield from min(found, key=len)


def _covers(gate: FairnessGate, old: FairnessGate, column: str) -> bool:
    if gate.metric != old.metric or set(gate.within) != set(old.within):
        return False
    if column in map(subject_name, old.intersections):
        return column in map(subject_name, gate.intersections)
    return not gate.attributes or column in gate.attributes


def _differences(name: str, old: FairnessGate, new: FairnessGate) -> Iterator[Pair]:
    limit, strict = ("min", +1) if is_ratio(old.metric) else ("max", -1)
    numbers = [
        (one, direction, getattr(old, one), getattr(new, one)) for one, direction in _OF_FAIRNESS
    ]
    for attribute, direction, before, after in (
        (limit, strict, limit_of(old), limit_of(new)),
        *numbers,
    ):
        if (after - before) * direction < 0:
            camel = yaml_name(attribute)
            yield _FAIRNESS, f"{name} {camel} {before:g}", f"{camel} {after:g}"


def _weaker_proxies(old: ProxyLimits | None, new: ProxyLimits | None) -> Iterator[Pair]:
    """A limit of what features tell of protected attributes that is raised or taken away."""
    if old is None:
        return
    if new is None:
        yield _PROXIES, f"max {old.max:g}, joint {old.joint:g}", "removed"
        return
    for name in ("max", "joint"):
        before, after = getattr(old, name), getattr(new, name)
        if after > before:
            yield (*_PROXIES, name), before, after
