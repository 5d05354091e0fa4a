"""What a plan is made of: frozen stages that both `plan` and `apply` walk.

A stage says what will be done in words (`explain`) and in data (`to_json`); how it is done is the
driver's. The symbols are those of every planning tool: `+` makes, `~` changes, `-` takes away.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Stage:
    """The base of all stages."""

    symbol: ClassVar[str] = " "

    def explain(self) -> str:
        """One line for people."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The stage as data, with its type's name."""
        return {"stage": type(self).__name__, **asdict(self)}


@dataclass(frozen=True, slots=True)
class Train(Stage):
    """Make the artifact of a recipe and the evidence on it."""

    symbol: ClassVar[str] = "+"
    model: str
    recipe: str

    def explain(self) -> str:
        return f"train {self.model} (recipe {_short(self.recipe)})"


@dataclass(frozen=True, slots=True)
class Validate(Stage):
    """Look at an artifact as a server would meet it, on the rows that the Model declares.

    `artifact` is empty while nobody knows what the recipe will give.
    """

    symbol: ClassVar[str] = "+"
    model: str
    recipe: str
    artifact: str = ""

    def explain(self) -> str:
        what = f"artifact {_short(self.artifact)}" if self.artifact else "what that makes"
        return f"validate {self.model} ({what})"


@dataclass(frozen=True, slots=True)
class Rebuild(Stage):
    """Make an artifact again that is missing or was changed; it must come out the same."""

    symbol: ClassVar[str] = "~"
    model: str
    version: int
    recipe: str
    artifact: str

    def explain(self) -> str:
        wrong = "is missing from the store or was changed"
        return f"rebuild {self.model}@{self.version} ({_short(self.artifact)} {wrong})"


@dataclass(frozen=True, slots=True)
class Withdraw(Stage):
    """Close a proposal that newer declarations have overtaken."""

    symbol: ClassVar[str] = "-"
    proposal: str
    model: str

    def explain(self) -> str:
        why = f"{self.model} is declared or validated otherwise now"
        return f"withdraw the proposal {self.proposal}: {why}"


@dataclass(frozen=True, slots=True)
class Propose(Stage):
    """Propose the version that a recipe made, if its evidence and its validation allow it."""

    symbol: ClassVar[str] = "+"
    model: str
    version: int
    recipe: str

    def explain(self) -> str:
        return f"propose {self.model}@{self.version} for approval"


@dataclass(frozen=True, slots=True)
class Serve(Stage):
    """Start serving an environment, or bring it to another configuration without a gap."""

    environment: str
    config: str
    running: bool
    reason: str

    symbol: ClassVar[str] = "~"

    def explain(self) -> str:
        verb = "update" if self.running else "start"
        return f"{verb} serving of {self.environment}: {self.reason}"


@dataclass(frozen=True, slots=True)
class StopServing(Stage):
    """Stop the serving processes of an environment."""

    symbol: ClassVar[str] = "-"
    environment: str

    def explain(self) -> str:
        return f"stop serving of {self.environment}: git declares no route there"


@dataclass(frozen=True, slots=True)
class Enrol(Stage):
    """Take a model into the inventory."""

    symbol: ClassVar[str] = "+"
    model: str

    def explain(self) -> str:
        return f"enrol {self.model} in the inventory"


@dataclass(frozen=True, slots=True)
class Retire(Stage):
    """Leave a tombstone for a model whose document is gone; artifacts and records stay."""

    symbol: ClassVar[str] = "-"
    model: str

    def explain(self) -> str:
        return f"retire {self.model}: its document is gone; artifacts and records stay"


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
