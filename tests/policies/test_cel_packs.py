"""What ships is answered by fast code, and as the exact evaluator answers it."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from cel_grammar import same

from ordain.policies.engine import cel_engine
from ordain.policies.gate import instant
from ordain.policies.packs import pack_file, pack_names, pack_versions
from ordain.policies.rulebook import rulebook
from ordain.policies.rules import _Question
from ordain.policies.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.cel.programs import CelProgram, Values
    from ordain.policies.rules import Rule
    from tests.policies.conftest import Sketch, Workshop

PACKS = [(name, version) for name in pack_names() for version in pack_versions(name)]


def sketches(workshop: Workshop, pack: str, version: str) -> Iterator[tuple[Sketch, set[str]]]:
    """The example estate of a pack, and the documents that each of its examples changes."""
    yield workshop.serving, set(workshop.serving.load().documents)
    examples = yaml.safe_load(pack_file(f"{pack}/{version}.examples.yaml"))["policies"]
    for ones in examples.values():
        for example in (*ones["good"], *ones["bad"]):
            sketch = workshop.serving
            for key, values in example["set"].items():
                if values is None:
                    sketch.drop(key)
                for path, value in (values or {}).items():
                    sketch.set(key, path, copy.deepcopy(value))
            yield sketch, set(example["set"])


def asked(rule: Rule, world: World, keys: set[str]) -> Iterator[tuple[Any, Values]]:
    """Every expression of a rule with the values of every object that it is asked about."""
    for key, document in world.estate.documents.items():
        if key in keys and rule.matches(document.kind):
            question: Any = _Question(rule, document, world)
            yield from ((program, question.binding) for _, program in rule.conditions)
            question._evaluate_variables()
            yield from ((program, question.binding) for _, program in rule.variables)
            for check in rule.checks:
                yield check.program, question.binding
                if check.message is not None:
                    yield check.message, question.binding


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
    found: dict[str, set[str]] = {}
    for sketch, keys in sketches(workshop, pack, version):
        loaded = sketch.load()
        world = World(loaded, instant(workshop.now), tree=sketch.tree)
        for rule in rulebook(loaded, cel_engine()).rules:
            for program, binding in asked(rule, world, keys):
                found.setdefault(compared(program, binding), set()).add(program.text)
    assert found.get("different", set()) == set()
    assert found.get("slow", set()) == set()
    assert found["equal"]
