"""The source of a Dataset: each kind needs its own fields, and silently ignores none.

What is wrong here would be found when the rows are read, by whoever runs that; a reviewer sees it
before. Whether a host is allowed is a policy's matter.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.secrets import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ordain.specs.documents import Document, LoadedEstate
    from ordain.specs.kinds.dataset import Source

# How the address of a kind may begin; the first one is what a remedy shows.
SCHEMES: Final[dict[str, tuple[str, ...]]] = {
    "postgres": ("postgres", "postgresql"),
    "mysql": ("mysql", "mariadb"),
    "s3": ("s3",),
    "azure": ("az", "azure", "abfs", "abfss"),
    "gcs": ("gs",),
}
_FILES: Final = frozenset(("csv", "parquet", "dvc"))
_PATHS: Final = _FILES | {"delta"}
_DATABASE: Final = ("query", "dsnFrom", "orderBy")
_OBJECT: Final = ("uri", "format", "version")
# The fields that a kind reads; those that it needs stand in `_NEEDED`.
_USED: Final[dict[str, tuple[str, ...]]] = {
    "csv": ("uri",),
    "parquet": ("uri",),
    "postgres": ("uri", *_DATABASE),
    "mysql": ("uri", *_DATABASE),
    "s3": _OBJECT,
    "azure": _OBJECT,
    "gcs": _OBJECT,
    "delta": ("uri", "version"),
    "dvc": ("uri", "format"),
}
_NEEDED: Final = dict.fromkeys(("postgres", "mysql"), _DATABASE)
_REMEDIES: Final = {
    "query": "name a file in the estate that holds one SELECT",
    "dsnFrom": "name the environment variable that holds the connection string",
    "orderBy": "name columns that together are a key",
    "uri": "say where the rows are",
}
_FIELDS: Final = ("uri", "query", "orderBy", "dsnFrom", "format", "version")


def check_source(document: Document) -> Iterator[Finding]:
    """What the source of a Dataset lacks, has too much, or contradicts."""
    if document.kind != "Dataset":
        return
    source: Source = document.spec.source
    declared = {name for name in _FIELDS if document.raw["spec"]["source"].get(name)}
    yield from _lacking(document, source, declared)
    yield from _idle(document, source, declared)
    if source.uri:
        yield from _address(document, source)
        yield from _unclear(document, source)


def lost_queries(estate: LoadedEstate, there: Callable[[str], bool]) -> Iterator[Finding]:
    """Queries that a Dataset names and nobody has written, for whoever has all the files."""
    for document in estate.all("Dataset"):
        query = document.spec.source.query
        if query is not None and not there(query):
            message = f"there is no file `{query}`"
            yield _error("SPEC129", document, message, "write the query, or correct it", "query")


def _lacking(document: Document, source: Source, declared: set[str]) -> Iterator[Finding]:
    for name in _NEEDED.get(source.type, ("uri",)):
        if name not in declared:
            message = f"a source of the type {source.type} needs `{name}`"
            yield _error("SPEC125", document, message, _REMEDIES[name])


def _idle(document: Document, source: Source, declared: set[str]) -> Iterator[Finding]:
    for name in _FIELDS:
        if name in declared and name not in _USED[source.type]:
            message = f"a source of the type {source.type} does not use `{name}`"
            yield _error("SPEC126", document, message, "remove it, or correct the type", name)


def _address(document: Document, source: Source) -> Iterator[Finding]:
    if masked(source.uri) != source.uri:
        message = "the address of a source holds a password or a key"
        remedy = "change that password now, and keep the new one in an environment variable"
        yield _error("SPEC127", document, message, remedy, "uri")
    scheme, found, _ = source.uri.partition("://")
    wanted = SCHEMES.get(source.type)
    if wanted is not None and (not found or scheme not in wanted):
        message = f"a source of the type {source.type} is at {wanted[0]}://…"
        yield _error("SPEC128", document, message, "correct `uri`, or the type", "uri")
    elif source.type in _PATHS and not found and _leads_out(source.uri):
        message = f"`{source.uri}` leads out of the estate"
        yield _error("SPEC128", document, message, "give its path from the root", "uri")
    elif source.type in _FILES and found:
        message = f"a source of the type {source.type} is a file in the estate"
        yield _error("SPEC128", document, message, "give its path from the root", "uri")


def _leads_out(path: str) -> bool:
    """Whether a path does so by itself; where links lead is seen when it is read."""
    pure = PurePosixPath(path)
    return pure.is_absolute() or ".." in pure.parts


def _unclear(document: Document, source: Source) -> Iterator[Finding]:
    """What is read must be known before anybody looks into it."""
    if source.type == "delta" and source.version and not source.version.isdecimal():
        message = f"`{source.version}` is no version of a Delta table"
        yield _error("SPEC129", document, message, "write a whole number", "version")
    name = source.uri.removesuffix(".dvc") if source.type == "dvc" else source.uri
    if source.type == "dvc" and name == source.uri:
        message = "a DVC pointer is a file whose name ends in .dvc"
        yield _error("SPEC129", document, message, "name the file that `dvc add` wrote", "uri")
    elif "format" in _USED[source.type] and source.format is None:
        suffix = PurePosixPath(name).suffix.lower()
        if suffix not in {".csv", ".parquet"}:
            message = "the name does not say whether this is CSV or Parquet"
            yield _error("SPEC129", document, message, "add `format`", "uri")


def _error(
    code: str, document: Document, message: str, remedy: str, field: str | None = None
) -> Finding:
    path = ("spec", "source")
    place = document.marks.value(*path, field) if field else document.marks.key(*path)
    return Finding(code, Severity.ERROR, message, place, remedy=remedy)
