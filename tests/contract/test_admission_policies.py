"""Admission policies have the published shape, and a real API server takes them where it has any.

Servers before 1.26 know no such policies. One that does not is not skipped silently: it must say
that it does not know the resource, and the rest is an expected failure with that reason.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from admitted import compiled, rules

from ordain.compilers.admission import compile_admission, version_of

if TYPE_CHECKING:
    from tests.contract.conftest import Answer, ControlPlane

pytestmark = pytest.mark.contract

GROUP = "/apis/admissionregistration.k8s.io"
PLURALS = {
    "ValidatingAdmissionPolicy": "validatingadmissionpolicies",
    "ValidatingAdmissionPolicyBinding": "validatingadmissionpolicybindings",
}
APPLY = "application/apply-patch+yaml"
WHOLE = """
    match: {kinds: [Model], when: "object.spec.tier <= params.tier"}
    matchConditions: [{name: named, expression: "object.metadata.name != 'x'"}]
    params: {tier: 2}
    variables: [{name: tier, expression: object.spec.tier}]
    validations:
      - expression: variables.tier == params.tier
        message: no
        messageExpression: "'tier ' + string(variables.tier)"
        remedy: mend it
        controls: [SR262-DOC]
      - {expression: "variables.tier > 0", message: no, severity: warning}
    """


def check(value: Any, kind: str, path: str, models: Any) -> None:  # noqa: ANN401
    """Whether a value is what the client's models, made from the published OpenAPI, say it is."""
    if listed := re.fullmatch(r"list\[(.+)\]", kind, re.IGNORECASE):
        assert isinstance(value, list), path
        for index, one in enumerate(value):
            check(one, listed[1], f"{path}[{index}]", models)
    elif mapped := re.fullmatch(r"dict\(str, (.+)\)|dict\[str, (.+)\]", kind, re.IGNORECASE):
        assert isinstance(value, dict), path
        for key, one in value.items():
            check(one, mapped[1] or mapped[2], f"{path}.{key}", models)
    elif kind == "str":
        assert isinstance(value, str), path
    else:
        model = getattr(models, kind)
        names = {written: name for name, written in model.attribute_map.items()}
        assert value.keys() <= names.keys(), path
        # The constructor raises where something is missing that must be there.
        model(**{names[key]: one for key, one in value.items()})
        for key, one in value.items():
            check(one, model.openapi_types[names[key]], f"{path}.{key}", models)


@pytest.mark.parametrize("version", ["1.29", "1.30"])
def test_the_objects_have_the_published_shape(version: str) -> None:
    """v1beta1 has the fields of v1, of which the client has models."""
    from kubernetes import client

    made = compile_admission(rules(), version_of(version), estate="examples").manifests
    whole = compiled(WHOLE, version=version).manifests
    assert len(whole) == 4
    for one in (*made, *whole):
        check(one, f"V1{one['kind']}", one["kind"], client)


@pytest.mark.parametrize(
    "change",
    [{"validation": []}, {"variables": [{"name": "x"}]}, {"failurePolicy": True}],
    ids=["an unknown field", "a missing field", "another type"],
)
def test_another_shape_is_not_the_published_one(change: dict[str, Any]) -> None:
    from kubernetes import client

    (found, *_) = compiled(WHOLE, version="1.30").manifests
    check(found, "V1ValidatingAdmissionPolicy", found["kind"], client)
    found["spec"] |= change
    with pytest.raises((AssertionError, ValueError)):
        check(found, "V1ValidatingAdmissionPolicy", found["kind"], client)


def served(plane: ControlPlane) -> int | None:
    """The minor version of a server that has such policies in the API of that version."""
    minor = int(plane.call("GET", "/version").body["minor"].strip("+"))
    if minor < 26:
        return None
    (found, *_) = compiled(WHOLE, version="1.30").manifests
    api = found["apiVersion"].rpartition("/")[2]
    known = plane.call("GET", f"{GROUP}/{api}").body.get("resources", ())
    return minor if PLURALS[found["kind"]] in {one["name"] for one in known} else None


def apply(plane: ControlPlane, manifest: dict[str, Any]) -> Answer:
    api, name = manifest["apiVersion"].rpartition("/")[2], manifest["metadata"]["name"]
    path = f"{GROUP}/{api}/{PLURALS[manifest['kind']]}/{name}?fieldManager=ordain"
    return plane.call("PATCH", path, manifest, APPLY)


def test_a_server_takes_the_objects_or_has_no_such_resource(control_plane: ControlPlane) -> None:
    minor = served(control_plane)
    version = f"1.{minor or 30}"
    baseline = compile_admission(rules(), version_of(version), estate="examples").manifests
    objects = (*baseline, *compiled(WHOLE, version=version).manifests)
    answers = [apply(control_plane, one) for one in objects]
    if minor is None:
        assert {one.status for one in answers} == {404}
        pytest.xfail("the control plane in KUBE_ASSETS serves no ValidatingAdmissionPolicy")
    assert {one.status for one in answers} == {201}, [one.body for one in answers]
