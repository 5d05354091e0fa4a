"""Paths inside a document: `spec.rules.*.to.*.deployment`, where a star is any item or entry."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ordain.specs.documents import Step

Path = tuple["Step", ...]


def values_at(raw: Any, path: str) -> list[tuple[Path, Any]]:  # noqa: ANN401 - any YAML value
    """Every value that a path leads to, with its own path; nothing where there is none."""
    found: list[tuple[Path, Any]] = []
    _collect(raw, _steps(path), (), found)
    return found


@cache
def _steps(path: str) -> tuple[str, ...]:
    """The steps of a path; paths are written in the code, so there are few."""
    return tuple(path.split("."))


def _collect(value: Any, steps: Path, path: Path, found: list[tuple[Path, Any]]) -> None:  # noqa: ANN401
    for at, step in enumerate(steps):
        if step == "*":
            entries = value.items() if isinstance(value, dict) else enumerate(value or ())
            for key, inner in entries:
                _collect(inner, steps[at + 1 :], (*path, *steps[:at], key), found)
            return
        if not isinstance(value, dict) or step not in value:
            return
        value = value[step]
    found.append((path + steps, value))


def dotted(path: Path) -> str:
    """`spec.rules[0].to[1].deployment`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return text.removeprefix(".")
