"""Limits that a change makes weaker.

Loosening a limit is a change of its own kind: it is the quietest way to make a model pass. The
table says for each field in which direction it is weaker; an absent value counts as its default,
because deleting a limit and raising it are the same act. The gates of a Model are in `gate_limits`,
the sections of a model in `compliance`, and policies, which have no direction, in `rule_changes`.

A Waiver loosens what it is about, so a new one and any other one is a loosening. So is the removal
of a Model of which something ran: under another name it would come back with other limits, and
nothing would have been compared. What takes away that somebody looks is in `reviews`, and
what a Model is validated on and found by in `grounds`.

The window of a Monitor has no safe direction: a longer one dilutes what happens now, a shorter one
has too few rows to be sure of anything. Nor has what fairness and metrics are measured by: the
outcome that is favourable, the groups of a protected column, the test part of a split. Any other
one counts as a loosening, and is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.compliance import lost
from ordain.policies.gate_limits import Pair, weaker_gates
from ordain.policies.grounds import other_ground
from ordain.policies.model_limits import weaker_promises
from ordain.policies.reviews import fewer_eyes
from ordain.policies.rule_changes import policy_changes, policy_set_changes
from ordain.policies.validation_limits import weaker_validation
from ordain.specs.canonical import canonical_json, same
from ordain.specs.durations import parse_duration
from ordain.specs.kinds.fields import yaml_name
from ordain.specs.parity import plan_limit
from ordain.specs.plain import to_plain
from ordain.specs.shapes import shapes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.findings import Location
    from ordain.specs.kinds.dataset import Column, Dataset, Expectations, Feedback
    from ordain.specs.kinds.model import Model
    from ordain.specs.kinds.monitor import Monitor
    from ordain.specs.kinds.route import Route
    from ordain.specs.kinds.waiver import Waiver

# +1: a greater value is weaker; -1: a smaller value is weaker. Paths are attributes of the spec.
_NUMBERS: Final[dict[str, tuple[tuple[str, int], ...]]] = {
    "Model": (
        ("tier", +1),
        ("acceptance.drift.psi.max", +1),
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
_NO_LIMIT: Final = float("inf")
_WATCHES: Final = ("AlertChannel", "Compliance", "Monitor", "Policy", "PolicySet", "Validation")
# What groups a protected column has, and which of them the others are held against.
_GROUPS: Final = ("type", "reference", "levels", "rare", "unknown")


@dataclass(frozen=True, slots=True)
class Loosened:
    """One limit, before and after, as text."""

    key: str
    field: str
    before: str
    after: str
    location: Location

    @property
    def subject(self) -> str:
        """The field of the document; a document that goes as a whole has none."""
        return f"{self.key} {self.field}".rstrip()

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
            found.extend(_removed(old, base))
        elif not same(new.raw, old.raw):
            found.extend(_weaker(old, new))
    found.extend(_changed(place, pair) for place, pair in lost(base, head))
    found.extend(_changed(place, pair) for place, pair in fewer_eyes(base, head))
    found.extend(_new_data(base, head))
    found.extend(_placed(place, pair) for place, pair in other_ground(base, head))
    found.extend(_added(base, head))
    # A day of the rows that a validation looks at may be told of twice.
    return tuple(dict.fromkeys(found))


def _removed(old: Document, base: LoadedEstate) -> Iterator[Loosened]:
    """What watched, limited or explained, and goes, is the loosest limit of all."""
    ran = old.kind == "Model" and _ran(old.name, base)
    unresolved = old.kind == "Incident" and old.spec.resolved_at is None
    if old.kind in _WATCHES or ran or unresolved:
        yield Loosened(old.key, "", "present", "removed", old.location)


def _ran(model: str, base: LoadedEstate) -> bool:
    """Whether a version of a model was ever made, or waits to be deployed."""
    documents = (*base.all("ModelVersion"), *base.all("Deployment"))
    return any(one.spec.model == model for one in documents)


def _added(base: LoadedEstate, head: LoadedEstate) -> Iterator[Loosened]:
    """What comes in the place of a default: it may ask for less than the default did."""
    watched = {one.spec.deployment for one in base.all("Monitor")}
    for new in head.all("Monitor"):
        name = new.spec.deployment
        if new.key in base.documents or name in watched or not base.get("Deployment", name):
            continue
        yield _changed(new, (("deployment",), "the default of its tier", "this monitor"))
    for new in head.all("PolicySet"):
        if new.key not in base.documents:
            yield _changed(new, (("packs",), "absent", "added"))
    for new in head.all("Waiver"):
        if new.key not in base.documents:
            yield _changed(new, (("finding",), "in force", f"{new.spec.finding} is waived"))


def _new_data(base: LoadedEstate, head: LoadedEstate) -> Iterator[Loosened]:
    """A model that is given another Dataset takes over what that one does not protect or limit."""
    for new in head.all("Model"):
        old = base.documents.get(new.key)
        if old is None or old.spec.dataset == new.spec.dataset:
            continue
        before = base.get("Dataset", old.spec.dataset)
        after = head.get("Dataset", new.spec.dataset)
        if before is None or after is None:
            continue
        for path, was, now in _dataset(before.spec, after.spec):
            what = ".".join(map(str, path))
            yield _changed(new, (("dataset",), f"{what} {was}", now))


def _weaker(old: Document, new: Document) -> Iterator[Loosened]:
    pairs: list[Pair] = []
    for attributes, direction in _NUMBERS.get(old.kind, ()):
        before, after = _at(old.spec, attributes), _at(new.spec, attributes)
        if (after - before) * direction > 0:
            pairs.append((tuple(map(yaml_name, attributes.split("."))), before, after))
    compare = _COMPARED.get(old.kind)
    if compare is not None:
        pairs.extend(compare(old.spec, new.spec))
    for pair in pairs:
        yield _changed(new, pair)


def _changed(new: Document, pair: Pair) -> Loosened:
    path, before, after = pair
    return _placed(new, (("spec", *path), before, after))


def _placed(new: Document, pair: Pair) -> Loosened:
    path, before, after = pair
    place = new.marks.value(*path)
    return Loosened(new.key, ".".join(map(str, path)), str(before), str(after), place)


def _at(spec: Any, path: str) -> Any:  # noqa: ANN401 - a number of the spec
    for step in path.split("."):
        spec = getattr(spec, step)
    return spec


def _monitor(old: Monitor, new: Monitor) -> Iterator[Pair]:
    if new.deployment != old.deployment:
        yield ("deployment",), old.deployment, new.deployment
    # An empty list means all features.
    if new.features and not set(old.features or ("",)) <= set(new.features):
        yield ("features",), ", ".join(old.features) or "all", ", ".join(new.features)
    for name in ("rows", "duration"):
        before, after = getattr(old.window, name), getattr(new.window, name)
        if before != after:
            yield ("window", name), before or "any", after or "any"
    if new.hysteresis.breaches > 1 and new.hysteresis.of < old.hysteresis.of:
        yield ("hysteresis", "of"), old.hysteresis.of, new.hysteresis.of
    for action in old.on_breach:
        if action not in new.on_breach:
            yield ("onBreach",), action, "removed"


def _model(old: Model, new: Model) -> Iterator[Pair]:
    yield from weaker_gates(old, new)
    yield from weaker_validation(old, new)
    yield from weaker_promises(old, new)
    before, after = (
        {name: getattr(one.split, name) or "none" for name in ("by", "test", "purge")}
        for one in (old, new)
    )
    others = [name for name in before if before[name] != after[name]]
    if others:
        # The shares add up to the whole, so that another test part takes other parts along.
        was, now = (", ".join(f"{name} {one[name]}" for name in others) for one in (before, after))
        yield ("split",), was, now
    yield from _plan_parity(old, new)


def _plan_parity(old: Model, new: Model) -> Iterator[Pair]:
    """A limit that is not declared is that of the estimator, and changes with it."""
    declared = (old.acceptance.parity.plan, new.acceptance.parity.plan)
    if declared != (None, None) and plan_limit(new) > plan_limit(old):
        yield ("acceptance", "parity", "plan"), plan_limit(old), plan_limit(new)


def _dataset(old: Dataset, new: Dataset) -> Iterator[Pair]:
    for name in sorted(set(old.leaks) - set(new.leaks)):
        yield ("leaks",), name, "removed"
    yield from _outcome(old, new)
    yield from _later(old, new)
    yield from _expected(old.expect, new.expect)
    for name in sorted(set(new.columns) - set(old.columns)):
        if new.columns[name].separates:
            yield ("columns", name, "separates"), "absent", "true"
    for name, column in old.columns.items():
        other = new.columns.get(name)
        role = other.role if other else "removed"
        if column.role == "protected" != role:
            yield ("columns", name), "protected", role
        if other is None and column.monotone is not None:
            yield ("columns", name, "monotone"), column.monotone, "removed"
        if other is None and column.proxy_for:
            yield ("columns", name), f"proxy for {', '.join(column.proxy_for)}", "removed"
        if other is not None:
            for field, before, after in _column(column, other):
                yield ("columns", name, *field), before, after


def _later(old: Dataset, new: Dataset) -> Iterator[Pair]:
    """A later day of the same rows makes outcomes final that nobody has seen since."""
    was, now = old.as_of, new.as_of
    if was is not None and now is not None and now > was and old.digest == new.digest:
        yield ("asOf",), was, now


def _expected(old: Expectations, new: Expectations) -> Iterator[Pair]:
    """What the table as a whole was held to: fewer or more rows, older ones, groups, relations."""
    if old.rows is not None and not _inside(new.rows, old.rows):
        yield ("expect", "rows"), _text(old.rows), _text(new.rows)
    if old.fresh is not None and not _shorter(new.fresh, old.fresh):
        yield ("expect", "fresh"), old.fresh, new.fresh or "removed"
    for group in old.unique:
        # A group holds where a smaller one does.
        if not any(set(one) <= set(group) for one in new.unique):
            yield ("expect", "unique"), ", ".join(group), "removed"
    for one in old.relations:
        if one not in new.relations:
            yield ("expect", "relations"), f"{one.left} {one.op} {one.right}", "removed"


def _shorter(new: str | None, old: str) -> bool:
    return new is not None and parse_duration(new) <= parse_duration(old)


def _outcome(old: Dataset, new: Dataset) -> Iterator[Pair]:
    """What was declared of outcome, person and time, and is so no more.

    What is declared for the first time takes nothing away.
    """
    yield from _other(old, new, ("entity", "time"))
    if old.target is None:
        return
    if new.target is None:
        yield ("target",), old.target.column, "removed"
        return
    fields = ("column", "positive", "favourable", "mature_after")
    for path, before, after in _other(old.target, new.target, fields):
        yield ("target", *path), before, after
    loop = new.target.feedback
    if old.target.feedback is not None and loop is None:
        yield ("target", "feedback"), old.target.feedback.observed, "removed"
    elif old.target.feedback is not None and loop is not None:
        for path, before, after in _loop(old.target.feedback, loop):
            yield ("target", "feedback", *path), before, after


def _loop(old: Feedback, new: Feedback) -> Iterator[Pair]:
    """Other columns that say what was seen, or less exploration that is enough."""
    for name in ("observed", "explored"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield (name,), before or "none", after or "removed"
    if _share(new.min_exploration) < _share(old.min_exploration):
        yield ("minExploration",), old.min_exploration, new.min_exploration


def _other(old: Any, new: Any, attributes: Iterable[str]) -> Iterator[Pair]:  # noqa: ANN401
    """Fields that were declared, and are another value now; 1 and true are different ones."""
    for attribute in attributes:
        before, after = getattr(old, attribute), getattr(new, attribute)
        if before is not None and not same(to_plain(before), to_plain(after)):
            yield (yaml_name(attribute),), before, _declared(after)


def _declared(value: Any) -> str:  # noqa: ANN401 - a field of a spec
    if value is None:
        return "removed"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _groups(old: Column, new: Column) -> Iterator[Pair]:
    """Any other group, also where the default made the groups before."""
    for name in _GROUPS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            was = "its default" if before is None else _declared(before)
            yield (name,), was, _declared(after)


def _column(old: Column, new: Column) -> Iterator[Pair]:
    """What is believed of a column: a wider range, more missing values, levels nobody knows."""
    if old.range is not None and not _inside(new.range, old.range):
        yield ("range",), _text(old.range), _text(new.range)
    if old.missing is not None and _share(new.missing) > _share(old.missing):
        yield ("missing",), old.missing, new.missing or "any share"
    if old.unique and not new.unique:
        yield ("unique",), "true", "false"
    if new.separates and not old.separates:
        yield ("separates",), "false", "true"
    if old.monotone is not None and new.monotone != old.monotone:
        yield ("monotone",), old.monotone, new.monotone or "removed"
    for attribute in sorted(set(old.proxy_for) - set(new.proxy_for)):
        yield ("proxyFor",), attribute, "removed"
    if old.role == new.role == "protected":
        yield from _groups(old, new)
    elif old.unknown == "refuse":
        yield from _levels(old, new)


def _levels(old: Column, new: Column) -> Iterator[Pair]:
    if new.unknown != "refuse":
        yield ("unknown",), old.unknown, new.unknown
    elif old.levels is not None and not set(new.levels or ("",)) <= set(old.levels):
        yield ("levels",), ", ".join(old.levels), ", ".join(new.levels or ()) or "any level"


def _inside(inner: tuple[float, float] | None, outer: tuple[float, float]) -> bool:
    return inner is not None and outer[0] <= inner[0] and inner[1] <= outer[1]


def _text(limits: tuple[float, float] | None) -> str:
    return "any value" if limits is None else f"{limits[0]:g} to {limits[1]:g}"


def _share(missing: str | None) -> float:
    """Percent of missing values that are accepted; nothing declared accepts all."""
    return _NO_LIMIT if missing is None else float(missing.removesuffix("%"))


def _waiver(old: Waiver, new: Waiver) -> Iterator[Pair]:
    """Another object, another day, another name: each makes another waiver of it."""
    kind: Any = type(new)
    for name, shape in shapes(kind).items():
        before, after = getattr(old, shape.attribute), getattr(new, shape.attribute)
        if before != after:
            yield (name,), _one_line(before), _one_line(after)


def _one_line(value: Any) -> str:  # noqa: ANN401 - a field of a Waiver
    plain = to_plain(value)
    return plain if isinstance(plain, str) else canonical_json(plain).decode()


def _route(old: Route, new: Route) -> Iterator[Pair]:
    if old.access.keys == "required" != new.access.keys:
        yield ("access", "keys"), "required", new.access.keys


_COMPARED: Final[dict[str, Callable[[Any, Any], Iterator[Pair]]]] = {
    "Dataset": _dataset,
    "Model": _model,
    "Monitor": _monitor,
    "Policy": policy_changes,
    "PolicySet": policy_set_changes,
    "Route": _route,
    "Waiver": _waiver,
}
