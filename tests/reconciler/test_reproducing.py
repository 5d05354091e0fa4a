"""What is said of a version that does not come out the same."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from ordain.reconciler.errors import NotReproducible
from ordain.reconciler.gating import read_side
from ordain.reconciler.reproducing import birth_of, reproduce
from ordain.reconciler.versions import version_named
from ordain.runtime.training.comparison import Made, differences
from ordain.specs.evidence import Evidence, Metric
from tests.reconciler.conftest import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.reconciler.reproducing import Birth
    from tests.reconciler.conftest import Bench

A, B, C = ("sha256:" + letter * 64 for letter in "abc")


def evidence(**changed: Any) -> Evidence:  # noqa: ANN401
    metric = Metric("roc_auc", "test", 0.75, 0.7, 0.8, 0.95, 100)
    plain: dict[str, Any] = {
        "model": "m",
        "recipe": A,
        "artifact": A,
        "split": B,
        "data": {},
        "metrics": (metric,),
        "fairness": (),
        "importance": (),
        "parity": {},
        "environment": {"numpy": "2", "ordain": "0.1.0"},
    }
    return Evidence(**plain | changed)


def made(**changed: Any) -> Made:  # noqa: ANN401
    plain: dict[str, Any] = {
        "artifact": A,
        "members": {"plan.json": B},
        "content": {},
        "evidence": evidence(),
    }
    return Made(**plain | changed)


def test_equal_runs_have_no_difference() -> None:
    assert differences(made(), made()) == ()


def test_another_tool_is_named_and_its_evidence_is_not_held_against_it() -> None:
    other = evidence(environment={"numpy": "2", "ordain": "0.2.0"})
    assert differences(made(), made(evidence=other)) == (
        "ordain 0.1.0 made the version, this is ordain 0.2.0",
    )


def test_the_split_comes_before_what_follows_from_it() -> None:
    metric = Metric("roc_auc", "test", 0.5, 0.7, 0.8, 0.95, 100)
    other = made(
        artifact=C, members={"plan.json": C}, evidence=evidence(split=C, metrics=(metric,))
    )
    assert differences(made(), other) == (
        f"the split was {B}, it is {C}",
        "plan.json: its bytes differ",
        "roc_auc on the test part was 0.75, it is 0.5",
    )


def test_numbers_that_differ_are_measured_where_both_are_at_hand() -> None:
    old = made(content={"plan.json": b'{"model":{"coefficients":[[1.0,2.0]],"kind":"linear"}}'})
    new = made(
        artifact=C,
        members={"plan.json": C, "more.json": C},
        content={"plan.json": b'{"model":{"coefficients":[[1.0,2.5]],"kind":"trees"}}'},
    )
    assert differences(old, new) == (
        "more.json: only the new run has it",
        (
            "plan.json: 1 number differs, by 0.5 at most (model.coefficients[0][1]); "
            "other values at model.kind"
        ),
    )


def test_evidence_that_says_something_else_of_an_equal_artifact_is_named() -> None:
    other = evidence(limitations=("something",))
    assert differences(made(), made(evidence=other)) == (
        "the artifact is equal, and the evidence says something else of it",
    )


# Against an estate


def birth(bench: Bench) -> Birth:
    source = bench.source()
    side = read_side(source, source.head())
    return birth_of(source, side, version_named(side.estate, MODEL, 1))


def test_the_commit_that_brought_a_version_is_found_behind_its_merge(bench: Bench) -> None:
    bench.promote()
    bench.owner("pathology")
    found = birth(bench)
    assert found.recipe.digest == found.version.recipe
    assert "ModelVersion/malignancy-1" in found.after.estate.documents
    assert "ModelVersion/malignancy-1" not in found.before.estate.documents


def test_other_packages_are_named_and_nothing_is_trained(bench: Bench, tmp_path: Path) -> None:
    bench.promote()
    found = birth(bench)
    lock = found.lock.replace(b"numpy==", b"numpy==0.")
    tree: Any = {**dict(found.after.tree.items()), "environment.lock": lock}
    moved = replace(found, after=replace(found.after, tree=tree))
    told = reproduce(bench.source(), moved, tmp_path / "w", lambda: bench.now, print)
    assert told.made == ""
    (one,) = told.differences
    assert one.startswith("packages: numpy is 2.")
    assert not (tmp_path / "w").exists()


def test_rows_that_cannot_be_had_are_said_to_be_missing(bench: Bench, tmp_path: Path) -> None:
    bench.promote()
    found = birth(bench)
    tree: Any = {name: data for name, data in found.after.tree.items() if "biopsies" not in name}
    (bench.estate / "data/biopsies.csv").unlink()
    moved = replace(found, after=replace(found.after, tree=tree))
    with pytest.raises(NotReproducible) as caught:
        reproduce(bench.source(), moved, tmp_path, lambda: bench.now, print)
    assert caught.value.message.startswith("the snapshot of Dataset/biopsies is not in the")
    assert caught.value.code == "REC017"
