"""The file of reason codes that a Model names, as far as the documents tell whether it fits.

Without the file a validation has no codes to examine, and a refused person would be told the names
of columns. That is found here and not after an hour of training. How a file is read is the work of
the runtime; here is asked whether it is there, and whether its reasons and the features are each
other's: an input without a reason could decide a case and never be named.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.features import feature_names
from ordain.specs.findings import Finding, Severity
from ordain.specs.loader import parse
from ordain.specs.spelling import did_you_mean
from ordain.specs.trees import file_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ordain.specs.documents import Document, LoadedEstate

CODE: Final = "SPEC168"
_AT: Final = ("spec", "explanation", "reasons")


def check_reasons(
    document: Document, estate: LoadedEstate, files: Mapping[str, bytes]
) -> Iterator[Finding]:
    """A file that is not there, and reasons that do not fit the features of the Model."""
    path = document.spec.explanation.reasons
    if path is None:
        return
    data = file_in(files, path)
    if data is None:
        message = f"the file `{path}` is not in the estate"
        yield _error(document, message, "write it, or correct the path")
        return
    mapped = _mapped(data, path)
    dataset = estate.get("Dataset", document.spec.dataset)
    if mapped is None:
        message = f"`{path}` is no file of reason codes"
        remedy = "write `reasons:` as a list of {code: R01, text: …, features: [name, …]}"
        yield _error(document, message, remedy)
    elif dataset is not None:
        yield from _unfitting(document, mapped, feature_names(document.spec.features, dataset.spec))


def _unfitting(
    document: Document, mapped: Sequence[str], known: tuple[str, ...]
) -> Iterator[Finding]:
    path = document.spec.explanation.reasons
    for name in sorted(set(mapped) - set(known)):
        message = f"a reason in `{path}` speaks for `{name}`, which is no feature"
        yield _error(document, message, did_you_mean(name, known) or "take it out of the reason")
    # Which features a selection drops is known after the training only.
    kept = known if document.spec.features.select is None else ()
    for name in kept:
        if name not in mapped:
            message = f"no reason in `{path}` speaks for the feature `{name}`"
            yield _error(document, message, "add it to the features of a reason")


# Models of one product line share a file, and a check asks for each of them.
@lru_cache(maxsize=64)
def _mapped(data: bytes, path: str) -> tuple[str, ...] | None:
    """The features that reasons speak for; None where the file is no list of reasons."""
    parsed = parse(data, path)
    value: Any = parsed.nodes[0].value if len(parsed.nodes) == 1 else None
    listed = value.get("reasons") if isinstance(value, dict) and not parsed.findings else None
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        return None
    found = [one.get("features") for one in listed]
    if not found or not all(isinstance(names, list) for names in found):
        return None
    return tuple(name for names in found for name in names if isinstance(name, str))


def _error(document: Document, message: str, remedy: str) -> Finding:
    return Finding(CODE, Severity.ERROR, message, document.marks.value(*_AT), remedy=remedy)
