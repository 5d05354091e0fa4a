"""What is written down of a trial: what was tried, what it was worth, and why it ended.

`trials.json` stands beside the result of a run and is written again after every trial, so that
somebody who watches a search sees it grow. It holds what each trial took, which is of this machine;
the evidence holds none of that.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ordain.runtime.artifacts import write_atomically
from ordain.runtime.training.order import TRIALS
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

FORMAT: Final = "ordain.trials/1"

State = Literal["done", "stopped", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial.

    `changes` is what differs from the declared Model, under its names in YAML. `scores` are those
    of the folds that were looked at, in the units of the metric; `error` is the standard error of
    their mean, None where there is one fold. A trial that was `stopped` was not as good as the best
    one on the folds that it has, by more than chance. `seconds` are of the processor.
    """

    number: int
    family: str
    changes: dict[str, Any]
    state: State
    scores: tuple[float, ...] = ()
    mean: float | None = None
    error: float | None = None
    seconds: float = 0.0
    why: str = ""

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters of the estimator."""
        found: dict[str, Any] = self.changes.get("training", {}).get("parameters", {})
        return found


def untold(_trials: Sequence[Trial]) -> None:
    """Nobody wants to know of the trials."""


def into(directory: Path) -> Callable[[Sequence[Trial]], None]:
    """Writes `trials.json` into this directory, whole or not at all."""

    def keep(trials: Sequence[Trial]) -> None:
        plain = {"format": FORMAT, "trials": [asdict(one) for one in trials]}
        write_atomically(directory / TRIALS, canonical_json(plain))

    return keep
