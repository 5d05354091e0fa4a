"""The order for one training job: a file that a process can be started with and adopted by.

A job is a directory: `job.json` says what to do, `evidence.json` and at last `result.json` say what
came of it. Whoever finds the directory after a crash can tell which of the three it is, and start,
wait or read accordingly. The order holds the specs themselves and not a path into a work tree: the
tree may have moved on when the job runs.
"""

from __future__ import annotations

import json
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.errors import JobError
from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.kinds import kind_validator
from ordain.specs.plain import to_plain
from ordain.specs.recipes import Recipe, recipe_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.specs.evidence import Evidence
    from ordain.specs.kinds.dataset import Dataset
    from ordain.specs.kinds.model import Model

FORMAT = "ordain.job/2"
RESULT_FORMAT = "ordain.result/1"
JOB, EVIDENCE, RESULT = "job.json", "evidence.json", "result.json"
# What a run cost is of this machine and this hour, so it stands beside the evidence.
RESOURCES = "resources.json"
# What a search has tried, with what each trial took.
TRIALS = "trials.json"
# The loops of OpenBLAS by architecture: the oldest that every machine which trains can run.
KERNELS: Final = {"x86_64": "Haswell", "aarch64": "ARMV8"}
RUN_KERNELS: Final = ("x86-64-v3", "x86-64-v4")
REMEDY = "let `ordain train` or the reconciler write the order"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What to train, from what, in which environment, and where to put it.

    The rows are those of the snapshot that the `store` has under the digest of `data`; an order
    knows no other place of data. `environment` is the text of the environment lock; `champion` the
    artifact of the version now running; `tool` the version of ordain.
    """

    model: str
    spec: Model
    dataset: str
    data: Dataset
    recipe: Recipe
    environment: str
    store: Path
    champion: str | None
    tool: str

    def to_json(self) -> bytes:
        """The bytes of job.json."""
        return canonical_json(
            {
                "format": FORMAT,
                "model": self.model,
                "spec": to_plain(self.spec),
                "dataset": {"name": self.dataset, "spec": to_plain(self.data)},
                "recipe": asdict(self.recipe),
                "environment": self.environment,
                "store": str(self.store),
                "champion": self.champion,
                "tool": self.tool,
            }
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job has made; the artifact is in the store."""

    artifact: str
    evidence: Evidence

    def to_json(self) -> bytes:
        """The bytes of result.json."""
        metrics = {row.name: row.value for row in self.evidence.metrics if row.part == "test"}
        return canonical_json(
            {
                "format": RESULT_FORMAT,
                "model": self.evidence.model,
                "recipe": self.evidence.recipe,
                "artifact": self.artifact,
                "evidence": self.evidence.digest,
                "split": self.evidence.split,
                "verdict": self.evidence.verdict,
                "metrics": metrics,
            }
        )


def read_order(path: Path) -> Job:
    """The order in a file.

    Raises:
        JobError: when there is none, or it cannot be read.
    """
    from pydantic_core import ValidationError

    try:
        raw = json.loads(path.read_bytes())
        if raw.pop("format") != FORMAT:
            raise ValueError(FORMAT)
        return _job(raw)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise JobError(message, remedy=REMEDY) from error
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
        message = f"{path} is no order of the format {FORMAT}"
        raise JobError(message, remedy=REMEDY) from error


def _job(raw: dict[str, Any]) -> Job:
    dataset = raw.pop("dataset")
    texts = ("model", "environment", "store", "tool")
    if not all(isinstance(raw[name], str) for name in texts):
        raise TypeError(texts)
    return Job(
        model=raw.pop("model"),
        spec=kind_validator("Model").validate_python(raw.pop("spec")),
        dataset=dataset["name"],
        data=kind_validator("Dataset").validate_python(dataset["spec"]),
        recipe=Recipe(**raw.pop("recipe")),
        store=Path(raw.pop("store")),
        **raw,
    )


def write_job(directory: Path, job: Job) -> None:
    """Write the order into its directory, which is made.

    Raises:
        JobError: when it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / JOB, job.to_json())
    except OSError as error:
        message = f"{directory / JOB}: cannot be written: {error.strerror}"
        raise JobError(message, remedy="free space, or mend the rights") from error


def check_recipe(job: Job) -> None:
    """Refuse an order whose parts are not those that its recipe names.

    Raises:
        JobError: naming what differs.
    """
    expected = recipe_of(job.model, job.spec, job.data, sha256(job.environment.encode()))
    if expected is None:
        message = f"model {job.model} has no recipe: no training, or dataset {job.dataset} unpinned"
        raise JobError(message, remedy=f"set training, and run `ordain pin {job.dataset}`")
    found, wanted = asdict(job.recipe), asdict(expected)
    differing = [name for name in wanted if found[name] != wanted[name]]
    if differing:
        message = f"model {job.model}: the recipe names another {', '.join(differing)}"
        raise JobError(message, remedy=REMEDY)


def thread_environment(threads: int) -> dict[str, str]:
    """The variables that hold every numeric library to this many threads.

    They are read when the libraries load, so the parent of a job sets them.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    return dict.fromkeys(names, str(threads))


def numeric_environment(threads: int, architecture: str | None = None) -> dict[str, str]:
    """The threads, and the loops of linear algebra that this architecture is held to.

    OpenBLAS takes those of the processor that it finds, and two of them round a sum differently.
    """
    kernel = KERNELS.get(platform.machine() if architecture is None else architecture)
    pinned = {} if kernel is None else {"OPENBLAS_CORETYPE": kernel}
    return thread_environment(threads) | pinned


def refuse_processor(machine: Mapping[str, str]) -> None:
    """Refuse a processor that has not what the pinned loops are made of.

    Raises:
        JobError: naming what it is and what is needed.
    """
    level = machine.get("level")
    if level is None or level in RUN_KERNELS:
        return
    message = f"this processor is of the level {level}, and training needs x86-64-v3 (AVX2)"
    remedy = "train on a processor with AVX2: other loops would give other numbers"
    raise JobError(message, remedy=remedy)
