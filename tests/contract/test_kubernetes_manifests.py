"""A real API server takes the manifests, and a second apply changes nothing."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from ordain.compilers.kubernetes import compile_kubernetes
from ordain.policies.packs import pack_file
from ordain.specs.estates import load_estate

if TYPE_CHECKING:
    from tests.contract.conftest import Answer, ControlPlane

pytestmark = pytest.mark.contract

IMAGE = "registry.example/ordain@sha256:" + "c" * 64
CLEANS_UP_JOBS = 21  # Before this minor version the server drops the field, without harm.
APPLY = "application/apply-patch+yaml"
PLACES = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts/",
    "ConfigMap": "/api/v1/namespaces/{}/configmaps/",
    "Service": "/api/v1/namespaces/{}/services/",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments/",
    "Job": "/apis/batch/v1/namespaces/{}/jobs/",
}


def manifests(namespace: str, fallback: str = "refer-to-underwriter") -> list[dict[str, Any]]:
    """The example estate, as an environment in a namespace of its own."""
    documents = yaml.safe_load(pack_file("baseline/1.0.0.examples.yaml"))["estate"]
    for one in documents:
        if one["kind"] == "Estate":
            one["spec"]["environments"][0] |= {"target": "kubernetes", "namespace": namespace}
        if one["kind"] == "Route":
            one["spec"]["fallback"]["decision"] = fallback
    tree = {
        "ordain.yaml" if one["kind"] == "Estate" else f"specs/{number}.yaml": yaml.safe_dump(
            one
        ).encode()
        for number, one in enumerate(documents)
    }
    return compile_kubernetes(load_estate(tree), "production", IMAGE, lock=b"numpy==2.4.6\n")


def known_to(plane: ControlPlane, objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The objects without the one field that an old server drops, at each apply anew."""
    minor = plane.call("GET", "/version").body["minor"]
    for one in objects:
        if one["kind"] == "Job" and int(minor.strip("+")) < CLEANS_UP_JOBS:
            del one["spec"]["ttlSecondsAfterFinished"]
    return objects


def place(manifest: dict[str, Any]) -> str:
    metadata = manifest["metadata"]
    return f"{PLACES[manifest['kind']].format(metadata['namespace'])}{metadata['name']}"


def apply(plane: ControlPlane, manifest: dict[str, Any], *options: str) -> Answer:
    query = "&".join(("fieldManager=ordain", *options))
    return plane.call("PATCH", f"{place(manifest)}?{query}", manifest, APPLY)


def namespace(plane: ControlPlane, name: str) -> str:
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    assert plane.call("POST", "/api/v1/namespaces", body, "application/json").status == 201
    return name


def test_the_server_accepts_every_object_and_a_dry_run_keeps_nothing(
    control_plane: ControlPlane,
) -> None:
    for manifest in manifests(namespace(control_plane, "dry")):
        assert apply(control_plane, manifest, "dryRun=All").status == 201
        assert control_plane.call("GET", place(manifest)).status == 404


def test_a_second_apply_changes_nothing(control_plane: ControlPlane) -> None:
    objects = known_to(control_plane, manifests(namespace(control_plane, "twice")))
    first = [apply(control_plane, one) for one in objects]
    second = [apply(control_plane, one) for one in objects]
    assert [one.status for one in first] == [201] * len(objects)
    assert [one.status for one in second] == [200] * len(objects)
    versions = [
        [one.body["metadata"]["resourceVersion"] for one in answers] for answers in (first, second)
    ]
    assert versions[0] == versions[1]


def test_the_server_keeps_what_was_declared(control_plane: ControlPlane) -> None:
    objects = known_to(control_plane, manifests(namespace(control_plane, "kept")))
    for one in objects:
        kept = apply(control_plane, one).body
        assert contains(kept, one), one["kind"]


def contains(kept: object, declared: object) -> bool:
    """Whether everything declared is there; the server adds defaults."""
    if isinstance(declared, dict):
        return isinstance(kept, dict) and all(
            key in kept and contains(kept[key], value) for key, value in declared.items()
        )
    if isinstance(declared, list):
        return isinstance(kept, list) and all(
            any(contains(one, value) for one in kept) for value in declared
        )
    return kept == declared


def test_a_changed_configuration_is_a_new_generation_of_the_deployment(
    control_plane: ControlPlane,
) -> None:
    name = namespace(control_plane, "rolled")

    def generation(objects: list[dict[str, Any]]) -> int:
        answers = [apply(control_plane, one) for one in objects]
        (found,) = [one.body for one in answers if one.body["kind"] == "Deployment"]
        number: int = found["metadata"]["generation"]
        return number

    assert generation(manifests(name)) == 1
    assert generation(manifests(name)) == 1
    assert generation(manifests(name, "call-the-branch")) == 2


def test_the_server_would_have_refused_a_field_that_it_does_not_know(
    control_plane: ControlPlane,
) -> None:
    objects = manifests(namespace(control_plane, "strict"))
    (deployment,) = [copy.deepcopy(one) for one in objects if one["kind"] == "Deployment"]
    deployment["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    answer = apply(control_plane, deployment, "dryRun=All")
    assert answer.status >= 400
    assert "readynessProbe" in answer.body["message"]


def test_what_somebody_else_changed_is_a_conflict_that_names_them(
    control_plane: ControlPlane,
) -> None:
    objects = manifests(namespace(control_plane, "contested"))
    (deployment,) = [one for one in objects if one["kind"] == "Deployment"]
    assert apply(control_plane, deployment).status == 201
    theirs = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": deployment["metadata"]["name"]},
        "spec": {"replicas": 7},
    }
    query = f"{place(deployment)}?fieldManager=somebody&force=true"
    assert control_plane.call("PATCH", query, theirs, APPLY).status == 200
    answer = apply(control_plane, deployment)
    assert answer.status == 409
    assert "somebody" in answer.body["message"]
    assert ".spec.replicas" in answer.body["message"]
