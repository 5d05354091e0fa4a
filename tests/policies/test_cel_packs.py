"""What ships is answered by fast code, and as the exact evaluator answers it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cel_grammar import same
from yaml import CSafeLoader

from ordain.policies.engine import cel_engine
from ordain.policies.gate import instant
from ordain.policies.packs import load_pack, pack_file, pack_names, pack_versions
from ordain.policies.rules import compile_rules
from ordain.policies.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sketches import Sketch

    from ordain.policies.cel.programs import CelProgram, Values
    from ordain.policies.rules import Rule
    from tests.policies.conftest import Workshop

PACKS = [(name, version) for name in pack_names() for version in pack_versions(name)]


def sketches(workshop: Workshop, pack: str, version: str) -> Iterator[tuple[Sketch, set[str]]]:
    """The example estate of a pack, and the documents that each of its examples changes."""
    examples = yaml.load(pack_file(f"{pack}/{version}.examples.yaml"), CSafeLoader)
    good = workshop.serving
    good.documents = {f"{raw['kind']}/{raw['metadata']['name']}": raw for raw in examples["estate"]}
    yield good, set(good.documents)
    for ones in examples["policies"].values():
        for example in (*ones["good"], *ones["bad"]):
            sketch = good.copy()
            touched = {key: edits for key, edits in example["set"].items() if key[0].isupper()}
            for key, edits in touched.items():
                if edits is None:
                    sketch.drop(key)
                for path, value in (edits or {}).items():
                    sketch.set(key, path, copy.deepcopy(value))
            yield sketch, set(touched)


def asked(rule: Rule, world: World, keys: set[str]) -> Iterator[tuple[Any, Any]]:
    """Every expression of a rule with the values of every object that it is asked about."""
    for key, document in world.estate.documents.items():
        if key not in keys or not rule.matches(document.kind):
            continue
        values = world.values(document, rule.names) | {"params": rule.params, "variables": {}}
        for _, program in rule.conditions:
            yield program, rule.engine.bind(values)
        for name, variable in rule.variables:
            yield variable, rule.engine.bind(values)
            found: Any = variable
            outcome = found.value(rule.engine.bind(values))
            if not outcome.error:
                values["variables"] = {**values["variables"], name: outcome.value}
        binding = rule.engine.bind(values)
        for check in rule.checks:
            yield check.program, binding
            if check.message is not None:
                yield check.message, binding


def compared(program: CelProgram, binding: Values) -> str:
    """How the fast answer stands to the exact one."""
    fast, exact = program.fast(binding.plain), program.exact(binding)
    if fast is None:
        return "exact" if exact.error else "slow"
    return "equal" if not exact.error and same(fast.value, exact.value) else "different"


@pytest.mark.property
@pytest.mark.parametrize(("pack", "version"), PACKS)
def test_fast_code_answers_every_expression_that_ships_as_the_evaluator_does(
    workshop: Workshop, pack: str, version: str
) -> None:
    policies = load_pack(pack, version).policies
    compiled = [rule for one in policies for rule in compile_rules(one, cel_engine())[0]]
    assert {rule.name for rule in compiled} == {one.name for one in policies}
    found: dict[str, set[str]] = {}
    for sketch, keys in sketches(workshop, pack, version):
        world = World(sketch.load(), instant(workshop.now), tree=sketch.tree)
        for rule in compiled:
            for program, binding in asked(rule, world, keys):
                found.setdefault(compared(program, binding), set()).add(program.text)
    assert found.get("different", set()) == set()
    assert found.get("slow", set()) == set()
    assert found["equal"]
