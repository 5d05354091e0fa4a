"""A small real model, served by real processes."""

from __future__ import annotations

import http.client
import json
import math
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.runtime.provenance.statements import Invocation, Produced, provenance_of, sign_statement
from ordain.runtime.scoring import RowPlan
from ordain.runtime.serving import client
from ordain.specs.canonical import canonical_json
from ordain.specs.recipes import Recipe
from ordain.vcs.keys import generate_key, parse_signer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ordain.runtime.serving.status import Status

KEY = "a-key-of-the-tests"
Config = dict[str, Any]
Answer = tuple[int, dict[str, str], Any]
GOOD = {"income": 2500.0, "age": 40, "purpose": "car"}

PLAN: Config = {
    "format": "ordain.plan/2",
    "task": "classification",
    "classes": [],
    "inputs": [
        {
            "name": "income",
            "type": "float",
            "missing": True,
            "range": [0, 1000000],
            "levels": None,
            "unknown": "bucket",
        },
        {
            "name": "age",
            "type": "int",
            "missing": False,
            "range": [18, 120],
            "levels": None,
            "unknown": "bucket",
        },
        {
            "name": "purpose",
            "type": "category",
            "missing": True,
            "range": None,
            "levels": ["boat", "car", "home"],
            "unknown": "refuse",
        },
        {
            "name": "employed",
            "type": "bool",
            "missing": True,
            "range": None,
            "levels": None,
            "unknown": "bucket",
        },
    ],
    "columns": [
        {
            "op": "number",
            "input": "income",
            "impute": 2000.0,
            "low": None,
            "high": 10000.0,
            "center": 2000.0,
            "scale": 1000.0,
        },
        {"op": "missing", "input": "income"},
        {
            "op": "number",
            "input": "age",
            "impute": 40.0,
            "low": None,
            "high": None,
            "center": 40.0,
            "scale": 10.0,
        },
        {
            "op": "one_hot",
            "input": "purpose",
            "levels": ["car", "home"],
            "rare": ["boat"],
            "missing_level": "car",
        },
    ],
    "keep": None,
    "names": ["income", "income_missing", "age", "purpose_car", "purpose_home", "purpose_rare"],
    "sources": [["income"], ["income"], ["age"], ["purpose"], ["purpose"], ["purpose"]],
    "model": {
        "kind": "linear",
        "coefficients": [[-0.5, 0.3, -0.2, 0.1, -0.4, 0.6]],
        "intercepts": [-1.0],
    },
    "link": "logit",
    "calibration": None,
    "decision": {"threshold": 0.3, "above": "refer", "below": "approve"},
}
ROWS: list[Config] = [
    GOOD,
    {"age": 18, "purpose": "boat"},
    {"income": 0, "age": 120, "purpose": "home"},
    {"income": 99999.5, "age": 33, "purpose": None},
]


def make_artifact(store: Path, model: str, intercept: float, *, shift: float = 0.0) -> str:
    """The digest of an artifact; `shift` falsifies what training claims to have scored."""
    plan = canonical_json(PLAN | {"model": PLAN["model"] | {"intercepts": [intercept]}})
    scores = [RowPlan.read(plan).score(row) + shift for row in ROWS]
    members = {
        "plan.json": plan,
        "parity.json": canonical_json({"rows": ROWS, "scores": scores}),
    }
    return save_artifact(ArtifactStore(store), model, "sha256:" + "0" * 64, members).digest


SIGNER = parse_signer(generate_key("the machine")[0], "a key of the tests")


def sign_for(store: Path, artifact: str) -> str:
    """The digest of a statement on the artifact, as the reconciler leaves one in the store."""
    zero = "sha256:" + "0" * 64
    recipe = Recipe("credit", zero, zero, zero, zero, seed=7, threads=1)
    made = Produced(artifact, {}, "sha256:" + "1" * 64)
    moment = datetime(2026, 11, 20, tzinfo=UTC)
    run = Invocation("https://ordain.dev/reconciler", "0.1.0", "", moment)
    envelope = sign_statement(provenance_of(recipe, {}, made, run), SIGNER)
    return ArtifactStore(store).put(envelope)


class Place:
    """A run directory with its store and ledger, and what is asked of the server in it."""

    def __init__(self, root: Path) -> None:
        self.rundir = root / "run"
        self.store = root / "store"
        self.ledger = root / "ledger"
        self.champion = make_artifact(self.store, "credit", -1.0)
        self.challenger = make_artifact(self.store, "credit", 2.0)

    def config(self, *, route: Config | None = None, **changes: object) -> Config:
        """The route `credit`, which sends large amounts to the challenger."""
        credit = {
            "name": "credit",
            "endpoint": "/v1/credit",
            "rules": [
                {
                    "name": "large",
                    "when": {"field": "amount", "op": "gt", "value": 40000},
                    "to": [{"deployment": "challenger"}],
                }
            ],
            "default": {"deployment": "champion"},
            "shadow": [],
            "fallback": None,
            "keys": "none",
        }
        base: Config = {
            "format": "ordain.server/1",
            "environment": "test",
            "host": "127.0.0.1",
            "port": 0,
            "artifacts": str(self.store),
            "ledger": str(self.ledger),
            "durability": "durable",
            "deployments": {
                "champion": {"model": "credit", "version": 1, "artifact": self.champion},
                "challenger": {"model": "credit", "version": 2, "artifact": self.challenger},
            },
            "routes": [credit | (route or {})],
            "trusted": [SIGNER.public.line],
            "keys": [
                {
                    "id": "branch",
                    "sha256": sha256(KEY.encode()).hexdigest(),
                    "routes": ["credit"],
                }
            ],
        }
        found = base | changes
        signed = {
            name: {"statement": sign_for(self.store, slot["artifact"])} | slot
            for name, slot in found["deployments"].items()
        }
        return found | {"deployments": signed}

    def start(self, config: Config | None = None) -> Status:
        return client.start(self.rundir, config or self.config(), timeout=20)

    @property
    def status(self) -> Status:
        found = client.status(self.rundir)
        assert found is not None
        return found

    def ask(
        self,
        body: object = None,
        *,
        method: str = "POST",
        path: str = "/v1/credit",
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own; bytes are sent as they are."""
        status = self.status
        connection = http.client.HTTPConnection(status.host, status.port, timeout=5)
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, body=data, headers=headers or {})
            response = connection.getresponse()
            text = response.read()
        finally:
            connection.close()
        kind = response.headers.get("content-type", "")
        plain = json.loads(text) if "json" in kind else text.decode()
        return response.status, {k.lower(): v for k, v in response.headers.items()}, plain

    def expected(self, row: Config, intercept: float = -1.0) -> float:
        plan = canonical_json(PLAN | {"model": PLAN["model"] | {"intercepts": [intercept]}})
        score = RowPlan.read(plan).score(row)
        assert math.isfinite(score)
        return score


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    client.stop(made.rundir, timeout=30)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One server for the tests that only ask."""
    made = Place(tmp_path_factory.mktemp("shared"))
    route = made.config()["routes"][0]
    config = made.config()
    config["routes"] = [
        route,
        route | {"name": "closed", "endpoint": "/v1/closed", "keys": "required"},
        route | {"name": "other", "endpoint": "/v1/other", "keys": "required"},
    ]
    config["keys"][0]["routes"] = ["closed"]
    made.start(config)
    yield made
    client.stop(made.rundir, timeout=30)


@pytest.fixture
def falsified(place: Place) -> str:
    """An artifact whose parity rows claim other scores than its plan gives."""
    return make_artifact(place.store, "credit", -1.0, shift=1e-8)
