"""Limits that a change makes weaker.

Loosening a limit is a change of its own kind: it is the quietest way to make a model pass. The
table says for each field in which direction it is weaker; an absent value counts as its default,
because deleting a limit and raising it are the same act. Gates are compared by what they gate
(metric, kind of comparison), so that reordering a list is nothing and removing an entry is a
loosening.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Location

# +1: a greater value is weaker; -1: a smaller value is weaker. Paths are attributes of the spec.
_NUMBERS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "Model": (
        ("tier", +1),
        ("acceptance.drift.psi.max", +1),
        ("acceptance.parity.plan", +1),
        ("acceptance.parity.onnx", +1),
    ),
    "Monitor": (
        ("psi.warn", +1),
        ("psi.fail", +1),
        ("prediction_psi.warn", +1),
        ("prediction_psi.fail", +1),
        ("window.min_rows", +1),
        ("hysteresis.breaches", +1),
    ),
}
_METRIC: Final = (("min", -1), ("max", +1), ("min_delta", -1))
_FAIRNESS: Final = (("min", -1), ("alpha", -1), ("min_cell", +1))
_STRICTNESS: Final = {"advise": 0, "review": 1, "block": 2}
# What a limit that is not there stands for: no bound at all.
_NO_BOUND: Final = {+1: float("inf"), -1: float("-inf")}


@dataclass(frozen=True, slots=True)
class Loosened:
    """One limit, before and after, as text."""

    key: str
    field: str
    before: str
    after: str
    location: Location

    def to_plain(self) -> dict[str, str]:
        """What expressions see in `change.loosened`."""
        return {
            "object": self.key,
            "field": self.field,
            "before": self.before,
            "after": self.after,
        }


def loosened_between(base: LoadedEstate, head: LoadedEstate) -> tuple[Loosened, ...]:
    """Every limit that is weaker in head than in base."""
    found: list[Loosened] = []
    for key, old in sorted(base.documents.items()):
        new = head.documents.get(key)
        if new is None:
            found.extend(_removed(old))
        elif new.raw != old.raw:
            found.extend(_weaker(old, new))
    return tuple(found)


def _removed(old: Document) -> Iterator[Loosened]:
    """A monitor or a policy that goes is the loosest limit of all."""
    if old.kind in ("Monitor", "Policy"):
        yield Loosened(old.key, "", "present", "removed", old.location)


def _weaker(old: Document, new: Document) -> Iterator[Loosened]:
    pairs: list[tuple[str, Any, Any]] = []
    for path, direction in _NUMBERS.get(old.kind, ()):
        before, after = _at(old.spec, path), _at(new.spec, path)
        if (after - before) * direction > 0:
            pairs.append((path, before, after))
    match old.kind:
        case "Model":
            pairs.extend(_model(old.spec, new.spec))
        case "Monitor":
            pairs.extend(_narrowed("features", old.spec.features, new.spec.features))
        case "Dataset":
            pairs.extend(_dataset(old.spec, new.spec))
        case "Policy":
            pairs.extend(_policy(old.spec, new.spec))
        case "Route":
            if old.spec.access.keys == "required" != new.spec.access.keys:
                pairs.append(("access.keys", "required", new.spec.access.keys))
    for path, before, after in pairs:
        camel = tuple(_camel(step) for step in path.split("."))
        place = new.marks.value("spec", *camel)
        yield Loosened(new.key, f"spec.{'.'.join(camel)}", str(before), str(after), place)


def _at(spec: Any, path: str) -> Any:  # noqa: ANN401 - a number of the spec
    for step in path.split("."):
        spec = getattr(spec, step)
    return spec


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _model(old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - two Models
    metrics = "acceptance.metrics"
    yield from _gates(metrics, _METRIC, _metrics(old), _metrics(new))
    for key, gate in _metrics(old).items():
        other = _metrics(new).get(key)
        if other and gate.bound != "value" and other.bound == "value":
            yield metrics, f"{gate.name} at its {gate.bound} bound", "at its value"
        if other and other.confidence < gate.confidence:
            yield metrics, f"{gate.name} at {gate.confidence}", f"at {other.confidence}"
    fairness = "acceptance.fairness"
    old_gates = {gate.metric: gate for gate in old.acceptance.fairness}
    new_gates = {gate.metric: gate for gate in new.acceptance.fairness}
    yield from _gates(fairness, _FAIRNESS, old_gates, new_gates)
    for name, gate in old_gates.items():
        if name in new_gates:
            yield from _narrowed(fairness, gate.attributes, new_gates[name].attributes)


def _metrics(model: Any) -> dict[tuple[str, str | None], Any]:  # noqa: ANN401 - a Model
    return {(gate.name, gate.versus): gate for gate in model.acceptance.metrics}


def _gates(
    path: str, limits: Iterable[tuple[str, int]], old: dict[Any, Any], new: dict[Any, Any]
) -> Iterator[tuple[str, Any, Any]]:
    for key, gate in old.items():
        name = key if isinstance(key, str) else " versus ".join(filter(None, key))
        if key not in new:
            yield path, name, "removed"
            continue
        for attribute, direction in limits:
            before, after = getattr(gate, attribute), getattr(new[key], attribute)
            if before is not None and (_bound(after, direction) - before) * direction > 0:
                camel = _camel(attribute)
                yield path, f"{name} {camel} {before}", f"{camel} {after}"


def _bound(value: float | None, direction: int) -> float:
    return _NO_BOUND[direction] if value is None else value


def _narrowed(
    path: str, old: tuple[str, ...], new: tuple[str, ...]
) -> Iterator[tuple[str, Any, Any]]:
    """An empty list means all; what was covered and is not any more is a loosening."""
    if new and (not old or not set(old) <= set(new)):
        yield path, ", ".join(old) or "all", ", ".join(new)


def _dataset(old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - two Datasets
    for name in sorted(set(old.leaks) - set(new.leaks)):
        yield "leaks", name, "removed"
    for name, column in old.columns.items():
        role = new.columns[name].role if name in new.columns else "removed"
        if column.role == "protected" != role:
            yield f"columns.{name}", "protected", role


def _policy(old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - two Policies
    if _STRICTNESS[new.enforcement] < _STRICTNESS[old.enforcement]:
        yield "enforcement", old.enforcement, new.enforcement
