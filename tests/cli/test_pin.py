"""`ordain pin`: rows into the store, their digest into the document, and who says so."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING

import pytest

from ordain.runtime.artifacts import ArtifactStore
from ordain.specs.estates import load_estate
from ordain.specs.trees import WorkTree

if TYPE_CHECKING:
    from pathlib import Path

    from places import Place

    from ordain.specs.kinds.dataset import Dataset

pytestmark = pytest.mark.training

DATASET = "specs/datasets/applications.yaml"
DATA = "data/applications.csv"
ZEROS = f"sha256:{'0' * 64}"


def declared(place: Place) -> Dataset:
    (found,) = load_estate(WorkTree(place.estate)).all("Dataset")
    spec: Dataset = found.spec
    return spec


def unpin(place: Place) -> str:
    """Put another digest into the document; returns the right one."""
    file = place.estate / DATASET
    digest = declared(place).digest
    assert digest is not None
    file.write_text(file.read_text().replace(digest, ZEROS))
    return digest


def snapshots(place: Place) -> list[Path]:
    return sorted((place.home / "artifacts").rglob("snapshots/*"))


def blob(place: Place) -> Path:
    (row,) = json.loads(place.ordain("pin", "-o", "json").stdout)
    return ArtifactStore(place.home / "artifacts").path(row["snapshot"])


@pytest.mark.e2e
def test_pinning_keeps_the_rows_and_writes_the_digest(place: Place) -> None:
    digest = unpin(place)
    before = (place.estate / DATASET).read_text()
    done = place.ordain("pin", "applications")
    assert done.stdout.splitlines() == [
        f"~ applications {digest} (6000 rows, signed by data-scientist)",
        "Next: commit the change, then ordain check",
    ]
    assert (place.estate / DATASET).read_text() == before.replace(ZEROS, digest)
    assert [one.name for one in snapshots(place)] == [f"{digest.removeprefix('sha256:')}.json"]
    again = place.ordain("pin")
    first = done.stdout.splitlines()[0].replace("~", "=")
    assert again.stdout.splitlines() == [first, "Next: ordain check"]


def test_a_dry_run_says_it_and_leaves_everything(place: Place) -> None:
    digest = unpin(place)
    before = (place.estate / DATASET).read_text()
    done = place.ordain("pin", "--dry-run")
    assert done.stdout.splitlines() == [
        f"~ applications {digest} (6000 rows, not kept)",
        "Next: ordain pin applications",
    ]
    assert (place.estate / DATASET).read_text() == before
    assert snapshots(place) == []


def test_programs_get_json(place: Place) -> None:
    digest = unpin(place)
    (row,) = json.loads(place.ordain("pin", "-o", "json").stdout)
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", row.pop("snapshot"))
    assert row == {
        "dataset": "applications",
        "digest": digest,
        "changed": {"digest": digest},
        "rows": 6000,
        "signedBy": "data-scientist",
    }


@pytest.mark.e2e
def test_the_person_who_is_named_signs(place: Place) -> None:
    done = place.ordain("pin", "--as", "manager")
    assert done.stdout.splitlines()[0].endswith("(6000 rows, signed by manager)")
    checked = place.ordain("pin", "--check")
    assert checked.stdout.splitlines()[0].endswith("(6000 rows, signed by manager)")


def test_the_key_of_somebody_else_signs_for_nobody(place: Place) -> None:
    key = place.home / "keys" / "cto"
    done = place.ordain("pin", "--as", "manager", "--key", str(key), expect=1)
    assert f"{key} is not a key of manager: it is the key of cto" in done.stderr
    assert snapshots(place) == []


@pytest.mark.e2e
def test_without_a_key_it_is_unsigned_and_says_so(place: Place) -> None:
    place.git("config", "--unset", "user.signingKey")
    done = place.ordain("pin")
    assert done.stdout.splitlines()[0].endswith("(6000 rows, unsigned)")
    assert done.stderr == "note: the snapshots are unsigned: git signs with no key here\n"
    assert place.ordain("pin", "--check").stdout.splitlines()[0].endswith("unsigned)")


@pytest.mark.e2e
def test_delayed_outcomes_are_known_up_to_the_day_of_the_pin(place: Place) -> None:
    unpin(place)
    place.edit(DATASET, "target: {", "target: {matureAfter: 30d, ")
    (row,) = json.loads(place.ordain("pin", "-o", "json").stdout)
    day = row["changed"]["asOf"]
    assert re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}", day)
    assert declared(place).as_of == day
    (again,) = json.loads(place.ordain("pin", "-o", "json").stdout)
    assert again["changed"] == {}


def test_what_does_not_meet_its_expectations_is_not_pinned(place: Place) -> None:
    unpin(place)
    before = (place.estate / DATASET).read_text()
    lines = (place.estate / DATA).read_text().splitlines()
    (place.estate / DATA).write_text("\n".join(lines[:1]) + "\n")
    done = place.ordain("pin", expect=2)
    assert "there are no rows" in done.stderr
    assert (place.estate / DATASET).read_text() == before
    assert snapshots(place) == []


def test_a_snapshot_that_is_not_there_is_a_difference(place: Place) -> None:
    digest = declared(place).digest
    done = place.ordain("pin", "--check", expect=1)
    problem = "the snapshot of Dataset/applications is not in the artifact store"
    assert done.stdout.splitlines() == [
        f"! applications {digest}: {problem}",
        "Next: ordain pin applications",
    ]


@pytest.mark.e2e
def test_a_changed_snapshot_is_a_difference_until_it_is_taken_again(place: Place) -> None:
    path = blob(place)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"2")
    done = place.ordain("pin", "--check", expect=1)
    assert "the snapshot of Dataset/applications was changed: the bytes under" in done.stdout
    place.ordain("pin")
    assert place.ordain("pin", "--check").stdout.startswith("= applications sha256:")


@pytest.mark.e2e
def test_the_signature_of_somebody_unknown_is_a_difference(place: Place) -> None:
    place.ordain("pin")
    (entry,) = snapshots(place)
    found = json.loads(entry.read_bytes())
    store = ArtifactStore(place.home / "artifacts")
    data = store.get(found["manifest"]).replace(b'"data-scientist"', b'"manager"')
    found["manifest"] = store.put(data)
    entry.chmod(0o644)
    entry.write_text(json.dumps(found))
    (row,) = json.loads(place.ordain("pin", "--check", "-o", "json", expect=1).stdout)
    assert row["signedBy"] is None
    assert row["problem"] == (
        "the signature does not hold: the signature does not fit the signed content"
    )


def test_before_the_first_commit_the_digest_is_all_there_is(place: Place) -> None:
    digest = unpin(place)
    shutil.rmtree(place.estate / ".git")
    place.git("init", "--quiet")
    done = place.ordain("pin")
    assert done.stdout.splitlines()[0] == f"~ applications {digest} (6000 rows, not kept)"
    assert done.stderr == "note: there is no commit yet, so no snapshot was kept\n"
    assert declared(place).digest == digest


@pytest.mark.e2e
def test_before_the_first_commit_every_option_means_the_same(place: Place) -> None:
    digest = unpin(place)
    place.edit(DATASET, "target: {", "target: {matureAfter: 30d, ")
    before = (place.estate / DATASET).read_text()
    shutil.rmtree(place.estate / ".git")
    place.git("init", "--quiet")
    place.ordain("pin", "--dry-run")
    checked = place.ordain("pin", "--check", expect=1)
    assert "is not in the artifact store" in checked.stdout
    asked = place.ordain("pin", "--as", "manager", expect=2)
    assert "nobody can sign before the first commit" in asked.stderr
    assert (place.estate / DATASET).read_text() == before
    done = place.ordain("pin", "--as-of", "2025-06-30", "-o", "json")
    (row,) = json.loads(done.stdout)
    assert row["changed"] == {"digest": digest, "asOf": "2025-06-30"}
    assert declared(place).as_of == "2025-06-30"
    lines = (place.estate / DATA).read_text().splitlines()
    (place.estate / DATA).write_text("\n".join(lines[:1]) + "\n")
    assert "there are no rows" in place.ordain("pin", expect=2).stderr


@pytest.mark.e2e
def test_a_day_that_somebody_has_written_stays(place: Place) -> None:
    """A year-old export knows nothing of the outcomes of this year."""
    digest = unpin(place)
    place.edit(DATASET, "target: {", "target: {matureAfter: 30d, ")
    place.edit(DATASET, f"digest: {ZEROS}", f"digest: {ZEROS}\n  asOf: 2025-06-30")
    (row,) = json.loads(place.ordain("pin", "-o", "json").stdout)
    assert row["changed"] == {"digest": digest}
    assert declared(place).as_of == "2025-06-30"
    done = place.ordain("pin", "--as-of", "2025-05-31")
    assert done.stdout.splitlines()[1] == "  asOf 2025-06-30 -> 2025-05-31"
    assert declared(place).as_of == "2025-05-31"
    future = place.ordain("pin", "--as-of", "2999-01-01", expect=2)
    assert "2999-01-01 is still to come, so no outcome was seen on it" in future.stderr


@pytest.mark.e2e
def test_a_day_that_was_reviewed_moves_on_with_the_content(place: Place) -> None:
    place.edit(DATASET, "target: {", "target: {matureAfter: 30d, ")
    digest = declared(place).digest
    place.edit(DATASET, f"digest: {digest}", f"digest: {ZEROS}\n  asOf: 2025-06-30")
    place.git("commit", "--quiet", "--no-verify", "--all", "--message", "Older rows")
    done = place.ordain("pin")
    assert re.fullmatch(r"  asOf 2025-06-30 -> 20\d\d-\d\d-\d\d", done.stdout.splitlines()[1])


@pytest.mark.e2e
def test_a_signature_that_does_not_hold_is_none_and_is_replaced(place: Place) -> None:
    place.ordain("pin")
    (entry,) = snapshots(place)
    found = json.loads(entry.read_bytes())
    store = ArtifactStore(place.home / "artifacts")
    data = store.get(found["manifest"]).replace(b'"data-scientist"', b'"manager"')
    found["manifest"] = store.put(data)
    entry.chmod(0o644)
    entry.write_text(json.dumps(found))
    place.ordain("pin", "--check", expect=1)
    done = place.ordain("pin")
    assert done.stdout.splitlines()[0].endswith("(6000 rows, signed by data-scientist)")
    place.ordain("pin", "--check")


def test_what_is_named_and_not_pinned_is_a_problem(place: Place) -> None:
    digest = declared(place).digest
    text = (place.estate / DATASET).read_text()
    (place.estate / DATASET).write_text(text.replace(f"  digest: {digest}\n", ""))
    assert place.ordain("pin", "--check").stdout == "Next: ordain check\n"
    done = place.ordain("pin", "--check", "applications", expect=1)
    assert done.stdout.splitlines()[0] == (
        "! applications -: the snapshot of Dataset/applications is not in the artifact store: "
        "its content is not pinned yet"
    )
    alone = place.ordain("pin", "--check", "--dry-run", expect=2)
    assert "--check reads what is pinned, and takes no other option" in alone.stderr


def test_a_terminal_is_told_how_far_it_is(place: Place) -> None:
    import pty
    import subprocess
    import sys

    leader, follower = pty.openpty()
    with os.fdopen(leader, "rb", buffering=0) as terminal:
        done = subprocess.run(
            [sys.executable, "-m", "ordain.cli", "pin"],
            cwd=place.estate,
            env=place.environment,
            stdout=subprocess.PIPE,
            stderr=follower,
            check=True,
        )
        os.close(follower)
        assert b"applications: 6,000 rows" in terminal.read(4096)
    assert b"6,000" not in done.stdout
