"""The processes that a reconciler starts take no code and no token from where it stands."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ordain.policies.lookups import recipe_in
from ordain.reconciler.drivers import LocalDriver
from ordain.reconciler.gating import read_side
from ordain.reconciler.jobs import Job
from ordain.runtime.serving import client
from ordain.runtime.serving.errors import ServerConfigError
from ordain.runtime.surroundings import surroundings
from ordain.runtime.training.order import Job as Order
from tests.reconciler.conftest import MODEL

if TYPE_CHECKING:
    from pathlib import Path

    from tests.reconciler.conftest import Bench

# Every Python that imports this leaves what it was started with.
EVIL = """\
import os
from pathlib import Path
Path({told!r}).write_text(os.environ.get("ORDAIN_GITHUB_TOKEN", "no token"))
raise SystemExit(0)
"""


def order(bench: Bench) -> Order:
    """One whose lock is not that of its recipe, so that it ends where it would begin to train."""
    source = bench.source()
    side = read_side(source, source.head())
    recipe = recipe_in(side.estate, MODEL, side.tree)
    assert recipe is not None
    document = side.estate.documents[f"Model/{MODEL}"]
    dataset = side.estate.documents[f"Dataset/{document.spec.dataset}"]
    return Order(
        model=MODEL,
        spec=document.spec,
        dataset=dataset.name,
        data=dataset.spec,
        recipe=recipe,
        environment="",
        store=source.home.artifacts,
        champion=None,
        tool="0",
    )


def stand_among(evil: Path, told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a work tree whose modules have the names of those that every process imports."""
    evil.mkdir()
    for name in ("argparse", "json", "numpy", "traceback"):
        (evil / f"{name}.py").write_text(EVIL.format(told=str(told)))
    monkeypatch.chdir(evil)
    monkeypatch.setenv("ORDAIN_GITHUB_TOKEN", "a-token-of-the-forge")


def test_training_runs_no_code_of_the_work_tree(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(order(bench))
    told = tmp_path / "told"
    stand_among(tmp_path / "evil", told, monkeypatch)
    outcome = LocalDriver(bench.source().home, lambda: bench.now).train(job, lambda _: None)
    assert not told.exists()
    assert outcome.summary == f"model {MODEL}: the recipe names another environment"


def test_an_empty_entry_of_the_path_of_code_is_no_way_in(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(order(bench))
    told = tmp_path / "told"
    known = os.environ.get("PYTHONPATH", "")
    stand_among(tmp_path / "evil", told, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}{known}")
    LocalDriver(bench.source().home, lambda: bench.now).train(job, lambda _: None)
    assert not told.exists()


def test_serving_runs_no_code_of_the_work_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "told"
    known = os.environ.get("PYTHONPATH", "")
    stand_among(tmp_path / "evil", told, monkeypatch)
    monkeypatch.setenv("PYTHONPATH", f"{os.pathsep}{known}")
    rundir = tmp_path / "run"
    rundir.mkdir()
    with pytest.raises(ServerConfigError):
        client.start(rundir, {}, timeout=5)
    assert not told.exists()


def test_a_child_holds_nothing_to_speak_with() -> None:
    given = {
        "PATH": "/usr/bin",
        "HOME": "/home/ordain",
        "HTTPS_PROXY": "http://proxy:3128",
        "TOKENIZERS_PARALLELISM": "false",
        "ORDAIN_HOME": "/srv/ordain",
        "RUNNER_TRACKING_ID": "",
    }
    secret = (
        "ORDAIN_GITHUB_TOKEN",
        "ORDAIN_GITHUB_APP_ID",
        "ORDAIN_GITHUB_APP_KEY",
        "ORDAIN_GITLAB_TOKEN",
        "ORDAIN_ASKED_TOKEN",
        "GITHUB_TOKEN",
        "GITHUB_ENV",
        "GH_TOKEN",
        "ACTIONS_RUNTIME_URL",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "AWS_SECRET_ACCESS_KEY",
        "SSH_AUTH_SOCK",
        "GIT_ASKPASS",
        "GIT_CONFIG_VALUE_0",
    )
    numeric = ("OMP_NUM_THREADS", "OPENBLAS_CORETYPE", "MKL_CBWR", "NPY_DISABLE_CPU_FEATURES")
    assert surroundings(given | dict.fromkeys((*secret, *numeric), "x")) == given


def test_places_of_code_are_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    found = surroundings({"PYTHONPATH": os.pathsep.join(("", "src", "/opt/lib"))})
    assert found["PYTHONPATH"] == os.pathsep.join((str(tmp_path / "src"), "/opt/lib"))
