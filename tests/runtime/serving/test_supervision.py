"""Whatever dies, callers are answered; whatever is refused, nothing has changed."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.ledger.verification import verify
from ordain.runtime.serving import client
from ordain.runtime.serving.errors import (
    AddressUnusable,
    ModelUnusable,
    NotReady,
    ServerBusy,
    ServerConfigError,
    ServerSilent,
)
from ordain.runtime.serving.status import FAMILY, LOCK, Status, held, read_status
from ordain.specs.canonical import canonical_json, digest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.serving.conftest import Place

pytestmark = pytest.mark.e2e

GOOD = {"income": 2500.0, "age": 40, "purpose": "car"}


def worker_of(status: Status | None) -> int:
    assert status is not None
    (worker,) = status.workers
    return worker.pid


def test_a_server_starts_serves_and_stops(place: Place) -> None:
    config = place.config()
    status = place.start(config)
    assert (status.state, status.config, status.host) == ("ready", digest(config), "127.0.0.1")
    assert status.port > 0
    assert place.ask(GOOD)[0] == 200
    client.stop(place.rundir)
    assert client.status(place.rundir) is None
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((status.host, status.port), timeout=5)
    client.stop(place.rundir)


def test_what_lies_in_a_run_directory_is_for_its_owner_only(place: Place) -> None:
    place.start()
    files = [place.rundir / "config.json", place.rundir / "status.json"]
    files += (place.rundir / "generations").iterdir()
    assert [file.stat().st_mode & 0o777 for file in files] == [0o600, 0o600, 0o600]


def test_a_configuration_may_lie_elsewhere(place: Place, tmp_path: Path) -> None:
    file = tmp_path / "settings" / "config.json"
    file.parent.mkdir()
    file.write_bytes(canonical_json(place.config()))
    place.rundir.mkdir()
    command = [sys.executable, "-m", "ordain.runtime.serving", str(place.rundir), "--detach"]
    subprocess.run([*command, "--config", str(file)], check=True, timeout=20)
    client.watch(place.rundir, lambda one: one is not None and one.state == "ready")
    assert place.ask(GOOD)[0] == 200
    assert not (place.rundir / "config.json").exists()
    assert [one.name for one in file.parent.iterdir()] == ["config.json"]


def test_starting_twice_changes_nothing(place: Place) -> None:
    assert place.start() == place.start()


def test_a_killed_worker_is_replaced(place: Place) -> None:
    killed = worker_of(place.start())
    first = place.ask(GOOD)[2]["id"]
    os.kill(killed, signal.SIGKILL)
    # The connection waits in the socket, which is the supervisor's, until a worker takes it.
    status, _, answer = place.ask(GOOD)
    assert status == 200
    now = client.watch(place.rundir, lambda one: one is not None and one.state == "ready")
    assert worker_of(now) != killed
    assert place.status.restarts == 1
    ledger = Ledger(place.ledger)
    assert ledger.prediction(first) is not None
    assert ledger.prediction(answer["id"]) is not None
    assert [finding for chain in verify(ledger).chains for finding in chain.findings] == []


def test_a_killed_supervisor_takes_its_workers_along_and_can_be_followed(place: Place) -> None:
    status = place.start(place.config(port=free_port()))
    os.kill(status.pid, signal.SIGKILL)
    client.watch(place.rundir, lambda one: one is None)
    # The successor waits until the socket and the ledger are free.
    again = client.start(place.rundir, place.config(port=status.port), timeout=20)
    assert again.pid != status.pid
    assert place.ask(GOOD)[0] == 200


def test_workers_of_a_killed_supervisor_leave(place: Place) -> None:
    os.kill(place.start().pid, signal.SIGKILL)
    client.stop(place.rundir, timeout=20)  # nobody to tell; waits for the family
    assert not held(place.rundir / FAMILY)


class Load:
    """Callers on connections that they keep, each counting its answers until told to stop."""

    def __init__(self, status: Status, callers: int) -> None:
        self.failed: list[str] = []
        self.versions: list[int] = []
        self._stop = threading.Event()
        self._address = (status.host, status.port)
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]
        self._answered = threading.Condition()
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        connection = http.client.HTTPConnection(*self._address, timeout=10)
        while not self._stop.is_set():
            try:
                connection.request("POST", "/v1/credit", json.dumps(GOOD))
                response = connection.getresponse()
                answer = json.loads(response.read())
            except (OSError, http.client.HTTPException) as error:
                self.failed.append(repr(error))
                return
            with self._answered:
                if response.status != 200:
                    self.failed.append(repr(answer))
                self.versions.append(answer["version"])
                self._answered.notify_all()
        connection.close()

    def after(self, count: int) -> None:
        """Wait for so many more answers."""
        with self._answered:
            wanted = len(self.versions) + count
            assert self._answered.wait_for(
                lambda: len(self.versions) >= wanted or self.failed, timeout=20
            )

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def test_replacing_under_load_drops_nothing(place: Place) -> None:
    load = Load(place.start(), 6)
    try:
        for version in (7, 8, 9):
            load.after(100)
            deployments = {
                "champion": {"model": "credit", "version": version, "artifact": place.champion}
            }
            status = client.replace(place.rundir, place.config(deployments=deployments), timeout=20)
            assert status.state == "ready"
            load.after(100)
    finally:
        load.stop()
    assert load.failed == []
    assert sorted(set(load.versions)) == [1, 7, 8, 9]
    recorded = list(Ledger(place.ledger).predictions())
    assert len(recorded) == len(load.versions)


def broken(place: Place) -> Status | None:
    missing = {"champion": {"model": "credit", "version": 2, "artifact": "sha256:" + "f" * 64}}
    with pytest.raises(NotReady) as caught:
        client.start(place.rundir, place.config(deployments=missing), timeout=20)
    assert caught.value.message == f"artifact store {place.store}: no blob sha256:{'f' * 64}"
    assert caught.value.code == "RUN110"
    return client.status(place.rundir)


def test_a_generation_that_fails_leaves_the_old_one_serving(place: Place) -> None:
    before = place.start()
    after = broken(place)
    assert after is not None
    assert (after.state, after.config, after.workers) == ("ready", before.config, before.workers)
    assert after.attempted != before.config
    assert after.error is not None
    assert after.error.code == "RUN110"
    assert place.ask(GOOD)[2]["version"] == 1


def test_a_refused_configuration_is_not_what_a_restarted_worker_reads(place: Place) -> None:
    before = worker_of(place.start())
    broken(place)
    os.kill(before, signal.SIGKILL)
    assert place.ask(GOOD)[2]["version"] == 1


def test_a_first_generation_that_fails_leaves_nothing_running(place: Place) -> None:
    assert broken(place) is None
    left = read_status(place.rundir)
    assert left is not None
    assert left.state == "failed"
    assert not held(place.rundir / FAMILY)


def test_a_model_that_does_not_answer_as_in_training_is_never_ready(
    place: Place, falsified: str
) -> None:
    deployments = {"champion": {"model": "credit", "version": 2, "artifact": falsified}}
    with pytest.raises(ModelUnusable) as caught:
        client.start(place.rundir, place.config(deployments=deployments), timeout=20)
    assert f"artifact {falsified}: parity row 0 scores 0.24" in caught.value.message


def test_a_changed_artifact_is_never_ready(place: Place) -> None:
    place.start()
    for path in place.store.rglob("*"):
        if path.is_file() and b"ordain.plan/2" in (data := path.read_bytes()):
            path.chmod(0o644)
            path.write_bytes(data.replace(b"refer", b"grant"))
    with pytest.raises(NotReady) as caught:
        client.replace(place.rundir, place.config(environment="next"), timeout=20)
    assert caught.value.code == "RUN110"
    assert place.ask(GOOD)[2]["decision"] == "approve"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def test_a_port_in_use_is_said_and_leaves_nothing_running(place: Place) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressUnusable) as caught:
            place.start(place.config(port=port))
    assert caught.value.message == f"port {port} of 127.0.0.1 is in use by another program"
    assert client.status(place.rundir) is None
    left = read_status(place.rundir)
    assert left is not None
    assert left.error is not None
    assert (left.state, left.error.code) == ("failed", "SRV103")


def test_a_host_that_is_not_ours(place: Place) -> None:
    with pytest.raises(AddressUnusable) as caught:
        place.start(place.config(host="192.0.2.1", port=8080))
    assert caught.value.message == (
        "cannot listen on port 8080 of 192.0.2.1: Cannot assign requested address"
    )


def test_another_port_takes_over_when_it_can_and_only_then(place: Place) -> None:
    before = place.start()
    with socket.create_server(("127.0.0.1", 0)) as other:
        with pytest.raises(AddressUnusable):
            client.replace(place.rundir, place.config(port=other.getsockname()[1]), timeout=20)
        assert place.status.port == before.port
        assert place.ask(GOOD)[0] == 200
    port = free_port()
    after = client.replace(place.rundir, place.config(port=port), timeout=20)
    assert (after.port, place.ask(GOOD)[0]) == (port, 200)
    client.watch(place.rundir, lambda one: one is not None and len(one.workers) == 1)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((before.host, before.port), timeout=5)


def test_a_configuration_that_cannot_be_read(place: Place) -> None:
    with pytest.raises(ServerConfigError) as caught:
        place.start(place.config(durability="some"))
    said = f"{place.rundir}/config.json: durability 'some' is not durable, bounded or async"
    assert caught.value.message == said
    place.start()
    with pytest.raises(ServerConfigError):
        client.replace(place.rundir, place.config(durability="some"), timeout=20)
    assert place.ask(GOOD)[0] == 200


def test_one_supervisor_for_one_directory(place: Place) -> None:
    place.start()
    with pytest.raises(ServerBusy) as caught:
        client._launch(place.rundir)
    assert caught.value.message == f"{place.rundir}: another supervisor runs in this directory"
    assert place.ask(GOOD)[0] == 200


def test_nothing_to_replace(tmp_path: Path) -> None:
    with pytest.raises(ServerSilent, match="no supervisor runs here"):
        client.replace(tmp_path, {})


def test_a_status_file_alone_is_no_server(place: Place) -> None:
    status = place.start()
    client.stop(place.rundir)
    status.write(place.rundir)
    assert client.status(place.rundir) is None
    assert not held(place.rundir / LOCK)


def test_the_supervisor_outlives_whoever_started_it(place: Place) -> None:
    status = place.start()
    assert os.getsid(status.pid) not in (os.getsid(0), os.getpid())


def test_secrets_are_for_the_owner_only(place: Place) -> None:
    place.start()
    assert (place.rundir / "config.json").stat().st_mode & 0o077 == 0
    assert place.rundir.stat().st_mode & 0o077 == 0
