"""One version of a model, found by its name `MODEL@VERSION`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.policies.lookups import versions_of
from ordain.reconciler.errors import VersionUnknown
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from ordain.specs.documents import Document, LoadedEstate


def version_named(estate: LoadedEstate, model: str, number: int) -> Document:
    """The ModelVersion.

    Raises:
        VersionUnknown: naming the models, or the versions of this one, that there are.
    """
    versions = versions_of(estate)
    found = versions.get((model, number))
    if found is not None:
        return found
    numbers = sorted(version for name, version in versions if name == model)
    if numbers:
        message = f"{model} has no version {number}"
        raise VersionUnknown(message, remedy=f"one of: {', '.join(map(str, numbers))}")
    models = sorted({name for name, _ in versions})
    close = did_you_mean(model, models)
    message = f"no version of a model {model!r} was ever approved"
    known = f"one of: {', '.join(models)}" if models else "approve a proposal; none was until now"
    raise VersionUnknown(message, remedy=close or known)
