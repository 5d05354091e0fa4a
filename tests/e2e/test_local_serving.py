"""What goes wrong on a machine that serves: one clear error, nothing half done, a way back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from places import Place, post

from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.runtime.serving import client

pytestmark = pytest.mark.e2e

Copy = Callable[[Path], Place]
ROUTE = "/v1/malignancy"


@contextmanager
def somebody_listens() -> Iterator[int]:
    """Another program on a port of this machine."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def use_port(place: Place, port: int) -> None:
    """Declare a port, with the approval that a change of the Estate needs."""
    place.git("checkout", "--quiet", "-b", "fixed-port")
    place.edit("ordain.yaml", "port: 0", f"port: {port}")
    place.commit("Serve on a fixed port")
    place.git("checkout", "--quiet", "main")
    place.ordain("proposals", "approve", "fixed-port", "--as", "cto")
    place.ordain("proposals", "merge", "fixed-port", "--as", "manager")


def stages(place: Place) -> list[str]:
    """What is left to do, by the names of the stages."""
    plan = place.root / "plan.json"
    place.ordain("plan", "--out", str(plan))
    return [one["stage"] for one in json.loads(plan.read_bytes())["stages"]]


def status(place: Place) -> dict[str, Any]:
    (found,) = place.home.glob("run/*/status.json")
    said: dict[str, Any] = json.loads(found.read_bytes())
    return said


def artifact(place: Place) -> str:
    """The digest of the artifact that the deployment pins, as git says."""
    text = (place.estate / "specs/versions/malignancy/1.yaml").read_text()
    line = next(line for line in text.splitlines() if "artifact:" in line)
    return str(json.loads(line.partition(":")[2]))


def blob(place: Place, digest: str) -> Path:
    name = digest.removeprefix("sha256:")
    return place.home / "artifacts/sha256" / name[:2] / name[2:]


def spoilt(place: Place) -> tuple[Path, bytes]:
    """Change a byte of the pinned artifact; gives the file and what it held."""
    manifest = json.loads(blob(place, artifact(place)).read_bytes())
    plan = blob(place, manifest["members"]["plan.json"]["digest"])
    original = plan.read_bytes()
    plan.chmod(0o644)
    plan.write_bytes(original.replace(b"1", b"2", 1))
    return plan, original


# The port


def test_a_port_in_use_is_one_clear_error_and_the_next_pass_serves(
    merged: Path, copy: Copy
) -> None:
    place = copy(merged)
    with somebody_listens() as port:
        use_port(place, port)
        done = place.ordain("reconcile", "--once", expect=2)
        (line,) = [one for one in done.stdout.splitlines() if one.startswith("  !!")]
        assert f"port {port} of 127.0.0.1 is in use by another program" in line
        assert "free the port, or give the environment another one" in line
        assert client.status(place.home / "run/production") is None
        assert stages(place) == ["Serve"]
    assert "serving on" in place.ordain("reconcile", "--once").stdout
    assert status(place)["port"] == port
    assert post(place.address() + ROUTE, {})[0] == 401


def test_a_new_port_that_is_in_use_leaves_the_old_one_serving(merged: Path, copy: Copy) -> None:
    place = copy(merged)
    place.ordain("reconcile", "--once")
    before = place.address()
    with somebody_listens() as port:
        use_port(place, port)
        done = place.ordain("reconcile", "--once", expect=2)
        assert "in use" in done.stdout
        assert place.address() == before
        assert post(before + ROUTE, {})[0] == 401
    place.ordain("reconcile", "--once")
    assert place.address().endswith(f":{port}")
    assert post(place.address() + ROUTE, {})[0] == 401


# The artifact


def test_a_lost_artifact_is_rebuilt_with_the_same_digest(merged: Path, copy: Copy) -> None:
    place = copy(merged)
    digest = artifact(place)
    before = blob(place, digest).read_bytes()
    blob(place, digest).unlink()
    assert stages(place) == ["Rebuild", "Serve"]
    done = place.ordain("reconcile", "--once")
    assert "the artifact is back, byte for byte" in done.stdout
    assert blob(place, digest).read_bytes() == before
    assert post(place.address() + ROUTE, {})[0] == 401
    assert "No changes" in place.ordain("reconcile", "--once").stdout


def test_a_changed_artifact_is_made_again_before_it_is_served(merged: Path, copy: Copy) -> None:
    place = copy(merged)
    plan, original = spoilt(place)
    done = place.ordain("reconcile", "--once")
    assert "the artifact is back, byte for byte" in done.stdout
    assert "serving on" in done.stdout
    assert plan.read_bytes() == original


def test_a_changed_artifact_that_cannot_be_made_again_is_not_served(
    merged: Path, copy: Copy
) -> None:
    place = copy(merged)
    place.edit("specs/models/malignancy.yaml", "seed: 7", "seed: 8")
    place.commit("Another seed")
    plan, original = spoilt(place)
    done = place.ordain("reconcile", "--once", expect=2)
    assert (
        "(ArtifactMissing): the artifact of malignancy@1 is missing from the store or was changed"
        in done.stdout
    )
    assert "never use these bytes" in done.stdout
    assert client.status(place.home / "run/production") is None
    plan.chmod(0o644)
    plan.write_bytes(original)
    assert "serving on" in place.ordain("reconcile", "--once").stdout


def test_an_artifact_that_is_changed_while_it_serves_does_not_come_back_into_service(
    merged: Path, copy: Copy
) -> None:
    """The worker that dies is not replaced by one with other bytes; the next pass mends it."""
    place = copy(merged)
    place.ordain("reconcile", "--once")
    plan, original = spoilt(place)
    (worker,) = status(place)["workers"]
    os.kill(worker["pid"], signal.SIGKILL)
    ill = client.watch(
        place.home / "run/production", lambda said: said is not None and said.error is not None
    )
    assert ill is not None
    assert ill.error is not None
    assert "never use these bytes" in ill.error.remedy
    standing = json.loads(place.ordain("status", "-o", "json").stdout)
    assert standing["models"][0]["health"] == "Degraded"
    done = place.ordain("reconcile", "--once")
    assert "the artifact is back, byte for byte" in done.stdout
    assert plan.read_bytes() == original
    assert post(place.address() + ROUTE, {})[0] == 401
    assert "No changes" in place.ordain("reconcile", "--once").stdout


# Down


def test_down_stops_what_serves_and_the_next_pass_starts_it_again(merged: Path, copy: Copy) -> None:
    place = copy(merged)
    place.ordain("reconcile", "--once")
    address = place.address()
    assert "Stopped serving of production." in place.ordain("down").stdout
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(address + "/healthz", timeout=5)  # noqa: S310 - loopback
    assert "Nothing is served here." in place.ordain("down").stdout
    assert stages(place) == ["Serve"]
    place.ordain("reconcile", "--once")
    assert post(place.address() + ROUTE, {})[0] == 401
    place.ordain("audit", "verify")


# The disk

_LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from ordain.cli import main
main(sys.argv[1:])
"""


def on_a_full_disk(place: Place, size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command that can write files of so many bytes; a full disk gives the same answer."""
    return subprocess.run(
        [sys.executable, "-c", _LIMITED, str(size), *arguments],
        cwd=place.estate,
        env=place.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("size", [1_000, 20_000, 45_000, 70_000])
def test_a_full_disk_is_one_clear_error_and_space_is_all_it_takes(
    trained: Path, copy: Copy, size: int
) -> None:
    """The disk is full before anything is remembered, and later and later in the pass."""
    place = copy(trained)
    done = on_a_full_disk(place, size, "reconcile", "--once")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "defect in ordain" not in done.stderr
    assert f"the state store {place.home / 'state.db'} failed" in done.stderr
    assert "= help: check space and permissions" in done.stderr
    assert "proposed as malignancy-1" in place.ordain("reconcile", "--once").stdout
    assert "missing or changed" in place.ordain("audit", "verify").stdout


def test_a_record_that_cannot_grow_stops_the_pass_before_it_acts(merged: Path, copy: Copy) -> None:
    place = copy(merged)
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    long = Event(moment, "test", "test.happened", "thing", {"text": "x" * 1000})
    Ledger(place.home / "ledger").record(*[long] * 300)
    (segment,) = place.home.glob("ledger/control/*.jsonl")
    done = on_a_full_disk(place, segment.stat().st_size + 10, "reconcile", "--once")
    assert done.returncode == 2, done.stdout + done.stderr
    assert str(segment) in done.stderr
    assert "Traceback" not in done.stderr
    assert client.status(place.home / "run/production") is None
    assert "serving on" in place.ordain("reconcile", "--once").stdout
    assert "missing or changed" in place.ordain("audit", "verify").stdout
