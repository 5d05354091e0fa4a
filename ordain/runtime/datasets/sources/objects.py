"""Objects of S3, Azure Blob Storage and Google Cloud Storage, through obstore.

An object is downloaded by one request into a temporary file, and read there. Reading it where it
lies was refused: a table is read in many ranges, between which somebody may put another object
under the same name. The store says which version it gave; with `source.version` it is asked for
that one.

Credentials and endpoints come from the variables that obstore itself reads (AWS_…, AZURE_…,
GOOGLE_…). What it says of a failure is not repeated, because it may quote a signed address.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from ordain.runtime.datasets.sources.extras import needed
from ordain.runtime.datasets.sources.files import format_of, read_file
from ordain.runtime.errors import DataError, SourceError
from ordain.specs.findings import Location
from ordain.specs.sources import SCHEMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from obstore import GetOptions

    from ordain.runtime.datasets.sources.rows import Rows
    from ordain.specs.kinds.dataset import Dataset, Source

_CHUNK: Final = 8 << 20
_RETRIES: Final = 4
_RETRY_SECONDS: Final = 60
# A download may take hours; what must not happen is that nothing comes for a minute.
_PATIENCE: Final = {"connect_timeout": "15s", "read_timeout": "60s", "timeout": "24h"}
_PREFIX: Final = {"s3": "AWS", "azure": "AZURE", "gcs": "GOOGLE"}


@contextmanager
def open_object(name: str, dataset: Dataset, environ: Mapping[str, str]) -> Iterator[Rows]:
    """The rows of one object.

    Raises:
        DataError: the address or the content is not what it should be.
        SourceError: the store cannot be reached, refuses, or has no such object.
    """
    source = dataset.source
    bucket, key, account = _address(source)
    kind = format_of(source, key)
    with TemporaryDirectory(prefix="ordain-") as directory:
        file = Path(directory) / f"object.{kind}"
        store = _store(name, source, bucket, account, environ)
        hints = _download(name, source, store, key, file)
        with read_file(source.uri, file, kind, sorted(dataset.columns), hints) as rows:
            yield rows


def _address(source: Source) -> tuple[str, str, str]:
    """Bucket, key and, where the address has one, the account."""
    try:
        parts = urlsplit(source.uri)
    except ValueError:
        parts = urlsplit("")
    # abfss://container@account.dfs.core.windows.net/key; elsewhere nothing stands before an `@`.
    bucket, at, host = parts.netloc.partition("@")
    key = unquote(parts.path.removeprefix("/"))
    foreign = parts.scheme not in SCHEMES[source.type] or (at and "abfs" not in parts.scheme)
    # What follows a bare `?` or `#` would be left out, and another object be read.
    if foreign or not bucket or not key or parts.query or parts.fragment:
        message = f"{source.place}: this is no address of an object"
        remedy = f"write {SCHEMES[source.type][0]}://bucket/path/of/the/object"
        raise DataError(message, remedy=remedy, location=Location(source.place))
    return bucket, key, host.partition(".")[0]


def _store(name: str, source: Source, bucket: str, account: str, environ: Mapping[str, str]) -> Any:  # noqa: ANN401 - an obstore store
    with needed(source.type, "objects"):
        from obstore import store as stores
        from obstore.exceptions import BaseError
    prefix = _PREFIX[source.type]
    # Options given here hide those of the environment, of which this one is needed.
    plain = environ.get(f"{prefix}_ALLOW_HTTP", "").lower() in {"1", "true"}
    options: dict[str, Any] = {
        "client_options": {**_PATIENCE, "allow_http": plain},
        "retry_config": {
            "max_retries": _RETRIES,
            "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
        },
    }
    made = {"s3": stores.S3Store, "azure": stores.AzureStore, "gcs": stores.GCSStore}[source.type]
    if account:
        options["account_name"] = account
    try:
        return made(bucket, **options)
    except (BaseError, ValueError):
        message = f"dataset {name}: the environment does not say how to reach {source.uri}"
    raise SourceError(message, remedy=f"set the variables that begin with {prefix}_")


def _download(name: str, source: Source, store: Any, key: str, file: Path) -> dict[str, str]:  # noqa: ANN401
    """Write the object to the file; returns what the store says of it."""
    import obstore
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    remedy = f"correct the address, or the variables that begin with {_PREFIX[source.type]}_"
    options: GetOptions | None = {"version": source.version} if source.version else None
    try:
        found = obstore.get(store, key, options=options)
        with file.open("wb") as out:
            for chunk in found.stream(min_chunk_size=_CHUNK):
                out.write(chunk)
    except FileNotFoundError:
        reason = "there is no such object" + (" in this version" if source.version else "")
    except (PermissionDeniedError, UnauthenticatedError, PermissionError):
        reason = "the store refuses access"
    except OSError as error:
        reason = f"the object cannot be kept while it is read: {error.strerror or error}"
        remedy = "free space in TMPDIR, or let it name a directory with more"
    except BaseError:
        reason = "the store does not answer, or broke off"
    else:
        return _hints(found.meta)
    message = f"dataset {name}: {source.uri}: {reason}"
    raise SourceError(message, remedy=remedy, location=Location(source.uri))


def _hints(meta: Mapping[str, Any]) -> dict[str, str]:
    found = {"etag": meta.get("e_tag"), "versionId": meta.get("version")}
    return {key: value for key, value in found.items() if value}
