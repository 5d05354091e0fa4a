"""What the language can say and this version of ordain does not do.

The language is declared once and grows into its meaning. A field that is accepted and silently not
done is the worst answer a governance tool can give, so everything that no part of ordain acts on
yet stands in this table and is an error where it is used. Whoever builds the part deletes the row.
A default is always supported, whether it is written out or not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.kinds.estate import CATALOGUE_DATE
from ordain.specs.paths import values_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.specs.documents import Document, LoadedEstate

_ERROR, _WARNING = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A field of which only some values are acted on; `supported` empty means none but its absence.

    `instead` says what this version does.
    """

    path: str
    supported: tuple[Any, ...]
    instead: str
    severity: Severity = _ERROR
    _steps: tuple[str, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Take the path apart once; every document of its kind is held against it."""
        object.__setattr__(self, "_steps", tuple(self.path.split(".")))

    def holds(self, raw: Any) -> bool:  # noqa: ANN401 - any YAML value
        """Whether a document surely declares nothing that is not done."""
        value = raw
        for step in self._steps:
            if not isinstance(value, dict):
                # A star, or nothing: that is looked at one by one.
                return False
            if step not in value:
                return step != "*"
            value = value[step]
        return value in self.supported


UNSUPPORTED: Final[dict[str, tuple[Unsupported, ...]]] = {
    "AlertChannel": (Unsupported("spec", (), "it sends no alert yet", _WARNING),),
    "Deployment": (
        Unsupported("spec.mode", ("online",), "it serves requests only"),
        Unsupported("spec.source", ("",), "it serves requests only"),
        Unsupported("spec.sink", ("",), "it serves requests only"),
        Unsupported("spec.schedule", ("",), "it serves requests only"),
        Unsupported("spec.objectives.latencyP99", (None,), "nobody watches it", _WARNING),
        Unsupported("spec.objectives.availability", (None,), "nobody watches it", _WARNING),
        Unsupported("spec.target", ("environment",), "the environment decides what runs it"),
        Unsupported("spec.rollout.strategy", ("replace",), "a new version replaces the old one"),
        Unsupported("spec.rollout.steps", ([],), "a new version replaces the old one"),
    ),
    "Estate": (
        Unsupported("spec.environments.*.target", ("local", "kubernetes"), "it runs local work"),
        Unsupported("spec.stateStore", ("",), "state is kept on this machine"),
        Unsupported("spec.artifactStore", ("",), "artifacts are kept on this machine"),
        Unsupported(
            "spec.catalogueDate", (CATALOGUE_DATE,), "it has the catalogue of one day", _WARNING
        ),
    ),
    "Model": (
        Unsupported("spec.training.automl.alternatives", (None,), "it looks for none yet"),
        Unsupported("spec.training.calibrate", (None,), "it does not calibrate"),
    ),
    "Monitor": (Unsupported("spec.onBreach.*", ("alert",), "a breach is recorded and shown"),),
    "ReportSchedule": (Unsupported("spec", (), "reports are written on demand", _WARNING),),
}


# What a Deployment may ask for that only some targets can give.
_LOCAL: Final = (
    Unsupported("spec.replicas", (1,), "one process serves a local environment", _WARNING),
    Unsupported("spec.size", ("small",), "a local process has what the machine has", _WARNING),
)


class Support:
    """A finding for everything that is declared and would not be done."""

    def __init__(self, estate: LoadedEstate) -> None:
        self._estate = estate

    def of(self, document: Document) -> Iterator[Finding]:
        """What of one document would not be done."""
        rows = UNSUPPORTED.get(document.kind, ())
        if document.kind == "Deployment" and document.spec.environment in self._local():
            rows += _LOCAL
        for row in rows:
            if not row.holds(document.raw):
                for path, value in values_at(document.raw, row.path):
                    if value not in row.supported:
                        yield _finding(document, row, path, value)

    def _local(self) -> frozenset[str]:
        """The environments that run on this machine."""
        estates = self._estate.all("Estate")
        places = (place for estate in estates for place in estate.spec.environments)
        return frozenset(place.name for place in places if place.target == "local")


def _finding(document: Document, row: Unsupported, path: Any, value: Any) -> Finding:  # noqa: ANN401
    if len(path) == 1:
        subject, place = f"the kind {document.kind}", document.location
    elif isinstance(value, dict | list):
        subject, place = f"`{path[-1]}`", document.marks.key(*path)
    else:
        name = next(step for step in reversed(path) if isinstance(step, str))
        subject, place = f"`{name}: {value}`", document.marks.value(*path)
    message = f"{subject} is declared, but this version of ordain does not do it: {row.instead}"
    scalars = [str(value) for value in row.supported if isinstance(value, str | float)]
    remedy = f"write {' or '.join(scalars)}" if scalars else "remove it for now"
    return Finding("SPEC120", row.severity, message, place, (), remedy)
