"""Ten rules beside plain Python functions and the C++ evaluator, and what a hundred more cost.

The workload is a Model of 71 values and ten rules that a bank would have: gates, limits of drift,
purposes, digests, names. One document in fifty violates a rule or lacks a key that a rule reads.
All three give the same verdicts for every rule and document (pass, violated, cannot be evaluated),
which is checked before anything is measured. CPU time, in turns, in one process.
"""

from __future__ import annotations

import itertools
import re
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._estates import dataset, model, organization, settings, write
from bench._floor import compile_bytecode, cpu, show
from ordain.policies.cel.exact import ExactEngine, run
from ordain.policies.engine import cel_engine
from ordain.policies.rulebook import Screens
from ordain.policies.rules import compile_rules
from ordain.policies.world import Scope, World
from ordain.specs.estates import load_estate
from ordain.specs.loader import parse
from ordain.specs.reading import read_document
from ordain.vcs.keys import generate_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.policies.rules import Rule
    from ordain.specs.documents import LoadedEstate

DOCUMENTS = 1_000
PASS, VIOLATED, ERROR = 0, 1, 2
MORE = 100
TURNS = 5
NAMES = ("data-scientist", "manager", "cto", "reconciler")
CHECK = (sys.executable, "-m", "ordain.cli", "check")

RULES = {
    "purpose": "size(object.spec.purpose) >= 20 && object.spec.purpose.size() <= 400",
    "tier": "object.spec.tier in [1, 2, 3] && object.spec.tier == int(object.spec.tier)",
    "owner": "object.spec.owner.matches('^[a-z][a-z0-9-]*$')",
    "threads": "object.spec.training.threads == 1",
    "seed": "object.spec.training.seed >= 0 && object.spec.training.seed < 1000000",
    "metrics": "object.spec.acceptance.metrics.exists(m, m.name == 'roc_auc' && m.min >= 0.6)",
    "fairness": (
        "object.spec.acceptance.fairness.all(f, f.min >= 0.8 && f.alpha >= 0.05 && f.minCell >= 30)"
    ),
    "drift": "object.spec.?acceptance.?drift.?psi.?max.orValue(0.25) <= 0.25",
    "features": (
        "!('sex' in object.spec.features.include) && size(object.spec.features.include) <= 100"
    ),
    "labels": "has(object.metadata.labels.line) && object.metadata.labels.region != ''",
}
NAMED = re.compile(r"^[a-z][a-z0-9-]*\Z")


# The same rules as somebody would write them in Python: strict where CEL is.
def _number(value: Any) -> float:  # noqa: ANN401 - any JSON value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return value


def _text(value: Any) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        raise TypeError
    return value


PLAIN: dict[str, Callable[[dict[str, Any]], bool]] = {
    "purpose": lambda o: 20 <= len(_text(o["spec"]["purpose"])) <= 400,
    "tier": lambda o: o["spec"]["tier"] in {1, 2, 3} and _number(o["spec"]["tier"]) >= 1,
    "owner": lambda o: NAMED.search(_text(o["spec"]["owner"])) is not None,
    "threads": lambda o: _number(o["spec"]["training"]["threads"]) == 1,
    "seed": lambda o: 0 <= _number(o["spec"]["training"]["seed"]) < 1_000_000,
    "metrics": lambda o: any(
        m["name"] == "roc_auc" and _number(m["min"]) >= 0.6
        for m in o["spec"]["acceptance"]["metrics"]
    ),
    "fairness": lambda o: all(
        _number(f["min"]) >= 0.8 and _number(f["alpha"]) >= 0.05 and _number(f["minCell"]) >= 30
        for f in o["spec"]["acceptance"]["fairness"]
    ),
    "drift": lambda o: (
        _number(o["spec"].get("acceptance", {}).get("drift", {}).get("psi", {}).get("max", 0.25))
        <= 0.25
    ),
    "features": lambda o: (
        "sex" not in o["spec"]["features"]["include"]
        and len(o["spec"]["features"]["include"]) <= 100
    ),
    "labels": lambda o: (
        "line" in o["metadata"]["labels"] and _text(o["metadata"]["labels"]["region"]) != ""
    ),
}


def written(name: str, expression: str) -> str:
    """One Policy document, as text."""
    return f"""apiVersion: ordain.dev/v1
kind: Policy
metadata: {{name: {name}}}
spec:
  match: {{kinds: [Model]}}
  validations:
    - expression: "{expression}"
      message: wrong
"""


def rule(name: str, expression: str) -> Rule:
    """One compiled rule."""
    parsed = parse(written(name, expression).encode(), "policies/bench.yaml")
    document, _ = read_document(parsed.nodes[0], "policies/bench.yaml")
    assert document is not None
    rules, findings = compile_rules(document, cel_engine())
    assert not findings, findings
    return rules[0]


def estate() -> LoadedEstate:
    """Models of which every fiftieth is wrong: a value, or a key that is missing."""
    files = {"ordain.yaml": b"apiVersion: ordain.dev/v1\nkind: Estate\nmetadata: {name: bench}\n"}
    for number in range(DOCUMENTS):
        text = model(number).replace(
            "\n    threads: 1", f"\n    threads: {2 - (number % 100 != 0)}"
        )
        if number % 100 == 50:
            text = text.replace(f"    seed: {number}\n", "")
        files[f"specs/model-{number}.yaml"] = text.encode()
    loaded = load_estate(files)
    assert len(loaded.all("Model")) == DOCUMENTS
    return loaded


def by_screen(screens: Screens, world: World) -> list[tuple[str, str, int]]:
    """The verdicts of the gate: its screen, and the exact answer where that is not content."""
    found = []
    for key, document in world.estate.documents.items():
        scope = Scope(world, document)
        for one in screens.discontent(document.kind, scope):
            outcome = one.checks[0].program.run(one.engine.bind({"object": document.raw}))
            verdict = ERROR if outcome.error else VIOLATED
            if not outcome.passed:
                found.append((key, one.name, verdict))
    return found


def by_python(world: World) -> list[tuple[str, str, int]]:
    """The verdicts of plain functions."""
    found = []
    for key, document in world.estate.documents.items():
        if document.kind != "Model":
            continue
        for name, function in PLAIN.items():
            try:
                if not function(document.raw):
                    found.append((key, name, VIOLATED))
            except (KeyError, TypeError):
                found.append((key, name, ERROR))
    return found


def by_evaluator(programs: dict[str, Any], exact: ExactEngine, world: World) -> list[Any]:
    """The verdicts of the C++ evaluator, with one activation for a document."""
    found = []
    for key, document in world.estate.documents.items():
        if document.kind != "Model":
            continue
        activation = exact.bind({"object": document.raw})
        for name, program in programs.items():
            outcome = run(program, activation)
            if outcome.error:
                found.append((key, name, ERROR))
            elif outcome.value is not True:
                found.append((key, name, VIOLATED))
    return found


def taken(function: Callable[[], object]) -> float:
    """CPU seconds."""
    begun = time.process_time()
    function()
    return time.process_time() - begun


def ratio(one: Callable[[], object], other: Callable[[], object], turns: int = 7) -> float:
    """How many times the second takes what the first takes: the median of some turns."""
    return statistics.median(taken(other) / taken(one) for _ in range(turns))


def main() -> int:
    compile_bytecode()
    world = World(estate(), "2026-11-20T00:00:00Z")
    rules = [rule(name, expression) for name, expression in RULES.items()]
    exact = ExactEngine()
    programs = {name: exact.compile(expression) for name, expression in RULES.items()}
    verdicts = sorted(by_python(world))
    # Everybody has compiled before the clock starts.
    screens = Screens(rules)
    assert verdicts == sorted(by_screen(screens, world))
    assert verdicts == sorted(by_evaluator(programs, exact, world))
    assert len(verdicts) == DOCUMENTS // 50
    assert {verdict for _, _, verdict in verdicts} == {VIOLATED, ERROR}

    def ours() -> None:
        by_screen(screens, world)

    held = [
        show(
            "ten rules, of plain Python functions",
            ratio(lambda: by_python(world), ours),
            2,
        ),
        show(
            "ten rules against the C++ evaluator, one activation a document",
            ratio(ours, lambda: by_evaluator(programs, exact, world)),
            8,
            at_least=True,
        ),
        hundred_more(),
    ]
    return 0 if all(held) else 1


def hundred_more() -> bool:
    """What a hundred rules more cost `ordain check` of 1,000 Models, of what it costs without."""
    chosen = itertools.islice(itertools.cycle(RULES.items()), MORE)
    text = "---\n".join(
        written(f"{name}-{n}", f"{text} && {n} >= 0") for n, (name, text) in enumerate(chosen)
    )
    with TemporaryDirectory() as name:
        directory = Path(name)
        people = organization({one: generate_key(one)[1] for one in NAMES})
        files = {f"specs/model-{n}.yaml": model(n).encode() for n in range(DOCUMENTS)}
        files |= {"ordain.yaml": settings().encode(), "specs/data.yaml": dataset().encode()}
        files |= {"specs/people.yaml": people.encode(), "reasons.yaml": b"reasons: []\n"}
        write(directory, files)
        extra = []
        for _ in range(TURNS):
            without = cpu(CHECK, runs=1, directory=directory)
            write(directory, {"policies/more.yaml": text.encode()})
            extra.append(cpu(CHECK, runs=1, directory=directory) / without - 1)
            (directory / "policies/more.yaml").unlink()
    title = "a hundred more rules on 1,000 documents, of the check without"
    return show(title, statistics.median(extra), 0.2)


if __name__ == "__main__":
    sys.exit(main())
