"""What can go wrong with compiled work.

    RunError                     RUN100   the base: something that the work needs is wrong
    ├── ArtifactError            RUN110   a blob is missing, was changed, or is of a refused format
    │   ├── SkopsError           RUN111   a stored pipeline names what may run, or cannot be opened
    │   ├── OnnxError            RUN112   an ONNX form is not one that this tool writes
    │   ├── FormError            RUN113   a fitted pipeline has no form that may be stored
    │   └── ProvenanceError      RUN115   nobody trusted says where an artifact came from
    ├── PlanError                RUN120   the plan of a fitted model cannot be read
    ├── RowError                 RUN121   a row does not fit the plan
    ├── LockError                RUN130   the installed packages are not those of the lock
    ├── SnapshotError            RUN142   the snapshot of pinned data is missing, or was changed
    ├── DataError                RUN140   the data are not what the Dataset declares
    │   ├── SourceError          RUN141   the source does not give the rows
    │   ├── MaturityError        RUN143   outcomes are learnt from before they are final
    │   └── LeakError            RUN144   a feature gives the outcome, or who somebody is, away
    ├── TrainingError            RUN150   the Model asks for what training cannot do
    │   ├── SplitError           RUN151   the rows cannot be divided as declared
    │   ├── ParityError          RUN152   the plan does not answer as the fitted pipeline does
    │   └── JobError             RUN153   the order for a training job cannot be read
    ├── Cancelled                RUN154   somebody stopped a run that was going on
    ├── ImportRefused            RUN165   a model that exists already cannot be taken over
    └── ValidationRefused        RUN180   the artifact or the rows are not those of the order
        ├── ValidationOrderError RUN181   the order for a validation cannot be read
        └── EdgeCasesError       RUN182   the file of edge cases cannot be read

The split by class is by who mends it: the store's operator, whoever owns the environment, the data
or the Model. `RUN152` alone is a defect of ours or of a library, and so is `RUN199`, which has no
class: it is what a training process leaves behind when it breaks.
"""

from __future__ import annotations

from ordain.specs.errors import OrdainError


class RunError(OrdainError):
    """Something that compiled work needs is wrong."""

    code = "RUN100"


class ArtifactError(RunError):
    """A blob is missing, was changed, or is of a format that is refused."""

    code = "RUN110"


class SkopsError(ArtifactError):
    """A stored pipeline names something that may run, or cannot be opened."""

    code = "RUN111"


class OnnxError(ArtifactError):
    """An ONNX form is not one that this tool writes."""

    code = "RUN112"


class FormError(ArtifactError):
    """A fitted pipeline has no form that may be stored."""

    code = "RUN113"


class ProvenanceError(ArtifactError):
    """Nobody trusted says where an artifact came from."""

    code = "RUN115"


class PlanError(RunError):
    """The plan of a fitted model cannot be read."""

    code = "RUN120"


class RowError(RunError):
    """A row does not fit the plan; `field` names the input."""

    code = "RUN121"

    def __init__(self, field: str, message: str, *, remedy: str = "") -> None:
        super().__init__(f"input {field}: {message}", remedy=remedy)
        self.field = field


class LockError(RunError):
    """The installed packages are not those of the environment lock."""

    code = "RUN130"


class DataError(RunError):
    """The data are not what the Dataset declares."""

    code = "RUN140"


class SourceError(DataError):
    """The source does not give the rows: it is away, refuses, or is not the one that is meant."""

    code = "RUN141"


class SnapshotError(RunError):
    """The snapshot of pinned data is missing from the artifact store, or was changed."""

    code = "RUN142"


class MaturityError(DataError):
    """Outcomes would be learnt from before they are final."""

    code = "RUN143"


class LeakError(DataError):
    """A feature gives the outcome away, or repeats what is never a feature."""

    code = "RUN144"


class TrainingError(RunError):
    """The Model asks for what training cannot do."""

    code = "RUN150"


class SplitError(TrainingError):
    """The rows cannot be divided as declared."""

    code = "RUN151"


class ParityError(TrainingError):
    """The plan does not answer as the fitted pipeline does; nothing may be served from it."""

    code = "RUN152"


class JobError(TrainingError):
    """The order for a training job cannot be read."""

    code = "RUN153"


class Cancelled(RunError):
    """Somebody stopped a run that was going on."""

    code = "RUN154"


class ImportRefused(RunError):
    """A model that exists already cannot be taken over."""

    code = "RUN165"


class ValidationRefused(RunError):
    """The artifact or the rows of a validation are not those that its order names."""

    code = "RUN180"


class ValidationOrderError(ValidationRefused):
    """The order for a validation cannot be read."""

    code = "RUN181"


class EdgeCasesError(ValidationRefused):
    """The file of edge cases cannot be read."""

    code = "RUN182"
