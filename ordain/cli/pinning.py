"""Writing the logical digest of a dataset's content into its document, comments kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.specs.errors import FindingsError, OrdainError
from ordain.specs.findings import blocking

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
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
        OSError: a document cannot be written; then none is.
    """
    from ordain.runtime.datasets.reading import digest_of
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import WorkTree

    estate = load_estate(WorkTree(root))
    if blocking(estate.findings):
        message = "the documents must pass their schema before data is pinned"
        raise FindingsError(message, estate.findings, remedy="mend what is listed above")
    chosen = _chosen(estate, names)
    digests = {document.name: digest_of(document.spec, root) for document in chosen}
    changed = [one for one in chosen if one.spec.digest != digests[one.name]]
    _write(root, changed, digests)
    written = {document.name for document in changed}
    return {name: (digest, name in written) for name, digest in digests.items()}


def _chosen(estate: LoadedEstate, names: tuple[str, ...]) -> tuple[Document, ...]:
    known = {document.name: document for document in estate.all("Dataset")}
    for name in names:
        if name not in known:
            message = f"there is no Dataset {name!r}"
            raise PinningError(message, remedy=f"one of: {', '.join(known) or 'none is declared'}")
    return tuple(known[name] for name in names or known)


def _write(root: Path, documents: Iterable[Document], digests: Mapping[str, str]) -> None:
    """Put the digests into the documents; several may stand in one file."""
    from ordain.specs.document_edits import set_in_document
    from ordain.specs.files import written_whole

    content: dict[Path, bytes] = {}
    for document in documents:
        file = root / document.path
        data = content[file] if file in content else file.read_bytes()
        digest = digests[document.name]
        content[file] = set_in_document(data, document, ("spec", "digest"), digest)
    with written_whole() as write:
        for file, data in content.items():
            write(file, data)
