"""The loader beside PyYAML's CSafeLoader, and what loading costs a command.

Both read the same 1,000 documents of 90 lines, in turns, in one process; on these documents YAML
1.1 and 1.2 agree, so the values must be equal. Ours keeps the place of every key and value as well.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench._estates import LINES, model
from bench._floor import compile_bytecode, show, times_the_floor
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from collections.abc import Callable

DOCUMENTS = 1_000
FASTER = 1.5
LOAD = """
import sys
from pathlib import Path
from ordain.specs.estates import load_estate
from ordain.specs.references import check_references
from ordain.specs.trees import work_tree
estate = load_estate(work_tree(Path(sys.argv[1])))
findings = (*estate.findings, *check_references(estate))
sys.exit(f"{findings[0]}" if findings else 0)
"""


def dataset() -> str:
    """The Dataset of those models."""
    columns = "".join(f"    column_{index}: {{type: float}}\n" for index in range(LINES))
    return f"""apiVersion: ordain.dev/v1
kind: Dataset
metadata: {{name: applications}}
spec:
  source: {{type: csv, uri: data/applications.csv}}
  target: {{column: outcome, favourable: 0}}
  columns:
    outcome: {{type: int}}
    sex: {{type: category, role: protected}}
{columns}"""


def version(number: int) -> str:
    """A ModelVersion of a model."""
    digest = f"sha256:{number:064x}"
    return f"""apiVersion: ordain.dev/v1
kind: ModelVersion
metadata: {{name: model-{number}-1}}
spec:
  model: model-{number}
  version: 1
  recipe: {digest}
  inputs:
    spec: {digest}
    dataset: {digest}
    data: {digest}
    environment: {digest}
    seed: 7
    threads: 1
  artifact: {digest}
  evidence: {digest}
  split: {digest}
  metrics: {{roc_auc: 0.81, ece: 0.02}}
"""


def estate(directory: Path, models: int, versions: int) -> None:
    """An estate without a finding."""
    environment = "spec: {environments: [{name: production}]}"
    head = "apiVersion: ordain.dev/v1\nkind: Estate\nmetadata: {name: bench}\n"
    (directory / "ordain.yaml").write_text(head + environment + "\n")
    specs = directory / "specs"
    specs.mkdir()
    (specs / "applications.yaml").write_text(dataset())
    for number in range(models):
        (specs / f"model-{number}.yaml").write_text(model(number))
    for number in range(versions):
        (specs / f"model-{number}-1.yaml").write_text(version(number))


def in_turns(first: Callable[[], object], second: Callable[[], object]) -> float:
    """How many times faster the first is than the second: the median of five turns, CPU time."""
    ratios = []
    for _ in range(5):
        taken = []
        for run in (first, second):
            begun = time.process_time()
            run()
            taken.append(time.process_time() - begun)
        ratios.append(taken[1] / taken[0])
    return statistics.median(ratios)


def against_pyyaml() -> float:
    """How many times faster than CSafeLoader the loader is, on equal values."""
    texts = [model(number).encode() for number in range(DOCUMENTS)]
    for text in texts[:20]:
        assert text.count(b"\n") == LINES
        parsed = parse(text, "model.yaml")
        assert not parsed.findings
        assert parsed.nodes[0].value == yaml.load(text, yaml.CSafeLoader)

    def ours() -> None:
        for text in texts:
            parse(text, "model.yaml")

    def theirs() -> None:
        for text in texts:
            yaml.load(text, yaml.CSafeLoader)

    return in_turns(ours, theirs)


def of_an_estate(models: int, versions: int, runs: int) -> float:
    """CPU of loading and checking an estate, as a multiple of `python -c pass`."""
    with TemporaryDirectory() as name:
        directory = Path(name)
        estate(directory, models, versions)
        return times_the_floor((sys.executable, "-c", LOAD, name), runs=runs)


def main() -> int:
    compile_bytecode()
    held = [
        show(
            "loader against CSafeLoader, 1,000 documents", against_pyyaml(), FASTER, at_least=True
        ),
        show("load and check 200 documents, of python -c pass", of_an_estate(99, 99, 5), 25),
        show("load and check 2,000 documents, of python -c pass", of_an_estate(1000, 998, 3), 90),
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
