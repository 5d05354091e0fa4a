"""A real Kubernetes control plane: etcd and kube-apiserver on loopback, for one test session.

No kubelet runs, so nothing is ever started; what is tested is that a real server takes the objects.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START_SECONDS = 60


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def service_account_key() -> bytes:
    """The key that the server signs tokens with."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


@dataclass
class Answer:
    """What the server said."""

    status: int
    body: dict[str, Any]


@dataclass
class ControlPlane:
    """The running programs, and HTTP to the API server as its administrator."""

    assets: Path
    directory: Path
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    url: str = ""

    def start(self) -> None:
        client, peer, secure = free_ports(3)
        account = self.directory / "account.pem"
        account.write_bytes(service_account_key())
        tokens = self.directory / "tokens.csv"
        tokens.write_text(f'{self.token},admin,admin,"system:masters"\n')
        etcd = f"http://127.0.0.1:{client}"
        self._run(
            "etcd",
            f"--data-dir={self.directory / 'etcd'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        )
        self._await(f"{etcd}/health")
        self._run(
            "kube-apiserver",
            f"--etcd-servers={etcd}",
            f"--secure-port={secure}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            f"--cert-dir={self.directory / 'certificates'}",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={account}",
            f"--service-account-signing-key-file={account}",
            "--authorization-mode=RBAC",
            f"--token-auth-file={tokens}",
            "--disable-admission-plugins=ServiceAccount",
        )
        self.url = f"https://127.0.0.1:{secure}"
        self._await(f"{self.url}/readyz")

    def stop(self) -> None:
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def call(self, method: str, path: str, body: object = None, content_type: str = "") -> Answer:
        """One request; a refusal is an answer too."""
        request = urllib.request.Request(  # noqa: S310 - our own server on loopback
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": content_type},
        )
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._trust()) as answer:  # noqa: S310
                return Answer(answer.status, json.load(answer))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, json.load(error))

    def _trust(self) -> ssl.SSLContext:
        """The server made its own certificate; it is the only one that is believed."""
        return ssl.create_default_context(cafile=self.directory / "certificates" / "apiserver.crt")

    def _run(self, name: str, *arguments: str) -> None:
        with (self.directory / f"{name}.log").open("wb") as log:
            self.processes.append(
                subprocess.Popen(
                    [str(self.assets / name), *arguments],
                    cwd=self.directory,
                    env={"PATH": os.environ["PATH"], "HOME": str(self.directory)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            )

    def _await(self, url: str) -> None:
        """Ask until the program answers; it tells nobody when it is ready."""
        end = time.monotonic() + START_SECONDS
        headers = {"Authorization": f"Bearer {self.token}"} if url.startswith("https") else {}
        pause = threading.Event()
        while time.monotonic() < end:
            if self.processes[-1].poll() is not None:
                break
            with contextlib.suppress(OSError):
                # The certificate does not exist before the server has started.
                trust = self._trust() if headers else None
                request = urllib.request.Request(url, headers=headers)  # noqa: S310
                with urllib.request.urlopen(request, timeout=2, context=trust):  # noqa: S310
                    return
            pause.wait(0.05)
        logs = "\n".join(path.read_text()[-2000:] for path in self.directory.glob("*.log"))
        pytest.fail(f"{url} does not answer:\n{logs}")


@pytest.fixture(scope="session")
def control_plane(
    kube_assets: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ControlPlane]:
    plane = ControlPlane(kube_assets, tmp_path_factory.mktemp("control-plane"))
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()
