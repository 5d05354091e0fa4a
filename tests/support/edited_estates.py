"""Small estates with edits in them: nearly every edit is one that the gate has something to say of.

The edits are numbered, so that a generated set of numbers is a generated estate.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import yaml
from hypothesis import strategies as st

from ordain.policies.packs import pack_file
from ordain.specs.evidence import Evidence
from ordain.specs.trees import ESTATE_FILE

Files = dict[str, bytes]
Edit = tuple[str, str, Any]


def document(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "ordain.dev/v1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def policy(name: str, kind: str, expression: str) -> dict[str, Any]:
    rule = {"name": "holds", "expression": expression, "message": f"{name} does not hold"}
    spec = {"rationale": "a test", "match": {"kinds": [kind]}, "validations": [rule]}
    return document("Policy", name, spec)


def waiver(finding: str, key: str) -> dict[str, Any]:
    kind, name = key.split("/")
    spec = {
        "finding": finding,
        "object": {"kind": kind, "name": name},
        "reason": "accepted for a test",
        "requestedBy": "manager",
        "approvedBy": "compliance-manager",
        "expires": "2026-12-01",
    }
    return document("Waiver", "accepted", spec)


def copied(found: dict[str, Any], name: str) -> dict[str, Any]:
    other = copy.deepcopy(found)
    other["metadata"]["name"] = name
    return other


def other_split(version: dict[str, Any]) -> dict[str, Any]:
    version["spec"]["split"] = "sha256:" + 64 * "6"
    return version


def proof(split: str) -> Evidence:
    """The evidence of the version that the estate serves."""
    return Evidence(
        model="credit",
        recipe="sha256:" + 64 * "1",
        artifact="sha256:" + 64 * "2",
        split="sha256:" + 64 * split,
        data={"rows": 1000},
        metrics=(),
        fairness=(),
        importance=(),
        parity={},
        verdict="pass",
    )


def first() -> dict[str, dict[str, Any]]:
    """An estate without a finding, and rules of its own that see everything there is to see."""
    found = yaml.safe_load(pack_file("baseline/1.0.0.examples.yaml"))["estate"]
    incident = {"model": "credit", "severity": "low", "summary": "a test"}
    times = dict.fromkeys(("startedAt", "detectedAt"), "2026-11-20T09:30:00Z")
    found += [
        document("Incident", "small", {**incident, **times}),
        policy("all", "Dataset", "estate.Model.size() < 2"),
        policy("time", "Model", "timestamp(now) < timestamp('2026-11-20T09:31:00Z')"),
        policy("around", "Deployment", "linked.Monitor.size() == 1"),
        policy("proof", "Deployment", "evidence.model == 'credit'"),
        policy("tier", "Model", "object.spec.tier >= 1"),
    ]
    documents = {f"{one['kind']}/{one['metadata']['name']}": one for one in found}
    documents["ModelVersion/credit-1"]["spec"]["evidence"] = proof("4").digest
    return documents


FIRST = first()
OTHERS: dict[str, dict[str, Any]] = {
    "Model/second": copied(FIRST["Model/credit"], "second"),
    "ModelVersion/zweite": other_split(copied(FIRST["ModelVersion/credit-1"], "zweite")),
    "Route/another": copied(FIRST["Route/credit"], "another"),
    "Monitor/second": copied(FIRST["Monitor/credit"], "second"),
    "Compliance/later": copied(FIRST["Compliance/credit"], "later"),
    "Waiver/accepted": waiver("POL-route-access", "Route/credit"),
    "PolicySet/none": document("PolicySet", "none", {"packs": []}),
}
# What stands at a path of a document, or the whole document where the path is empty.
EDITS: list[Edit] = [
    *((key, "", None) for key in FIRST if key != "Estate/examples"),
    *((key, "", one) for key, one in OTHERS.items()),
    ("Model/credit", "spec.tier", 3),
    ("Model/credit", "spec.owner", "somebody"),
    ("Model/credit", "spec.dataset", "nowhere"),
    ("Model/credit", "spec.features.exclude", ["incom"]),
    ("Model/credit", "spec.unknown", 1),
    ("Model/credit", "spec.acceptance.drift.psi.max", 0.4),
    ("Dataset/applications", "spec.digest", None),
    ("Dataset/applications", "spec.columns.income", {"type": "float", "role": "protected"}),
    ("Compliance/credit", "spec.model", "second"),
    ("Compliance/credit", "spec.model_info.accountable", "nobody"),
    ("Deployment/credit", "spec.version", 2),
    ("Deployment/credit", "spec.version", None),
    ("Deployment/credit", "spec.replicas", 3),
    ("Deployment/credit", "spec.environment", "elsewhere"),
    ("Monitor/credit", "spec.psi.fail", 0.5),
    ("Route/credit", "spec.access.keys", "none"),
    ("Route/credit", "spec.endpoint", "/v1/other"),
    ("Route/credit", "spec.default.deployment", "nowhere"),
    ("ModelVersion/credit-1", "spec.version", 2),
    ("Organization/people", "spec.people", []),
    ("Policy/tier", "spec.validations", [{"expression": "object.spec.tier > 1", "message": "no"}]),
    ("Estate/examples", "spec.environments", [{"name": "production"}, {"name": "test"}]),
]
TEXTS: list[tuple[str, bytes]] = [
    ("specs/broken.yaml", b"kind: [\n"),
    ("specs/broken.yaml", b"- no document\n"),
    ("specs/empty.yaml", b"---\n---\n"),
    ("specs/odd.yaml", b"apiVersion: ordain.dev/v1\nkind: Model\nkind: Model\n"),
    ("specs/again.yaml", json.dumps(FIRST["Model/credit"]).encode()),
    ("policies/Model-credit.yaml", json.dumps(FIRST["Model/credit"], indent=1).encode()),
    (proof("4").path, b"{}"),
    (proof("4").path, proof("5").to_json()),
    ("specs/all.yaml", yaml.safe_dump_all(list(FIRST.values())[2:5]).encode()),
]
ALL = range(len(EDITS) + len(TEXTS))
# Most steps are small, because a large one leaves nothing that could be remembered.
STEPS = st.lists(st.sets(st.sampled_from(ALL), min_size=1, max_size=2), min_size=2, max_size=5)


def edited(found: dict[str, Any], path: str, value: Any) -> None:  # noqa: ANN401 - any value
    *parents, last = path.split(".")
    for step in parents:
        found = found.setdefault(step, {})
    if value is None:
        found.pop(last, None)
    else:
        found[last] = value


# All that the model of the estate learns from, each in the one reason that it has.
FEATURES = ["income", "amount", "channel"]
REASONS = json.dumps(
    {"reasons": [{"code": "R01", "text": "a test", "features": FEATURES}]}
).encode()


def files(edits: set[int]) -> Files:
    """The estate with some edits in it."""
    documents = copy.deepcopy(FIRST)
    for number in sorted(edit for edit in edits if edit < len(EDITS)):
        key, path, value = EDITS[number]
        if path and key in documents:
            edited(documents[key], path, copy.deepcopy(value))
        elif not path and value is None:
            documents.pop(key, None)
        elif not path:
            documents[key] = copy.deepcopy(value)
    tree = {
        ESTATE_FILE if key.startswith("Estate/") else f"specs/{key.replace('/', '-')}.yaml": (
            json.dumps(one, indent=1).encode()
        )
        for key, one in documents.items()
    }
    tree["reasons/credit.yaml"] = REASONS
    tree[proof("4").path] = proof("4").to_json()
    texts = dict(TEXTS[edit - len(EDITS)] for edit in sorted(edits) if edit >= len(EDITS))
    return tree | texts
