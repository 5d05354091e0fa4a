"""Writing the logical digest of a dataset's content into its document, comments kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.errors import FindingsError, OrdainError
from ordain.specs.findings import blocking

if TYPE_CHECKING:
    from pathlib import Path

    from ordain.specs.documents import Document, LoadedEstate


class PinningError(OrdainError):
    """There is nothing to pin."""

    code = "CLI002"


def pin_datasets(root: Path, names: tuple[str, ...] = ()) -> dict[str, tuple[str, bool]]:
    """Pin the named datasets, or all; returns name to (digest, whether the document changed).

    Raises:
        FindingsError: the estate's documents do not pass their schema.
        PinningError: there is no such dataset.
        DataError: a table cannot be read or is not what is declared.
    """
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import WorkTree

    estate = load_estate(WorkTree(root))
    if blocking(estate.findings):
        message = "the documents must pass their schema before data is pinned"
        raise FindingsError(message, estate.findings, remedy="mend what is listed above")
    return {document.name: _pin(root, document) for document in _chosen(estate, names)}


def _chosen(estate: LoadedEstate, names: tuple[str, ...]) -> tuple[Document, ...]:
    known = {document.name: document for document in estate.all("Dataset")}
    for name in names:
        if name not in known:
            message = f"there is no Dataset {name!r}"
            raise PinningError(message, remedy=f"one of: {', '.join(known) or 'none is declared'}")
    return tuple(known[name] for name in names or known)


def _pin(root: Path, document: Document) -> tuple[str, bool]:
    from ordain.runtime.datasets.reading import digest_of
    from ordain.specs.document_edits import set_in_document

    digest = digest_of(document.spec, root)
    if document.spec.digest == digest:
        return digest, False
    file = root / document.path
    file.write_bytes(set_in_document(file.read_bytes(), document, ("spec", "digest"), digest))
    return digest, True
