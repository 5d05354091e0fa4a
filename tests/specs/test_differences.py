"""What is declared otherwise, and whether it is more than a description."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.specs.differences import differences
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from ordain.specs.documents import Document, LoadedEstate
    from tests.specs.conftest import Load

HEAD = "apiVersion: ordain.dev/v1\nkind: {0}\nmetadata: {{name: {1}}}\nspec:\n"
PUBLIC = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExampleOnlyExampleOnlyExampleOnlyExample000"
KEY = f"{{keys: [{{public: {PUBLIC}}}]}}"


def told(old: Document, new: Document) -> list[str]:
    """Each difference as one line."""
    return [
        f"{one.field}: {one.before!r} -> {one.after!r}{'' if one.material else ' (metadata)'}"
        for one in differences(old, new)
    ]


def lone(kind: str, name: str, spec: str) -> Document:
    """A document of an estate that has nothing else."""
    text = HEAD.format(kind, name) + spec
    estate: LoadedEstate = load_estate({"specs/one.yaml": text.encode()})
    return estate.documents[f"{kind}/{name}"]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("tier: 2", "tier: 1", ["spec.tier: 2 -> 1 (metadata)"]),
        ("tier: 2", "tier: 2 # as before", []),
        ("training: {", "training: {seed: 7, ", []),
        ("training: {", "training: {seed: 8, ", ["spec.training.seed: 7 -> 8"]),
        (
            "{name: credit}",
            "{name: credit, labels: {line: retail}}",
            ["metadata.labels: None -> {'line': 'retail'} (metadata)"],
        ),
        (
            "  decision: {threshold: 0.3}",
            "",
            ["spec.decision: {'threshold': 0.3} -> None"],
        ),
        (
            "  tier: 2",
            "  tier: 2\n  features: {exclude: [income]}",
            ["spec.features.exclude: [] -> ['income']"],
        ),
    ],
)
def test_what_means_something_else_is_a_difference_and_nothing_more(
    load: Load, files: dict[str, str], before: str, after: str, expected: list[str]
) -> None:
    text = files["specs/model.yaml"]
    assert before in text
    changed = load({"specs/model.yaml": text.replace(before, after)})
    assert told(load().documents["Model/credit"], changed.documents["Model/credit"]) == expected


def test_a_description_below_a_material_field_stays_a_description(
    load: Load, files: dict[str, str]
) -> None:
    text = files["specs/dataset.yaml"].replace(
        "income: {type: float}", "income: {type: float, unit: EUR, range: [0, 9]}"
    )
    changed = load({"specs/dataset.yaml": text})
    key = "Dataset/applications"
    assert told(load().documents[key], changed.documents[key]) == [
        "spec.columns.income.unit: '' -> 'EUR' (metadata)",
        "spec.columns.income.range: None -> [0.0, 9.0]",
    ]


def rules(*amounts: int) -> Document:
    rows = [
        f"    - when: {{field: amount, op: gt, value: {amount}}}\n      to: [{{deployment: a}}]\n"
        for amount in amounts
    ]
    spec = "  endpoint: /v1/a\n  default: {deployment: a}\n" + ("  rules:\n" if rows else "")
    return lone("Route", "a", spec + "".join(rows))


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((1, 2), (1, 3), ["spec.rules.1.when.value"]),
        ((1, 2), (9, 1, 2), ["spec.rules.0"]),
        ((1, 2, 3), (1, 3), ["spec.rules.1"]),
        ((1, 2), (2, 1), ["spec.rules.0.when.value", "spec.rules.1.when.value"]),
        ((1, 1), (1, 1, 1), ["spec.rules.2"]),
        ((1,), (1,), []),
    ],
)
def test_entries_without_a_name_are_told_apart_by_their_place(
    before: tuple[int, ...], after: tuple[int, ...], expected: list[str]
) -> None:
    found = differences(rules(*before), rules(*after))
    assert [one.field for one in found] == expected
    assert all(one.material for one in found)


def people(*rows: str) -> Document:
    listed = "".join(f"    - {row}\n" for row in rows)
    return lone("Organization", "people", f"  people:\n{listed}  reconciler: {KEY}\n")


def test_entries_with_a_name_are_told_apart_by_it() -> None:
    manager, cto = (
        "{name: manager, roles: [manager], team: a}",
        "{name: cto, roles: [cto], team: a}",
    )
    before = people(manager, cto)
    after = people(cto, manager.replace("[manager]", "[manager, cto]"))
    assert told(before, after) == ["spec.people.manager.roles: ['manager'] -> ['manager', 'cto']"]
    assert told(before, people(manager)) == [
        "spec.people.cto: {'name': 'cto', 'roles': ['cto'], 'team': 'a'} -> None"
    ]


@given(st.lists(st.integers(0, 3), max_size=5), st.lists(st.integers(0, 3), max_size=5))
def test_two_lists_differ_where_they_do_and_never_twice_in_one_place(
    before: list[int], after: list[int]
) -> None:
    found = [one.field for one in differences(rules(*before), rules(*after))]
    assert bool(found) == (before != after)
    assert len(set(found)) == len(found)
