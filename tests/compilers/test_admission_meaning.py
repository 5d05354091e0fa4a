"""A cluster says of an object what the gate says of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from admitted import compiled, policies, rules, rules_of
from clusters_mind import ERROR, Answer, ClusterPolicy
from sketches import sketch_of

from ordain.compilers.admission import compile_admission, plural, version_of
from ordain.policies.packs import pack_file, pack_names, pack_versions
from ordain.policies.world import World
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.rules import Rule
    from ordain.specs.documents import Document, LoadedEstate

NOW = "2026-11-20T09:30:00Z"


def of_the_gate(rule: Rule, document: Document, world: World) -> list[str]:
    """The messages of the gate, sorted; of what it could not evaluate only that."""
    found = rule.ask(document, world) if rule.matches(document.kind) else ()
    return sorted(ERROR if one.code == "POL002" else one.message for one in found)


def of_the_cluster(asked: list[ClusterPolicy], document: Document) -> list[str]:
    """The messages of all policies that one rule has become."""
    answers = [
        one.ask(document.raw)
        for one in asked
        if "*" in one.resources or plural(document.kind) in one.resources
    ]
    found = [message for answer in answers for message in answer.violations]
    # Each of the policies of a rule asks its conditions; the gate asks them once.
    once = {ERROR} if all(answer.violations == (ERROR,) for answer in answers) else set()
    return sorted(once & set(found)) or sorted(found)


def estates(name: str, version: str) -> Iterator[LoadedEstate]:
    """The estate of a pack's examples, and what every example makes of it."""
    examples = yaml.safe_load(pack_file(f"{name}/{version}.examples.yaml"))
    # Some examples edit the document that names the pack.
    packs = [{"name": name, "version": version, "params": {}}]
    good = sketch_of(examples).add("PolicySet", "pack", packs=packs)
    yield good.load()
    for each in examples["policies"].values():
        for one in (*each["bad"], *each["good"]):
            yield good.copy().edit(one.get("before", {})).edit(one["set"]).load()


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    ("name", "version"),
    [(name, version) for name in pack_names() for version in pack_versions(name)],
)
def test_on_the_examples_of_the_packs(name: str, version: str) -> None:
    book, minor = rules_of(name, version), 30
    asked: dict[str, list[ClusterPolicy]] = {}
    for rule in book:
        made = compile_admission([rule], version_of(f"1.{minor}"), estate="examples")
        objects = [one for one in made.manifests if not one["kind"].endswith("Binding")]
        asked[rule.name] = [ClusterPolicy(one, minor) for one in objects]
    compared = violated = 0
    for loaded in estates(name, version):
        world = World(loaded, NOW)
        for rule in book:
            for document in loaded.documents.values() if asked[rule.name] else ():
                expected = of_the_gate(rule, document, world)
                assert of_the_cluster(asked[rule.name], document) == expected
                compared += 1
                violated += bool(expected)
    assert compared > 300 or not any(asked.values())
    assert violated >= 5 or not any(asked.values())


# Policies that lean on what a cluster does otherwise, and objects that make them answer, violate
# and fail.
PECULIAR = {
    "parameters of every type": """
        match: {when: "object.spec.x in params.known"}
        params: {known: [1, 2.5, a, null], limits: {low: 1, high: 9.5}, none: null}
        validations:
          - {expression: "object.spec.x == params.none || object.spec.x >= params.limits.low",
             message: low, messageExpression: "'low: ' + object.spec.y"}
          - {expression: "object.spec.x <= params.limits['high']", message: high,
             messageExpression: object.spec.x}
        """,
    "answers that are no bool": """
        matchConditions: [{name: on, expression: object.spec.x}]
        validations:
          - {expression: object.spec.y, message: y}
          - {expression: "object.spec.y ? object.spec.z : true", message: z}
        """,
    "variables of every type": """
        params: {a: 1}
        variables:
          - {name: size, expression: "size(object.spec.x)"}
          - {name: broken, expression: "1 / (variables.size - params.a)"}
          - {name: same, expression: variables.broken}
        validations:
          - {expression: "variables.size == 1.0 || variables.size < 3.5", message: sized}
          - {expression: "variables.size == 3 || variables.same >= 1", message: broken}
        """,
    "errors that are absorbed": """
        matchConditions:
          - {name: fails, expression: "object.spec.gone == 1"}
          - {name: x, expression: "object.spec.x != 'a'"}
        validations: [{expression: "object.spec.gone == 1 || object.spec.y", message: gone}]
        """,
    "loops and names": """
        params: {object: [1, 2], x: 2}
        validations:
          - {expression: "params.object.exists(params, params == object.spec.x)", message: loop}
          - {expression: "has(object.spec.y) || [params.x].all(x, x == object.spec.x)", message: x}
        """,
}
VALUES = [1, 2, 2.5, 0, True, False, None, "a", "true", [], [1], [1, 2, 3], {}, {"a": 1}]


def objects() -> Iterator[dict[str, Any]]:
    yield {}
    for x in VALUES:
        yield {"x": x}
        for y in (True, False, 1, "text"):
            yield {"x": x, "y": y, "z": x}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("case", PECULIAR)
def test_on_objects_that_no_schema_has_seen(case: str) -> None:
    (rule,) = rules(PECULIAR[case])
    (manifest,) = policies(compiled(PECULIAR[case]))
    cluster, world = ClusterPolicy(manifest, 29), World(load_estate({}), NOW)
    seen = set[Answer]()
    for spec in objects():
        raw = {"apiVersion": "x", "kind": "Route", "metadata": {"name": "x"}, "spec": spec}
        document = replace(rule.document, kind="Route", name="x", raw=raw)
        found = cluster.ask(raw)
        expected = of_the_gate(rule, document, world)
        assert sorted(found.violations) == expected, spec
        seen.add(found)
    assert {bool(one.violations) for one in seen} == {True, False}


def test_the_old_object_is_there_for_both() -> None:
    spec = """
        match: {when: oldObject != null}
        validations: [{expression: "object.spec.tier <= oldObject.spec.tier", message: raised}]
        """
    (manifest,) = policies(compiled(spec))
    cluster = ClusterPolicy(manifest, 29)
    low, high = {"spec": {"tier": 1}}, {"spec": {"tier": 2}}
    assert cluster.ask(low) == Answer(asked=False)
    assert cluster.ask(low, high) == Answer(asked=True)
    assert cluster.ask(high, low) == Answer(asked=True, violations=("raised",))


def test_a_cluster_that_lacks_a_library_would_not_compile_it() -> None:
    """The environment of these tests is as narrow as that of a cluster."""
    (manifest,) = policies(
        compiled(
            'validations: [{expression: "sets.contains([1], object.x)", message: no}]',
            version="1.30",
        )
    )
    ClusterPolicy(manifest, 30)
    with pytest.raises(RuntimeError, match="undeclared reference to 'sets'"):
        ClusterPolicy(manifest, 29)
    manifest["spec"]["validations"] = [{"expression": "params.x == 1", "message": "no"}]
    with pytest.raises(RuntimeError, match=r"undeclared reference to 'params\.x'"):
        ClusterPolicy(manifest, 30)
