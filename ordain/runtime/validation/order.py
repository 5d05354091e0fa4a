"""The order for one validation: a file that a process can be started with and adopted by.

A job is a directory, as that of a training is: `job.json` says what to do, `validation.json` and at
last `result.json` say what came of it. The order names its rows and artifacts by digest, and holds
the specs and the texts of files themselves: the tree may have moved on when the job runs.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.errors import ValidationOrderError
from ordain.runtime.training.order import JOB
from ordain.specs.canonical import canonical_json, sha256
from ordain.specs.features import with_protected
from ordain.specs.kinds import kind_validator
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from ordain.specs.kinds.dataset import Dataset, Target
    from ordain.specs.kinds.model import Model
    from ordain.specs.validations import ValidationReport

FORMAT: Final = "ordain.validation-job/1"
RESULT_FORMAT: Final = "ordain.validation-result/1"
VALIDATION: Final = "validation.json"
REMEDY: Final = "let `ordain validate` or the reconciler write the order"
_TEXTS: Final = ("model", "artifact", "part", "environment", "store", "tool")
_OPTIONAL: Final = ("champion", "split", "edge_cases", "reasons")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationOrder:
    """Which artifact to validate, on which rows, and against what.

    The rows are those of the snapshot that the `store` has under the digest of `data`: the test
    part of them, made again by the split of the Model and the seed of its training, or all of them
    where `part` is empty. `split` is the digest that the split must have then, as the evidence of
    the training says; None where nobody knows it. `champion` is the artifact of the version now
    running, `environment` the text of the environment lock, `edge_cases` and `reasons` the texts of
    the two files that the Model names, `tool` the version of ordain. `own` is the Dataset that the
    model learns from, which says what outcomes mean and who is protected; None where it is `data`.
    """

    model: str
    spec: Model
    artifact: str
    dataset: str
    data: Dataset
    part: str
    split: str | None
    champion: str | None
    edge_cases: str | None
    reasons: str | None
    environment: str
    store: Path
    seed: int
    tool: str
    own: Dataset | None = None

    @property
    def meant(self) -> Target | None:
        """Which outcome is positive and which is good, as the model has learnt it.

        It is never what the rows of a validation say: their Dataset could say the opposite.
        """
        return (self.own or self.data).target

    @property
    def groups(self) -> Dataset:
        """The Dataset of the rows, with every column that is protected where the model learns."""
        return with_protected(self.data, self.own)

    @property
    def threads(self) -> int:
        """As many as the training had; one for a model that was taken over."""
        return 1 if self.spec.training is None else self.spec.training.threads

    @property
    def inputs(self) -> dict[str, str]:
        """The digests of the texts that are read, those that are there."""
        texts = {"edge_cases": self.edge_cases, "reasons": self.reasons}
        return {name: sha256(text.encode()) for name, text in texts.items() if text is not None}

    @property
    def digest(self) -> str:
        """What names the work: equal orders give equal documents, but for the time of answers."""
        plain = self._plain()
        del plain["store"]
        return sha256(canonical_json(plain))

    def to_json(self) -> bytes:
        """The bytes of job.json."""
        return canonical_json(self._plain())

    def _plain(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "model": self.model,
            "spec": to_plain(self.spec),
            "artifact": self.artifact,
            "dataset": {"name": self.dataset, "spec": to_plain(self.data)},
            "part": self.part,
            "split": self.split,
            "champion": self.champion,
            "edge_cases": self.edge_cases,
            "reasons": self.reasons,
            "environment": self.environment,
            "store": str(self.store),
            "seed": self.seed,
            "tool": self.tool,
            "own": None if self.own is None else to_plain(self.own),
        }


def result_of(report: ValidationReport) -> bytes:
    """The bytes of result.json."""
    return canonical_json(
        {
            "format": RESULT_FORMAT,
            "model": report.model,
            "artifact": report.artifact,
            "data": report.data,
            "part": report.part,
            "validation": report.digest,
            "verdict": report.verdict,
        }
    )


def read_order(path: Path) -> ValidationOrder:
    """The order in a file.

    Raises:
        ValidationOrderError: when there is none, or it cannot be read.
    """
    from pydantic_core import ValidationError

    try:
        raw = json.loads(path.read_bytes())
        if raw.pop("format") != FORMAT:
            raise ValueError(FORMAT)
        return _order(raw)
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}"
        raise ValidationOrderError(message, remedy=REMEDY) from error
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError) as error:
        message = f"{path} is no order of the format {FORMAT}"
        raise ValidationOrderError(message, remedy=REMEDY) from error


def _order(raw: dict[str, Any]) -> ValidationOrder:
    dataset, own = raw.pop("dataset"), raw.pop("own", None)
    if not all(isinstance(raw[name], str) for name in _TEXTS):
        raise TypeError(_TEXTS)
    if not all(raw[name] is None or isinstance(raw[name], str) for name in _OPTIONAL):
        raise TypeError(_OPTIONAL)
    if type(raw["seed"]) is not int or raw["part"] not in {"", "test"}:
        raise ValueError(raw["part"])
    return ValidationOrder(
        spec=kind_validator("Model").validate_python(raw.pop("spec")),
        dataset=dataset["name"],
        data=kind_validator("Dataset").validate_python(dataset["spec"]),
        own=None if own is None else kind_validator("Dataset").validate_python(own),
        store=Path(raw.pop("store")),
        **raw,
    )


def write_order(directory: Path, order: ValidationOrder) -> None:
    """Write the order into its directory, which is made.

    Raises:
        ValidationOrderError: when it cannot be written.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / JOB, order.to_json())
    except OSError as error:
        message = f"{directory / JOB}: cannot be written: {error.strerror}"
        raise ValidationOrderError(message, remedy="free space, or mend the rights") from error
