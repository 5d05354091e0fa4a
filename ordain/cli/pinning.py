"""Pinning: the rows of a Dataset into the artifact store, and their digest into its document.

Documents are written last and all together, comments kept: what cannot be read, kept or written
leaves every document as it was. A snapshot that no document names does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ordain.specs.errors import FindingsError, OrdainError
from ordain.specs.findings import blocking

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from ordain.runtime.datasets.snapshots import Kept, Snapshots
    from ordain.runtime.datasets.taking import Origin, Taker
    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.dataset import Dataset


class PinningError(OrdainError):
    """There is nothing to pin."""

    code = "CLI002"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where snapshots are kept and who takes them; `write` false leaves everything as it is.

    `progress` is told name and rows so far; `signer` says whose signature a kept snapshot has, if
    it holds. `as_of` is the day up to which outcomes were seen, where somebody says it; `committed`
    is that day by Dataset as it was reviewed, from which a day written by hand is told.
    """

    snapshots: Snapshots
    taker: Taker
    progress: Callable[[str, int], None]
    signer: Callable[[Kept], str | None]
    write: bool = True
    as_of: str | None = None
    committed: Mapping[str, str | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pinned:
    """What was found of a Dataset; `fields` are those of its document that change.

    `was` is the `asOf` that its document had.
    """

    name: str
    digest: str
    fields: Mapping[str, str]
    rows: int | None = None
    snapshot: str | None = None
    signed_by: str | None = None
    was: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The row of `--output json`."""
        return {
            "dataset": self.name,
            "digest": self.digest,
            "changed": dict(self.fields),
            "rows": self.rows,
            "snapshot": self.snapshot,
            "signedBy": self.signed_by,
        }


def estate_to_pin(root: Path) -> LoadedEstate:
    """The documents of a work tree.

    Raises:
        FindingsError: they do not pass their schema.
    """
    from ordain.specs.estates import load_estate
    from ordain.specs.trees import WorkTree

    estate = load_estate(WorkTree(root))
    if blocking(estate.findings):
        message = "the documents must pass their schema before data is pinned"
        raise FindingsError(message, estate.findings, remedy="mend what is listed above")
    return estate


def pin_digests(
    root: Path, documents: Sequence[Document], environ: Mapping[str, str]
) -> list[Pinned]:
    """Write digests only; snapshots are taken by whoever needs them first.

    Raises:
        DataError: a table cannot be read or is not what is declared.
        OSError: a document cannot be written; then none is.
    """
    from ordain.runtime.datasets.taking import digest_of_source

    digests = {one.name: digest_of_source(_origin(one, root, environ)) for one in documents}
    fields = {
        one.name: {"digest": digests[one.name]}
        for one in documents
        if one.spec.digest != digests[one.name]
    }
    write_fields(root, [one for one in documents if one.name in fields], fields)
    return [Pinned(name, digest, fields.get(name, {})) for name, digest in digests.items()]


def pin_datasets(
    root: Path, documents: Sequence[Document], environ: Mapping[str, str], keeping: Keeping
) -> list[Pinned]:
    """Pin datasets one after the other, then write their documents.

    Raises:
        DataError: a table cannot be read or is not what is declared.
        ArtifactError: a snapshot cannot be written.
        OSError: a document cannot be written; then none is.
    """
    found = [_pin(one, _origin(one, root, environ), keeping) for one in documents]
    if keeping.write:
        write_pinned(root, documents, found)
    return found


def write_pinned(root: Path, documents: Sequence[Document], found: Sequence[Pinned]) -> None:
    """Write what was found into the documents.

    Raises:
        OSError: a document cannot be written; then none is.
    """
    fields = {one.name: one.fields for one in found if one.fields}
    write_fields(root, [one for one in documents if one.name in fields], fields)


def _origin(document: Document, root: Path, environ: Mapping[str, str]) -> Origin:
    from ordain.runtime.datasets.taking import Origin

    return Origin(document.name, document.spec, root, environ)


def _pin(document: Document, origin: Origin, keeping: Keeping) -> Pinned:
    from ordain.runtime.datasets.expectations import check_expectations, check_freshness
    from ordain.runtime.datasets.reading import rows_of
    from ordain.runtime.datasets.taking import drafted

    def told(rows: int) -> None:
        keeping.progress(document.name, rows)

    taker, found = keeping.taker, Pinned(document.name, "", {}, was=document.spec.as_of)
    with drafted(origin, keeping.snapshots, told) as draft:
        fields = _fields(document, draft.digest, keeping)
        with rows_of(draft) as rows:
            check_expectations(_as_of(document.spec, fields), rows)
            check_freshness(document.spec, _newest(document.spec, rows), taker.now)
        if not keeping.write:
            return replace(found, digest=draft.digest, fields=fields, rows=draft.rows)
        kept = draft.keep(keeping.snapshots, taker, lambda kept: keeping.signer(kept) is not None)
    snapshot = kept.snapshot
    by = keeping.signer(kept)
    return replace(
        found,
        digest=snapshot.digest,
        fields=fields,
        rows=snapshot.rows,
        snapshot=snapshot.blob,
        signed_by=by,
    )


def _as_of(dataset: Dataset, fields: Mapping[str, str]) -> Dataset:
    """The Dataset as it will be pinned: which outcomes are final is counted from that day."""
    return replace(dataset, as_of=fields.get("asOf", dataset.as_of))


def _newest(dataset: Dataset, rows: Any) -> datetime | None:  # noqa: ANN401 - a table, or columns of one
    """The time of the newest row, in UTC; None without a time column, or without any time."""
    import pyarrow.compute as pc

    if dataset.time is None or dataset.time not in rows.column_names:
        return None
    found: datetime | None = pc.max(rows[dataset.time]).as_py()
    return found


def _fields(document: Document, digest: str, keeping: Keeping) -> dict[str, str]:
    """What changes in the document.

    Outcomes are known up to the day on which content was taken, unless somebody has said another
    one: an export of last year knows nothing of this one.
    """
    dataset = document.spec
    fields = {} if dataset.digest == digest else {"digest": digest}
    delayed = dataset.target is not None and dataset.target.mature_after is not None
    by_hand = dataset.as_of not in (None, keeping.committed.get(document.name))
    day = keeping.as_of
    if day is None and delayed and not by_hand and (fields or dataset.as_of is None):
        day = keeping.taker.now.date().isoformat()
    return fields if day in (None, dataset.as_of) else fields | {"asOf": day}


def chosen(estate: LoadedEstate, names: tuple[str, ...]) -> tuple[Document, ...]:
    """The named datasets, or all.

    Raises:
        PinningError: there is no such dataset.
    """
    known = {document.name: document for document in estate.all("Dataset")}
    for name in names:
        if name not in known:
            message = f"there is no Dataset {name!r}"
            raise PinningError(message, remedy=f"one of: {', '.join(known) or 'none is declared'}")
    return tuple(known[name] for name in names or known)


def write_fields(
    root: Path, documents: Iterable[Document], fields: Mapping[str, Mapping[str, str]]
) -> None:
    """Put fields of the spec into their documents; several may stand in one file."""
    from ordain.specs.document_edits import set_in_document
    from ordain.specs.files import written_whole

    content: dict[Path, bytes] = {}
    for document in documents:
        file = root / document.path
        data = content[file] if file in content else file.read_bytes()
        for name, value in fields[document.name].items():
            data = set_in_document(data, document, ("spec", name), value)
        content[file] = data
    with written_whole() as write:
        for file, data in content.items():
            write(file, data)
