"""The manifests of an environment: complete, hardened, and the same bytes every time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ordain.compilers.errors import CompileError
from ordain.compilers.kubernetes import compile_kubernetes, render
from ordain.runtime.serving.config import read_config
from ordain.runtime.training.order import read_order

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.documents import LoadedEstate
    from tests.compilers.conftest import Desk

LOCK = b"# what training runs with\nnumpy==2.4.6\nscikit-learn==1.9.1\n"


def compiled(desk: Desk, estate: LoadedEstate | None = None) -> list[dict[str, Any]]:
    return compile_kubernetes(estate or desk.estate(), "production", desk.image, lock=LOCK)


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    (found,) = [one for one in manifests if one["kind"] == kind]
    return found


def pods(manifests: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        one["spec"]["template"]["spec"] for one in manifests if "template" in one.get("spec", {})
    ]


def test_an_environment_is_a_server_and_a_job_per_model(desk: Desk) -> None:
    manifests = compiled(desk)
    assert [(one["kind"], one["metadata"]["name"]) for one in manifests] == [
        ("ServiceAccount", "ordain-production"),
        ("ConfigMap", "ordain-production"),
        ("Service", "ordain-production"),
        ("Deployment", "ordain-production"),
        ("ConfigMap", manifests[-1]["metadata"]["name"]),
        ("Job", manifests[-1]["metadata"]["name"]),
    ]
    assert manifests[-1]["metadata"]["name"].startswith("ordain-production-train-credit-")


def test_the_server_reads_its_configuration(desk: Desk) -> None:
    data = of_kind(compiled(desk)[:4], "ConfigMap")["data"]["config.json"]
    config = read_config(data.encode())
    assert (config.host, config.port) == ("0.0.0.0", 8080)  # noqa: S104 - inside a pod
    assert config.routes[0].name == "credit"
    assert str(config.artifacts) == "/var/lib/ordain/artifacts"


def test_routing_keys_are_handed_through(desk: Desk) -> None:
    key = {"id": "branch", "sha256": "0" * 64, "routes": ["credit"]}
    manifests = compile_kubernetes(desk.estate(), "production", desk.image, keys=[key])
    config = read_config(of_kind(manifests[:4], "ConfigMap")["data"]["config.json"].encode())
    assert config.keys[0].id == "branch"


def test_the_job_reads_its_order(desk: Desk, tmp_path: Path) -> None:
    manifests = compiled(desk)
    path = tmp_path / "job.json"
    path.write_text(manifests[-2]["data"]["job.json"])
    job = read_order(path)
    assert (job.model, job.dataset) == ("credit", "applications")
    assert job.environment.encode() == LOCK
    assert job.champion == "sha256:" + "2" * 64
    annotations = manifests[-1]["metadata"]["annotations"]
    assert annotations["ordain.dev/recipe"] == job.recipe.digest


def test_every_pod_is_hardened(desk: Desk) -> None:
    for pod in pods(compiled(desk)):
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["image"].endswith("@sha256:" + "c" * 64)
            assert container["resources"]["limits"]["memory"]


def test_the_server_is_probed(desk: Desk) -> None:
    (container,) = pods(compiled(desk))[0]["containers"]
    paths = {name: container[name]["httpGet"]["path"] for name in container if "Probe" in name}
    assert paths == {
        "startupProbe": "/readyz",
        "readinessProbe": "/readyz",
        "livenessProbe": "/healthz",
    }


def test_size_and_replicas_are_those_of_the_largest_deployment(desk: Desk) -> None:
    estate = desk.estate(Deployment__credit={"spec.size": "large", "spec.replicas": 3})
    deployment = of_kind(compiled(desk, estate), "Deployment")
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert deployment["spec"]["replicas"] == 3
    assert container["resources"]["requests"] == {"cpu": "4", "memory": "8Gi"}


def test_a_new_version_rolls_the_pods_and_an_owner_does_not(desk: Desk) -> None:
    def annotations(**edits: dict[str, Any]) -> dict[str, str]:
        manifests = compiled(desk, desk.estate(**edits))
        found: dict[str, str] = of_kind(manifests, "Deployment")["spec"]["template"]["metadata"][
            "annotations"
        ]
        return found

    assert annotations() == annotations(Model__credit={"spec.owner": "somebody-else"})
    other = {"spec.artifact": "sha256:" + "9" * 64}
    assert annotations() != annotations(**{"ModelVersion__credit-1": other})
    assert annotations() != annotations(Route__credit={"spec.access.keys": "none"})


def test_labels_are_the_recommended_ones_and_selectors_never_change(desk: Desk) -> None:
    manifests = compiled(desk)
    for one in manifests:
        labels = one["metadata"]["labels"]
        assert labels["app.kubernetes.io/managed-by"] == "ordain"
        assert all(len(value) <= 63 for value in labels.values())
    deployment = of_kind(manifests, "Deployment")
    selector = deployment["spec"]["selector"]["matchLabels"]
    assert selector == of_kind(manifests, "Service")["spec"]["selector"]
    assert selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def test_the_yaml_is_the_same_every_time_and_says_the_same(desk: Desk) -> None:
    first, second = render(compiled(desk)), render(compiled(desk))
    assert first == second
    assert list(yaml.safe_load_all(first)) == compiled(desk)
    assert json.loads(json.dumps(compiled(desk))) == compiled(desk)


def test_nothing_is_served_before_a_version_is_approved(desk: Desk) -> None:
    manifests = compiled(desk, desk.estate(Deployment__credit={"spec.version": None}))
    assert [one["kind"] for one in manifests] == ["ServiceAccount", "ConfigMap", "Job"]


def test_long_names_stay_within_what_a_cluster_accepts(desk: Desk) -> None:
    name = "a" * 60
    estate = desk.estate(
        Estate__examples={"spec.environments": [{"name": name}]},
        Deployment__credit={"spec.environment": name},
    )
    manifests = compile_kubernetes(estate, name, desk.image)
    names = [one["metadata"]["name"] for one in manifests]
    assert all(len(one) <= 63 for one in names)
    assert len(set(names)) == 2


@pytest.mark.parametrize("image", ["ordain", "ordain:latest", "ordain:1.0", "ordain@sha256:12", ""])
def test_an_image_without_a_digest_is_refused(desk: Desk, image: str) -> None:
    with pytest.raises(CompileError) as raised:
        compile_kubernetes(desk.estate(), "production", image)
    assert raised.value.message == f"the image `{image}` is not named by its digest"
    assert raised.value.remedy == "give NAME@sha256:DIGEST; a tag can change its content"
