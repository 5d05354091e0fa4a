"""The estates that ship with ordain: green from the first commit, and their data real or seeded."""

from __future__ import annotations

import csv
import json
import shutil
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest
from places import Place

from ordain.cli.founding import EXAMPLES
from ordain.examples import synthetic
from ordain.runtime.reasons.codes import read_reason_codes
from ordain.specs.estates import load_estate
from ordain.specs.features import feature_names
from ordain.specs.trees import WorkTree

if TYPE_CHECKING:
    from pathlib import Path

TARGETS = {"credit-union": "default_12m", "clinic": "malignant"}


@pytest.fixture(scope="module", params=EXAMPLES)
def founded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Each example, as `ordain init` leaves it."""
    root = tmp_path_factory.mktemp(request.param)
    place = Place(root, root / request.param)
    place.ordain("init", str(place.estate), "--example", request.param, at=root)
    return place


def features(place: Place) -> dict[str, tuple[str, ...]]:
    """The columns that each model learns from, by its file of reason codes."""
    estate = load_estate(WorkTree(place.estate))
    found = {}
    for model in estate.all("Model"):
        dataset = estate.get("Dataset", model.spec.dataset)
        assert dataset is not None
        names = feature_names(model.spec.features, dataset.spec)
        found[model.spec.explanation.reasons] = names
    return found


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_there_is_nothing_to_say_about_a_new_estate(founded: Place) -> None:
    report: dict[str, Any] = json.loads(founded.ordain("check", "-o", "json").stdout)
    assert report["findings"] == []
    assert report["summary"]["files"] >= 8


def test_an_example_passes_the_pack_of_the_supply_chain(founded: Place, tmp_path: Path) -> None:
    copy = Place(tmp_path, tmp_path / "estate")
    shutil.copytree(founded.estate, copy.estate)
    file = copy.estate / "policies" / "packs.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        "apiVersion: ordain.dev/v1\nkind: PolicySet\nmetadata: {name: packs}\n"
        "spec: {packs: [{name: baseline}, {name: supply-chain}]}\n"
    )
    report: dict[str, Any] = json.loads(copy.ordain("check", "-o", "json").stdout)
    assert report["findings"] == []


def test_the_first_commit_holds_everything(founded: Place) -> None:
    assert founded.git("status", "--porcelain") == ""
    assert founded.git("rev-list", "--count", "HEAD") == "1\n"


def test_no_placeholder_is_left(founded: Place) -> None:
    assert not list(founded.estate.rglob("*.in"))
    assert "@key:" not in (founded.estate / "specs/organization.yaml").read_text()


def test_every_person_and_the_reconciler_has_a_key_of_their_own(founded: Place) -> None:
    (organization,) = load_estate(WorkTree(founded.estate)).all("Organization")
    people = [key.public for person in organization.spec.people for key in person.keys]
    machine = [key.public for key in organization.spec.reconciler.keys]
    assert len({*people, *machine}) == 4


def test_every_feature_has_a_reason(founded: Place) -> None:
    """What a person is told must not depend on which feature weighed most."""
    for path, names in features(founded).items():
        codes = read_reason_codes((founded.estate / path).read_bytes(), path)
        explained = [feature for code in codes.codes for feature in code.features]
        assert sorted(explained) == sorted(names)


@pytest.mark.training
def test_the_data_is_pinned_to_what_is_there(founded: Place) -> None:
    for dataset in load_estate(WorkTree(founded.estate)).all("Dataset"):
        assert dataset.spec.digest.startswith("sha256:")
        done = founded.ordain("pin", dataset.name)
        assert done.stdout.startswith(f"= {dataset.name} {dataset.spec.digest} (")


def test_the_outcome_has_two_values(founded: Place) -> None:
    (file,) = [path for path in (founded.estate / "data").iterdir() if path.stem != "downturn"]
    assert {row[TARGETS[founded.estate.name]] for row in rows(file)} == {"0", "1"}


@pytest.mark.training
def test_the_clinic_is_the_data_of_scikit_learn(founded: Place) -> None:
    from sklearn.datasets import load_breast_cancer

    file = founded.estate / "data/biopsies.csv"
    if founded.estate.name == "clinic":
        found, known = rows(file), load_breast_cancer()
        assert len(found) == 569
        assert [float(row["mean_radius"]) for row in found] == known.data[:, 0].tolist()
        assert sum(int(row["malignant"]) for row in found) == 212
    else:
        assert not file.exists()


@pytest.mark.training
def test_the_synthetic_data_is_what_its_seed_draws() -> None:
    """Byte for byte, so that nobody has to believe where the rows came from."""
    root = resources.files("ordain.examples") / "credit-union"
    drawn = synthetic.files()
    for path, text in drawn.items():
        assert (root / path).read_bytes() == text.encode()
    shipped = {f"data/{file.name}" for file in (root / "data").iterdir()}
    assert shipped == set(drawn)


def test_the_policies_of_an_example_have_tests_that_pass_and_nothing_is_odd_about_them(
    founded: Place,
) -> None:
    if any((founded.estate / "policies").glob("*.yaml")):
        assert " passed\n" in founded.ordain("test").stdout
    founded.ordain("lint", "--fail-on", "note")
