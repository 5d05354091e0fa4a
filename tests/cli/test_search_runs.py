"""What a search has tried is told by `ordain runs`, while it is remembered why."""

from __future__ import annotations

import json
import re
import shutil

import pytest
from places import Place

pytestmark = [pytest.mark.training, pytest.mark.timeout(120)]

MODEL = "malignancy"
MODEL_FILE = "specs/models/malignancy.yaml"
NAMED = "estimator: logistic_regression\n    parameters: {C: 0.5, max_iter: 2000}"
SEARCH = "automl: {families: [logistic_regression], budget: {trials: 3}, folds: 2}"


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A clinic in which an estimator was tried, and then a search; to be looked at only."""
    root = tmp_path_factory.mktemp("clinic")
    place = Place(root, root / "estate")
    place.ordain("init", str(place.estate), "--example", "clinic", "--port", "0", at=root)
    shutil.rmtree(place.home / "keys")
    place.ordain("train", "--progress", "none")
    place.edit(MODEL_FILE, NAMED, SEARCH)
    refused = place.ordain("train", "--progress", "none", expect=2)
    assert "training.automl: optuna is not in the environment lock" in refused.stderr
    place.ordain("lock")
    place.ordain("train", "--progress", "none")
    return place


def test_a_run_shows_its_trials_and_which_was_chosen(searched: Place) -> None:
    shown = searched.ordain("runs", "show", MODEL).stdout
    assert re.search(
        r"^TRIAL +FAMILY +STATE +SCORE +SECONDS +PARAMETERS OR REASON$", shown, re.MULTILINE
    )
    rows = re.findall(r"^\d\*? +logistic_regression +(?:done|stopped) ", shown, re.MULTILINE)
    assert len(rows) == 3
    assert len(re.findall(r"^\d\* ", shown, re.MULTILINE)) == 1
    assert re.search(r"^estimator +logistic_regression$", shown, re.MULTILINE)
    assert re.search(r'^parameters +\{"C": ', shown, re.MULTILINE)
    assert all(len(line) <= 100 for line in shown.splitlines() if "/" not in line)


def test_programs_get_every_trial(searched: Place) -> None:
    found = json.loads(searched.ordain("runs", "show", MODEL, "-o", "json").stdout)
    assert [one["number"] for one in found["trials"]] == [1, 2, 3]
    assert found["search"]["chosen"]["number"] in {1, 2, 3}
    assert "trials.json" in found["files"]


def test_a_search_is_compared_with_what_was_named_before(searched: Place) -> None:
    runs = json.loads(searched.ordain("runs", "list", "-o", "json").stdout)["runs"]
    after, before = next(one for one in runs if one["state"] == "done"), runs[-1]
    said = searched.ordain("runs", "compare", before["id"], after["id"], "-o", "json").stdout
    found = {one["what"]: (one["before"], one["after"]) for one in json.loads(said)["search"]}
    assert found["trials"] == (None, 3)
    assert found["chosen"] == (None, "logistic_regression")
    shown = searched.ordain("runs", "compare", before["id"], after["id"]).stdout
    assert re.search(r"^SEARCH +BEFORE +AFTER$", shown, re.MULTILINE)
