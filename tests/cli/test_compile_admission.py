"""`ordain compile admission`: what is printed, what is told, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import yaml

from ordain.compilers.admission import version_of

if TYPE_CHECKING:
    from places import Place

NEXT = "Next: kubectl apply --server-side -f FILE, with this in it"
PORTABLE = """\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: few-reasons}
spec:
  match: {kinds: [Model]}
  validations:
    - expression: object.spec.?explanation.?top.orValue(4) <= 4
      message: more than four reasons
"""
TIED = """\
apiVersion: ordain.dev/v1
kind: Policy
metadata: {name: owned}
spec:
  match: {kinds: [Deployment]}
  enforcement: advise
  validations:
    - message: a deployment without a model
      expression: >-
        object.spec.replicas == 1
        || model != null
"""


def with_policies(place: Place) -> Place:
    (place.estate / "policies").mkdir(exist_ok=True)
    (place.estate / "policies" / "few-reasons.yaml").write_text(PORTABLE)
    (place.estate / "policies" / "owned.yaml").write_text(TIED)
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "Two policies")
    return place


def test_portable_policies_are_printed_and_the_others_are_told(place: Place) -> None:
    done = with_policies(place).ordain("compile", "admission")
    objects = list(yaml.safe_load_all(done.stdout))
    names = [one["metadata"]["name"] for one in objects]
    assert names[:2] == ["few-reasons.estate.ordain.dev"] * 2
    assert {one["apiVersion"] for one in objects} == {"admissionregistration.k8s.io/v1beta1"}
    lines = done.stderr.splitlines()
    first = lines.index(
        "note[CMP002]: policies/owned.yaml:11:12: the policy owned cannot go to a cluster: "
        "`model` is known to the gate only, and to no cluster"
    )
    assert lines[first + 1] == (
        "  = help: ask about object and oldObject only, or leave this to the gate"
    )
    count = len({one["metadata"]["annotations"]["ordain.dev/policy"] for one in objects})
    told = sum(line.startswith("note[") for line in lines)
    assert lines[-1] == NEXT
    assert lines[-2] == f"{count} of {count + told} policies compiled"


def test_a_named_policy_that_cannot_be_compiled_is_an_error_with_every_reason(
    place: Place,
) -> None:
    asked = ("compile", "admission", "--policy", "owned", "--policy", "few-reasons")
    done = with_policies(place).ordain(*asked, expect=1)
    assert done.stdout == ""
    reason = "`model` is known to the gate only, and to no cluster"
    place_of_it = "policies/owned.yaml:11:12"
    assert done.stderr.splitlines() == [
        f"error[CMP002]: {place_of_it}: the policy owned cannot go to a cluster: {reason}",
        "  = help: ask about object and oldObject only, or leave this to the gate",
        "error[ORD001]: a cluster cannot hold: owned",
        "  = help: see: ordain explain CMP002",
    ]


def test_named_policies_are_printed_alone_and_the_same_as_json(place: Place) -> None:
    asked = ("compile", "admission", "--policy", "few-reasons", "--kube-version", "1.30")
    done = with_policies(place).ordain(*asked)
    objects = list(yaml.safe_load_all(done.stdout))
    assert [one["kind"] for one in objects] == [
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    ]
    assert done.stderr.splitlines() == ["1 of 1 policies compiled", NEXT]
    listed = json.loads(place.ordain(*asked, "-o", "json").stdout)
    assert listed == {"apiVersion": "v1", "kind": "List", "items": objects}


def test_policies_that_are_not_committed_are_not_looked_at_and_that_is_said(place: Place) -> None:
    place.edit("policies/house-rules.yaml", "<= 0.25", "<= 0.2")
    lines = place.ordain("compile", "admission").stderr.splitlines()
    said = "note: 1 file differs from the newest commit, which is what is looked at"
    assert lines[0] == said
    lines = place.ordain("compile", "admission", "--rev", "main").stderr.splitlines()
    assert said not in lines


def test_a_commit_can_be_named(place: Place) -> None:
    with_policies(place)
    asked = ("compile", "admission", "--policy", "few-reasons", "--rev")
    place.ordain(*asked, "HEAD")
    done = place.ordain(*asked, "HEAD~1", expect=2)
    assert "no policy 'few-reasons' is in force." in done.stderr


def test_a_policy_that_nobody_declared_is_a_usage_error(founded: Place) -> None:
    done = founded.ordain("compile", "admission", "--policy", "drift-limits", expect=2)
    message = "no policy 'drift-limits' is in force. Did you mean 'drift-limit'?"
    assert message in done.stderr


@pytest.mark.parametrize("version", ["v1.30.2", "v1.30.4-eks-a737599", "v1.30.2+k3s1"])
def test_a_version_is_read_as_a_cluster_says_it(version: str) -> None:
    assert str(version_of(version)) == "1.30"


def test_a_version_that_is_too_old_is_an_error_with_a_way_out(founded: Place) -> None:
    done = founded.ordain("compile", "admission", "--kube-version", "1.25", expect=2)
    assert done.stderr.splitlines() == [
        "error[CMP001]: Kubernetes 1.25 has no ValidatingAdmissionPolicy",
        "  = help: it begins with 1.26; 1.30 has it for good",
    ]


def test_options_of_targets_are_not_taken_for_admission(founded: Place) -> None:
    done = founded.ordain("compile", "-t", "local", "admission", expect=2)
    assert "--target is for targets; give options of a command behind its name" in done.stderr


def test_a_tree_that_does_not_pass_is_not_compiled(place: Place) -> None:
    broken = PORTABLE.replace("<= 4", "<= nobody")
    (place.estate / "policies").mkdir(exist_ok=True)
    (place.estate / "policies" / "few-reasons.yaml").write_text(broken)
    place.git("add", "-A")
    place.git("commit", "-q", "-m", "A policy that does not compile")
    done = place.ordain("compile", "admission", expect=1)
    assert done.stdout == ""
    assert "does not pass the check, so it is not compiled" in done.stderr
