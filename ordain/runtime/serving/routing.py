"""Which deployment answers a request.

The first rule whose condition holds decides; among its deployments a draw in [0, 1) does. The draw
of a sticky rule is a hash of the route's name and the key field's value, so the same applicant
meets the same model in every worker, after every restart, and on whichever machine replays the
request; two routes draw independently of each other. Other draws come from the caller's source of
randomness. Rule and draw are recorded with the prediction: both together prove the choice.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Self

from ordain.runtime.serving.conditions import compile_condition
from ordain.specs.canonical import canonical_json
from ordain.specs.routes import rule_fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ordain.runtime.serving.conditions import Record, Test

_SCALARS = (str, int, float, bool)
_SPAN = float(1 << 53)  # a draw has the 53 bits that a float in [0, 1) can hold


@dataclass(frozen=True, slots=True)
class Choice:
    """The deployment that answers; rule and draw are None for the route's default."""

    rule: str | None
    deployment: str
    draw: float | None


@dataclass(frozen=True, slots=True)
class Step:
    """A rule that was tried on a request, and whether it held."""

    rule: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """A compiled rule; `bounds` are the upper ends of the shares of [0, 1)."""

    name: str
    test: Test
    deployments: tuple[str, ...]
    bounds: tuple[float, ...]
    sticky: str | None

    def take(self, draw: float) -> Choice:
        place = min(bisect_right(self.bounds, draw), len(self.bounds) - 1)
        return Choice(self.name, self.deployments[place], draw)


@dataclass(frozen=True, slots=True)
class Router:
    """The rules of one route. `fields` are the request fields that they read."""

    route: str
    rules: tuple[Rule, ...]
    default: Choice
    fields: frozenset[str]

    @classmethod
    def read(cls, route: str, rules: Iterable[Mapping[str, Any]], default: str) -> Self:
        """Compile the rules of a Route as its document writes them.

        Raises:
            ValueError, TypeError, KeyError: a rule that the language does not know.
        """
        declared = tuple(rules)
        compiled = tuple(_rule(raw, place) for place, raw in enumerate(declared, 1))
        return cls(route, compiled, Choice(None, default, None), rule_fields(declared))

    def choose(self, record: Record, random: Callable[[], float]) -> Choice:
        """The deployment for a record; `random` returns a number in [0, 1)."""
        for rule in self.rules:
            if rule.test(record):
                return rule.take(self._draw(rule, record, random))
        return self.default

    def explain(self, record: Record, random: Callable[[], float]) -> tuple[list[Step], Choice]:
        """`choose`, with the rules that were tried on the way."""
        steps = []
        for rule in self.rules:
            steps.append(Step(rule.name, rule.test(record)))
            if steps[-1].holds:
                return steps, rule.take(self._draw(rule, record, random))
        return steps, self.default

    def targets(self) -> frozenset[str]:
        """Every deployment that this route may choose."""
        named = {name for rule in self.rules for name in rule.deployments}
        return frozenset(named | {self.default.deployment})

    def _draw(self, rule: Rule, record: Record, random: Callable[[], float]) -> float:
        value = None if rule.sticky is None else record.get(rule.sticky)
        # A request without a usable sticky field has nobody to be faithful to.
        if type(value) not in _SCALARS:
            return random()
        return sticky_draw(self.route, value)


def sticky_draw(route: str, value: object) -> float:
    """The draw in [0, 1) that a JSON value of the sticky field always gets on a route."""
    key = sha256(route.encode() + b"\n" + _bytes(value)).digest()
    return (int.from_bytes(key[:8], "big") >> 11) / _SPAN


def _bytes(value: object) -> bytes:
    try:
        return canonical_json(value)
    except ValueError:
        # NaN and broken text have no canonical form; the contract refuses them after the choice.
        return b""


def _rule(raw: Mapping[str, Any], place: int) -> Rule:
    name = raw.get("name") or str(place)
    shares = [(share["deployment"], share.get("weight", 100)) for share in raw["to"]]
    shares = [(deployment, weight) for deployment, weight in shares if weight > 0]
    total = sum(weight for _, weight in shares)
    if not shares:
        raise ValueError(f"rule {name} gives no deployment any weight")
    return Rule(
        name=name,
        test=compile_condition(raw["when"]),
        deployments=tuple(deployment for deployment, _ in shares),
        bounds=tuple(reached / total for reached in accumulate(weight for _, weight in shares)),
        sticky=raw.get("sticky"),
    )
