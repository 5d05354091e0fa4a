"""What a manifest says a pod runs is run here, with its volumes as directories.

The command, the arguments, the environment and the mounts are those of the compiled objects. What
differs from a node is where paths lie and which port is free, and that is replaced in all of them
alike.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

import pytest

from ordain.cli.founding import _write_biopsies
from ordain.compilers.kubernetes import PORT, compile_kubernetes
from ordain.ledger.ledger import Ledger
from ordain.runtime.artifacts import ArtifactStore
from ordain.runtime.datasets.snapshots import Snapshots
from ordain.runtime.datasets.taking import Origin, Taker, drafted
from ordain.runtime.environment import installed, render_lock
from ordain.runtime.provenance.statements import Invocation, Produced, provenance_of, sign_statement
from ordain.runtime.serving import client
from ordain.specs.estates import load_estate
from ordain.specs.recipes import Recipe
from ordain.vcs.keys import generate_key, parse_signer

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.runtime.serving.status import Status
    from ordain.specs.documents import LoadedEstate

pytestmark = pytest.mark.e2e

ANYWHERE = "0.0.0.0"  # noqa: S104 - what a pod listens on
IMAGE = "registry.example/ordain@sha256:" + "c" * 64
Manifest = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """Claims that live as long as the test, under `root`."""

    root: Path
    port: int

    def pod(self, manifests: list[Manifest], workload: str, name: str) -> Pod:
        """The only pod of the only workload of a kind, with its volumes made."""
        (found,) = [one for one in manifests if one["kind"] == workload]
        spec = found["spec"]["template"]["spec"]
        (container,) = spec["containers"]
        volumes = {one["name"]: self._volume(one, name, manifests) for one in spec["volumes"]}
        mounts = {one["mountPath"]: volumes[one["name"]] for one in container["volumeMounts"]}
        assert all("subPath" not in one for one in container["volumeMounts"])
        pod = Pod(name, container, mounts, self)
        for one in volumes.values():
            for file in one.iterdir() if one.parent.name == "settings" else ():
                file.write_text(pod.local(file.read_text()))
        return pod

    def _volume(self, volume: Manifest, pod: str, manifests: list[Manifest]) -> Path:
        place: Path
        match volume:
            case {"persistentVolumeClaim": {"claimName": claim}}:
                place = self.root / "claims" / claim
            case {"configMap": {"name": name}}:
                place = self.root / "settings" / f"{pod}-{name}"
            case _:
                assert "emptyDir" in volume
                place = self.root / "scratch" / pod / volume["name"]
        place.mkdir(parents=True, exist_ok=True)
        if "configMap" in volume:
            (found,) = [
                one
                for one in manifests
                if one["kind"] == "ConfigMap" and one["metadata"]["name"] == name
            ]
            for file, text in found["data"].items():
                (place / file).write_text(text)
        return place


@dataclass(frozen=True)
class Pod:
    """One container, ready to be started."""

    name: str
    container: Manifest
    mounts: dict[str, Path]
    cluster: Cluster

    def local(self, text: str) -> str:
        for path, place in sorted(self.mounts.items(), reverse=True):
            text = text.replace(path, str(place))
        return text.replace(ANYWHERE, "127.0.0.1").replace(f": {PORT}", f": {self.cluster.port}")

    @property
    def environment(self) -> dict[str, str]:
        """What a pod has: what the manifest gives it, and nothing of ours but PATH."""
        fields = {"metadata.name": self.name}
        found = {
            one["name"]: self.local(one["value"])
            if "value" in one
            else fields[one["valueFrom"]["fieldRef"]["fieldPath"]]
            for one in self.container["env"]
        }
        return found | {"PATH": os.environ["PATH"]}

    def start(self) -> subprocess.Popen[bytes]:
        (program,) = self.container["command"]
        assert program == "python"
        arguments = [self.local(one) for one in self.container["args"]]
        return subprocess.Popen([sys.executable, *arguments], env=self.environment)

    def run(self) -> int:
        with self.start() as process:
            return process.wait(timeout=60)


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path, free_port())


def clinic(cluster: Cluster, **more: str) -> tuple[LoadedEstate, bytes]:
    """The estate of real biopsies, its snapshot in the claim; and its environment lock."""
    data = cluster.root / "data"
    if not data.exists():
        _write_biopsies(data)
    source = resources.files("ordain.examples") / "clinic"
    with resources.as_file(source) as root:
        tree = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in (root / "ordain.yaml", *root.glob("specs/*/*.yaml"))
        }
    tree |= {path: text.encode() for path, text in more.items()}
    dataset = load_estate(tree).get("Dataset", "biopsies")
    assert dataset is not None
    snapshots = Snapshots(ArtifactStore(cluster.root / "claims" / "ordain-artifacts"))
    with drafted(Origin("biopsies", dataset.spec, data, {}), snapshots) as draft:
        kept = draft.keep(snapshots, Taker("", datetime(2026, 1, 1, tzinfo=UTC), "0"))
    digest = kept.snapshot.digest
    path = "specs/datasets/biopsies.yaml"
    tree[path] = tree[path].replace(b"spec:\n", f"spec:\n  digest: {digest}\n".encode())
    estate = load_estate(tree)
    assert estate.findings == ()
    return estate, render_lock(installed())


def trained(cluster: Cluster) -> dict[str, Any]:
    """The result that the training Job of the manifest leaves in the claim of the artifacts."""
    estate, lock = clinic(cluster)
    manifests = compile_kubernetes(estate, "production", IMAGE, lock=lock)
    pod = cluster.pod(manifests, "Job", "ordain-production-train-malignancy-x1y2z")
    assert pod.run() == 0
    jobs = cluster.root / "claims" / "ordain-artifacts" / "jobs"
    (directory,) = jobs.iterdir()
    (job,) = [one for one in manifests if one["kind"] == "Job"]
    assert directory.name == job["metadata"]["name"]
    assert (directory / "evidence.json").is_file()
    assert [file.name for file in pod.mounts["/etc/ordain"].iterdir()] == ["job.json"]
    result: dict[str, Any] = json.loads((directory / "result.json").read_bytes())
    return result


def promoted(cluster: Cluster, result: dict[str, Any]) -> dict[str, str]:
    """The documents of a promotion of that result, its statement in the claim of the artifacts."""
    digest = "sha256:" + "0" * 64
    private, public = generate_key("the machine")
    _, person = generate_key("a manager")
    made = Produced(result["artifact"], {}, result["evidence"])
    run = Invocation("https://ordain.dev/reconciler", "0", "", datetime(2026, 1, 1, tzinfo=UTC))
    recipe = Recipe("malignancy", digest, digest, digest, digest, seed=7, threads=1)
    signer = parse_signer(private, "the key of the test")
    envelope = sign_statement(provenance_of(recipe, {}, made, run), signer)
    statement = ArtifactStore(cluster.root / "claims" / "ordain-artifacts").put(envelope)
    organization = f"""apiVersion: ordain.dev/v1
kind: Organization
metadata: {{name: test}}
spec:
  people: [{{name: manager, roles: [manager], team: clinic, keys: [{{public: "{person}"}}]}}]
  reconciler: {{keys: [{{public: "{public}"}}]}}
"""
    version = f"""apiVersion: ordain.dev/v1
kind: ModelVersion
metadata: {{name: malignancy-1}}
spec:
  model: malignancy
  version: 1
  recipe: {result["recipe"]}
  inputs: {{spec: {digest}, dataset: {digest}, data: {digest}, environment: {digest},
    seed: 7, threads: 1}}
  artifact: {result["artifact"]}
  evidence: {result["evidence"]}
  split: {result["split"]}
  provenance: {{statement: {statement}, bom: {digest}}}
"""
    route = """apiVersion: ordain.dev/v1
kind: Route
metadata: {name: malignancy}
spec:
  endpoint: /v1/malignancy
  default: {deployment: malignancy}
  access: {keys: none}
"""
    deployment = """apiVersion: ordain.dev/v1
kind: Deployment
metadata: {name: malignancy}
spec: {model: malignancy, environment: production, version: 1}
"""
    return {
        "specs/organization.yaml": organization,
        "specs/versions/malignancy-1.yaml": version,
        "specs/routes/malignancy.yaml": route,
        "specs/deployments/malignancy.yaml": deployment,
    }


def ask(port: int) -> tuple[int, dict[str, Any]]:
    from sklearn.datasets import load_breast_cancer

    found = load_breast_cancer()
    names = [name.replace(" ", "_") for name in found.feature_names]
    row = dict(zip(names, found.data[0].tolist(), strict=True))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/v1/malignancy", json.dumps(row))
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def is_ready(status: Status | None) -> bool:
    return status is not None and status.state == "ready"


def test_the_job_trains_and_the_pods_of_the_server_answer_and_record(cluster: Cluster) -> None:
    result = trained(cluster)
    assert result["verdict"] in ("pass", "warn")
    estate, lock = clinic(cluster, **promoted(cluster, result))
    manifests = compile_kubernetes(estate, "production", IMAGE, lock=lock)
    names = ("ordain-production-7d9c8bfbd-x2x4q", "ordain-production-7d9c8bfbd-k8s9z")
    pods = [replace(cluster, port=free_port()).pod(manifests, "Deployment", name) for name in names]
    running = [pod.start() for pod in pods]
    try:
        for pod in pods:
            client.watch(pod.mounts["/run/ordain"], is_ready, timeout=30)
        answers = [ask(pod.cluster.port) for pod in pods]
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
    assert [process.wait(timeout=30) for process in running] == [0, 0]
    assert [status for status, _ in answers] == [200, 200]
    assert answers[0][1]["score"] == answers[1][1]["score"]
    assert answers[0][1]["decision"] == "review-first"
    # Both pods have a run directory of the same name, one ledger, and a chain each.
    ledger = Ledger(cluster.root / "claims" / "ordain-ledger")
    chains = [chain.removeprefix("predictions/") for chain in ledger.chains()]
    assert sorted(chain[:-11] for chain in chains if chain.startswith("production-")) == [
        "production-7d9c8bfbd-k8s9z",
        "production-7d9c8bfbd-x2x4q",
    ]
    recorded = {one.id for one in ledger.predictions()}
    assert recorded == {answer["id"] for _, answer in answers}
    for pod in pods:
        assert [file.name for file in pod.mounts["/etc/ordain"].iterdir()] == ["config.json"]
