"""Taking a snapshot: rows in, one Parquet file and a digest out, whatever the size of the table.

The file is written into the store under a name that nothing leads to (`newfiles`), and gets its own
name when it is complete and has been judged.

The same rows give the same bytes, however the source has cut them: the writer's settings are fixed,
and so are the rows of a group. Another version of pyarrow may write other bytes of the same
content, so the logical digest is the identity and the digest of the file proves its transport.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from ordain.runtime.datasets.casting import cast_batches, declared_schema
from ordain.runtime.datasets.digests import THREADS, TableHasher, plain_zeros
from ordain.runtime.datasets.newfiles import new_file, refused_writes
from ordain.runtime.datasets.snapshots import Snapshot, Snapshots
from ordain.runtime.datasets.sources import open_rows
from ordain.specs.secrets import without_secrets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from ordain.runtime.datasets.snapshots import Kept
    from ordain.runtime.datasets.sources import Rows
    from ordain.specs.kinds.dataset import Dataset

# Cells of a group of rows: about 16 MB of numbers are in memory at a time.
_CELLS: Final = 2**21
_FEWEST_ROWS, _MOST_ROWS = 1_024, 65_536


class Progress(Protocol):
    """Told the number of rows that have been read so far."""

    def __call__(self, rows: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Origin:
    """A Dataset by its name, and what its source is found by: a root for paths, an environment."""

    name: str
    dataset: Dataset
    root: Path
    environ: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Taker:
    """Who takes a snapshot, when, by which version of ordain; `sign` takes what is to be signed."""

    by: str
    now: datetime
    tool: str
    sign: Callable[[bytes], str] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A written snapshot that nothing leads to yet."""

    origin: Origin
    path: Path
    digest: str
    rows: int
    memory: int
    schema: Any
    hints: Mapping[str, str]

    def keep(
        self, snapshots: Snapshots, taker: Taker, holds: Callable[[Kept], bool] | None = None
    ) -> Kept:
        """Move the file into the store and let the index lead to it; the draft is used up.

        Where the content is kept already, it stays in the file that it is in; `holds` says of its
        signature whether it is one (see `Snapshots.add`).

        Raises:
            ArtifactError: when that cannot be written.
        """
        standing = snapshots.standing(self.digest)
        file = standing.snapshot if standing is not None else None
        size = file.size if file is not None else self.path.stat().st_size
        source = self.origin.dataset.source
        snapshot = Snapshot(
            dataset=self.origin.name,
            digest=self.digest,
            rows=self.rows,
            columns=tuple((field.name, str(field.type)) for field in self.schema),
            blob=file.blob if file is not None else snapshots.store.put_file(self.path),
            size=size,
            memory=self.memory,
            query=self.hints.get("query"),
            source=without_secrets(
                {"type": source.type, "uri": source.uri, "hints": dict(self.hints)}
            ),
            taken_at=taker.now.isoformat(timespec="seconds"),
            taken_by=taker.by,
            tool=taker.tool,
        )
        return snapshots.add(snapshot, taker.sign, holds)


def digest_of_source(origin: Origin) -> str:
    """The logical digest of what the source holds now; nothing is kept.

    Raises:
        DataError: as `drafted`.
    """
    with _hashing(origin) as hasher, _opened(origin) as rows:
        for batch in _cast(origin, rows):
            hasher.update(batch)
        return hasher.digest()


@contextmanager
def drafted(
    origin: Origin, snapshots: Snapshots, progress: Progress | None = None
) -> Iterator[Draft]:
    """Read the source once into a file of the store; it is removed at the end unless it was kept.

    Raises:
        DataError: when the source cannot be read, or a value does not fit its declared type.
        ArtifactError: when the file cannot be written.
    """
    with new_file(snapshots.directory) as path:
        yield _write(origin, path, progress)


def _write(origin: Origin, path: Path, progress: Progress | None) -> Draft:
    memory, schema = 0, declared_schema(origin.dataset)
    with (
        _hashing(origin) as hasher,
        _opened(origin) as rows,
        refused_writes(path),
        _writer(path, schema) as writer,
    ):
        for batch in _grouped(_cast(origin, rows), schema):
            hasher.update(batch)
            writer.write_batch(batch)
            memory += batch.nbytes
            if progress is not None:
                progress(hasher.rows)
    return Draft(origin, path, hasher.digest(), hasher.rows, memory, schema, dict(rows.hints))


def _opened(origin: Origin) -> AbstractContextManager[Rows]:
    return open_rows(origin.name, origin.dataset, origin.root, origin.environ)


@contextmanager
def _hashing(origin: Origin) -> Iterator[TableHasher]:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(THREADS) as executor:
        yield TableHasher(declared_schema(origin.dataset), executor)


def _cast(origin: Origin, rows: Rows) -> Iterator[Any]:
    """The batches in the declared types, with one kind of zero."""
    return map(plain_zeros, cast_batches(origin.dataset, rows.batches()))


def _grouped(batches: Iterable[Any], schema: Any) -> Iterator[Any]:  # noqa: ANN401 - pa.Schema
    """The same rows in batches of the size that the schema alone decides; the last may be less."""
    import pyarrow as pa

    size = max(_FEWEST_ROWS, min(_MOST_ROWS, _CELLS // max(1, len(schema))))
    waiting: list[Any] = []
    for batch in batches:
        waiting.append(batch)
        while sum(one.num_rows for one in waiting) >= size:
            whole = pa.concat_batches(waiting)
            yield whole.slice(0, size)
            waiting = [whole.slice(size)]
    rest = pa.concat_batches(waiting) if waiting else None
    if rest is not None and rest.num_rows:
        yield rest


@contextmanager
def _writer(path: Path, schema: Any) -> Iterator[Any]:  # noqa: ANN401 - pa.Schema
    """A writer whose settings are all named, because a default that moves would move the bytes."""
    import pyarrow as pa
    from pyarrow import parquet

    texts = [field.name for field in schema if pa.types.is_large_string(field.type)]
    with parquet.ParquetWriter(
        path,
        schema,
        version="2.6",
        data_page_version="1.0",
        compression="zstd",
        compression_level=1,
        use_dictionary=texts or False,
        write_statistics=False,
        store_schema=True,
    ) as writer:
        yield writer
