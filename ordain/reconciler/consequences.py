"""What a change of documents leads to: what is trained again, and what is served or watched
otherwise.

A model is trained again when its recipe is another one and no version in the tree was made by it.
Training serves nothing: deployments keep their versions until a promotion is merged, and only what
the compilers would give a server is called an effect on serving.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.compilers.serving import served
from ordain.policies.lookups import environment_digest, recipe_in
from ordain.runtime.environment import read_lock
from ordain.runtime.errors import LockError
from ordain.specs.canonical import same
from ordain.specs.differences import differences
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.reconciler.gating import Side
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Retrain:
    """A model that will be trained, for which reasons, and what runs until it is promoted."""

    model: str
    causes: tuple[str, ...]
    keeps: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {"model": self.model, "causes": list(self.causes), "keeps": list(self.keeps)}


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that begins (+), goes on otherwise (~) or ends (-) with the merge."""

    symbol: str
    subject: str
    text: str

    def to_json(self) -> dict[str, str]:
        return {"symbol": self.symbol, "subject": self.subject, "text": self.text}


# Training


def retrains_between(before: Side, after: Side) -> tuple[Retrain, ...]:
    """The models that a merge lets be trained, by name."""
    found = []
    made = {(one.spec.model, one.spec.recipe) for one in after.estate.all("ModelVersion")}
    kept = _kept(after.estate)
    for model in _affected(before, after):
        old = recipe_in(before.estate, model.name, before.tree)
        new = recipe_in(after.estate, model.name, after.tree)
        if new is None or (old is not None and old.digest == new.digest):
            continue
        if (model.name, new.digest) not in made:
            causes = tuple(_causes(model, old, new, before, after))
            found.append(Retrain(model.name, causes, tuple(kept.get(model.name, ()))))
    return tuple(found)


def _affected(before: Side, after: Side) -> Iterator[Document]:
    """The models whose recipe may differ; of thousands a change touches a few."""
    sides = ((side.estate, side.tree) for side in (before, after))
    everywhere = len({environment_digest(*side) for side in sides}) > 1
    for model in after.estate.all("Model"):
        keys = (model.key, f"Dataset/{model.spec.dataset}")
        if everywhere or any(_differs(key, before.estate, after.estate) for key in keys):
            yield model


def _differs(key: str, old: LoadedEstate, new: LoadedEstate) -> bool:
    was, now = old.documents.get(key), new.documents.get(key)
    if was is None or now is None:
        return was is not now
    return not same(was.raw, now.raw)


def _causes(
    model: Document, old: Recipe | None, new: Recipe, before: Side, after: Side
) -> Iterator[str]:
    if old is None:
        known = before.estate.documents.get(model.key)
        yield "it is new" if known is None else "there was nothing to train before"
        return
    if old.spec != new.spec:
        yield _fields(model.key, before.estate, after.estate)
    dataset = f"Dataset/{model.spec.dataset}"
    if old.dataset != new.dataset and before.estate.documents.get(dataset) is not None:
        text = _fields(dataset, before.estate, after.estate, without="spec.digest")
        if text:
            yield text
    if old.data != new.data:
        yield f"{dataset} other data"
    if old.environment != new.environment:
        yield _environment(before, after)


def _fields(key: str, old: LoadedEstate, new: LoadedEstate, *, without: str = "") -> str:
    """The material fields of one document that differ, behind its key; empty without any."""
    pair = old.documents.get(key), new.documents.get(key)
    if pair[0] is None or pair[1] is None:
        return key
    found = [
        one.field for one in differences(pair[0], pair[1]) if one.material and one.field != without
    ]
    return f"{key} {', '.join(found)}" if found else ""


def _environment(before: Side, after: Side) -> str:
    """What differs in the environment locks, package by package where they can be read."""
    path, old = _lock(before)
    _, new = _lock(after)
    if old is None or new is None:
        return path
    changes = [
        f"{name} {old.get(name, 'absent')} -> {new.get(name, 'absent')}"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    ]
    return f"{path} {', '.join(changes)}" if changes else path


def _lock(side: Side) -> tuple[str, dict[str, str] | None]:
    path: str = side.estate.all("Estate")[0].spec.environment_lock
    try:
        return path, read_lock(side.tree.get(path, b""), path)
    except LockError:
        return path, None


def _kept(estate: LoadedEstate) -> dict[str, list[str]]:
    """For each model, the deployments that go on with the version that they have."""
    found: dict[str, list[str]] = {}
    for one in estate.all("Deployment"):
        if one.spec.version is not None:
            text = f"{one.key} keeps version {one.spec.version} until a new one is promoted"
            found.setdefault(one.spec.model, []).append(text)
    return found


# Serving and watching


def effects_between(old: LoadedEstate, new: LoadedEstate) -> tuple[Effect, ...]:
    """What servers and monitors do otherwise, environment by environment."""
    found: list[Effect] = []
    before, after = _environments(old), _environments(new)
    for name in sorted(before.keys() | after.keys()):
        found += _environment_effects(name, before.get(name), after.get(name))
        was, now = served(old, name), served(new, name)
        found += _deployments(was.deployments, now.deployments)
        found += _routes(*({one["name"]: one for one in side.routes} for side in (was, now)))
    return (*found, *_monitors(old, new))


def _environments(estate: LoadedEstate) -> dict[str, Any]:
    return {one.name: one for found in estate.all("Estate") for one in found.spec.environments}


def _environment_effects(name: str, old: Any, new: Any) -> Iterator[Effect]:  # noqa: ANN401
    subject = f"Environment/{name}"
    if old is None or new is None:
        yield Effect("+", subject, "begins") if old is None else Effect("-", subject, "ends")
        return
    before, after = to_plain(old), to_plain(new)
    fields = _differing(before, after)
    if fields:
        yield Effect("~", subject, f"has another {', '.join(fields)}")


_Named = dict[str, dict[str, Any]]


def _deployments(before: _Named, after: _Named) -> Iterator[Effect]:
    for name in sorted(before.keys() | after.keys()):
        subject = f"Deployment/{name}"
        was, now = before.get(name), after.get(name)
        if was is None and now is not None:
            yield Effect("+", subject, f"starts to serve {_slot(now)}")
        elif now is None and was is not None:
            yield Effect("-", subject, f"does not serve {_slot(was)} any more")
        elif was is not None and now is not None and was != now:
            yield Effect("~", subject, f"serves {_slot(now)} instead of {_slot(was)}")


def _slot(slot: Mapping[str, Any]) -> str:
    return f"version {slot['version']} of {slot['model']}"


def _routes(before: _Named, after: _Named) -> Iterator[Effect]:
    for name in sorted(before.keys() | after.keys()):
        subject = f"Route/{name}"
        was, now = before.get(name), after.get(name)
        if was is None and now is not None:
            yield Effect("+", subject, f"starts to answer at {now['endpoint']}")
        elif now is None and was is not None:
            yield Effect("-", subject, f"does not answer at {was['endpoint']} any more")
        elif was is not None and now is not None and was.get("stopped") != now.get("stopped"):
            by = (
                f"is stopped by BreakGlass/{now['stopped']}"
                if "stopped" in now
                else "answers again"
            )
            yield Effect("~", subject, by)
        elif was is not None and now is not None and not same(was, now):
            yield Effect("~", subject, f"answers by another {', '.join(_differing(was, now))}")


def _monitors(old: LoadedEstate, new: LoadedEstate) -> Iterator[Effect]:
    before = {one.key: one for one in old.all("Monitor")}
    after = {one.key: one for one in new.all("Monitor")}
    for key in sorted(before.keys() | after.keys()):
        was, now = before.get(key), after.get(key)
        if was is None and now is not None:
            yield Effect("+", key, f"begins to watch Deployment/{now.spec.deployment}")
        elif now is None and was is not None:
            yield Effect("-", key, f"ends; {_unwatched(was, new)}")
        elif was is not None and now is not None:
            fields = [one.path[1] for one in differences(was, now) if one.material]
            if fields:
                what = ", ".join(dict.fromkeys(map(str, fields)))
                text = f"watches Deployment/{now.spec.deployment} by another {what}"
                yield Effect("~", key, text)


def _unwatched(monitor: Document, estate: LoadedEstate) -> str:
    deployment = monitor.spec.deployment
    if estate.get("Deployment", deployment) is None:
        return f"Deployment/{deployment} goes as well"
    if any(one.spec.deployment == deployment for one in estate.all("Monitor")):
        return f"another one watches Deployment/{deployment}"
    return f"Deployment/{deployment} is watched by the default of its tier"


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    keys = dict.fromkeys((*old, *new))
    return [key for key in keys if not same(old.get(key), new.get(key))]
