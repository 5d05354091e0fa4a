"""What a Route says, asked by the language, by policies, by compilers and by servers.

A route is read as its document writes it, because that is what a server is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ordain.specs.kinds.route import Route

# What the ledger holds instead of a rule where a deployment saw a request and did not answer it.
SHADOW: Final = "shadow"


def environment_of(route: Route, environments: Sequence[str]) -> str | None:
    """The environment of a route; the only one there is needs no mention."""
    if route.environment is not None:
        return route.environment
    return environments[0] if len(environments) == 1 else None


def rule_fields(rules: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """The request fields that rules read: in their conditions, and to be sticky."""
    found: set[str] = set()
    for rule in rules:
        found.update(condition_fields(rule["when"]))
        found.update(filter(None, (rule.get("sticky"),)))
    return frozenset(found)


def condition_fields(condition: Mapping[str, Any]) -> Iterator[str]:
    """The request fields that a condition reads."""
    if condition.get("field") is not None:
        yield condition["field"]
    inner = (*(condition.get("all") or ()), *(condition.get("any") or ()), condition.get("not"))
    for one in inner:
        if one is not None:
            yield from condition_fields(one)
