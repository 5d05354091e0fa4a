"""A check with a cache says what a check without one says, whatever was edited in between."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.policies.gate import check
from ordain.policies.packs import pack_file
from ordain.specs.cache import _FORMAT, Cache
from ordain.specs.diagnostics import render_text
from ordain.specs.estates import load_estate
from ordain.specs.evidence import Evidence
from ordain.specs.memory import _head
from ordain.specs.trees import ESTATE_FILE
from ordain.specs.writers import documents
from ordain.specs.writers.checked import Checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ordain.policies.gate import Judgement

pytestmark = pytest.mark.property

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
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
    tree[proof("4").path] = proof("4").to_json()
    texts = dict(TEXTS[edit - len(EDITS)] for edit in sorted(edits) if edit >= len(EDITS))
    return tree | texts


def judged(tree: Mapping[str, bytes], now: datetime, cache: Cache | None) -> Judgement:
    return check(load_estate(tree, cache), now, tree=tree, cache=cache)


def printed(judgement: Judgement, tree: Files) -> tuple[str, str, str]:
    findings = judgement.findings
    suppressed = "\n".join(map(repr, judgement.suppressed))
    checked = Checked(judgement.verdict, findings, NOW, tree, policies=judgement.policies)
    return render_text(findings, tree, colour=False), documents.render(checked), suppressed


def same_as_cold(path: Path, tree: Files, now: datetime = NOW) -> Judgement:
    """What a warm check says, which is what a cold one says."""
    cold = judged(tree, now, None)
    # The second time everything is known that can be known.
    for _ in range(2):
        warm = judged(tree, now, Cache(path, "this tool"))
        assert printed(warm, tree) == printed(cold, tree)
        assert (warm.findings, warm.verdict) == (cold.findings, cold.verdict)
        assert warm.policies == cold.policies
    return cold


def test_after_one_edit_a_warm_check_prints_what_a_cold_one_prints(tmp_path: Path) -> None:
    path = tmp_path / "estate.json"
    assert same_as_cold(path, files(set())).findings == ()
    assert same_as_cold(path, files(set()), NOW + timedelta(minutes=2)).findings != ()
    silent = []
    for edit in ALL:
        judgement = same_as_cold(path, files({edit}))
        assert same_as_cold(path, files(set())).findings == ()
        silent += [] if judgement.findings else [edit]
    # Nearly every edit is found out, so that a check that remembers too much is found out as well.
    assert len(silent) <= len(ALL) // 4


@given(STEPS, st.lists(st.integers(0, 2), min_size=5, max_size=5))
@settings(max_examples=25)
def test_after_many_edits_a_warm_check_prints_what_a_cold_one_prints(
    tmp_path_factory: pytest.TempPathFactory, steps: list[set[int]], minutes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("cache") / "estate.json"
    edits: set[int] = set()
    for step, later in zip(steps, minutes, strict=False):
        edits ^= step
        same_as_cold(path, files(edits), NOW + timedelta(minutes=later))


REMEMBERED = (
    _head(f"{_FORMAT} this tool", b'{"files":{},"silent":{}}') + b'{"files":{},"silent":{}}'
)


@given(st.integers(0, 2**32), st.integers(1, 255), st.booleans())
@settings(max_examples=40)
def test_a_damaged_cache_is_none(
    tmp_path_factory: pytest.TempPathFactory,
    place: int,
    change: int,
    cut: bool,  # noqa: FBT001 - hypothesis hands arguments over by position
) -> None:
    path = tmp_path_factory.mktemp("cache") / "estate.json"
    data = bytearray(REMEMBERED)
    data[place % len(data)] ^= change
    path.write_bytes(data[: place % len(data)] if cut else data)
    path.chmod(0o600)
    assert not Cache(path, "this tool").remembers
    path.write_bytes(REMEMBERED)
    assert Cache(path, "this tool").remembers
    assert not Cache(path, "another tool").remembers
