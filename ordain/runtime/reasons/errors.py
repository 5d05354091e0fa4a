"""Why a prediction cannot be explained.

ReasonsError            RUN170   base: the attributions cannot be made
├── ReplayError         RUN171   the recorded inputs do not give the recorded output again
└── ReasonCodesError    RUN172   the reason codes do not fit the model
"""

from __future__ import annotations

from ordain.runtime.errors import RunError


class ReasonsError(RunError):
    """The attributions cannot be made, or do not add up."""

    code = "RUN170"


class ReplayError(ReasonsError):
    """The recorded inputs through the recorded artifact do not give the recorded output."""

    code = "RUN171"


class ReasonCodesError(ReasonsError):
    """The file of reason codes is wrong, or does not fit the model."""

    code = "RUN172"
