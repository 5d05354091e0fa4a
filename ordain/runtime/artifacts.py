"""Artifacts: what training made, named by what it is.

A blob is named by the digest of its bytes and an artifact by the digest of its manifest, which
lists the members by theirs. A changed byte anywhere is therefore another artifact, and every read
proves that it got the one that was asked for. Members are of the kinds of `MEMBER_KINDS` and of
no other: pickle, joblib and archives can carry code, and are refused by their first bytes before
anybody thinks of opening them. A pipeline and an ONNX form (`runtime.formats`) are looked through
when they are stored and again when they are opened; nothing that serves opens them. Beside
artifacts the store holds snapshots of data, which are Parquet: numbers and text, and nothing that
is ever run.

A blob appears under its name only when it is complete (temporary file, fsync, rename), so that a
full disk or a killed process never leaves half of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ordain.runtime.errors import ArtifactError
from ordain.specs.canonical import canonical_json, sha256

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

FORMAT = "ordain.artifact/1"
MAXIMUM_MEMBERS = 64
# Media type and first bytes of a member, by the end of its name. An ONNX model begins with the
# field that holds its version.
MEMBER_KINDS = {
    "json": ("application/json", b"{", "JSON object"),
    "onnx": ("application/vnd.onnx", b"\x08", "ONNX model"),
    "skops": ("application/vnd.skops", b"PK\x03\x04", "stored pipeline"),
}

PARQUET = b"PAR1"

_DIGEST = re.compile(r"sha256:([0-9a-f]{2})([0-9a-f]{62})")
_MEMBER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}\.(json|onnx|skops)")
_REFUSED = {
    b"\x80": "a pickle",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x78\x01": "a zlib stream, as joblib writes it",
    b"\x78\x5e": "a zlib stream, as joblib writes it",
    b"\x78\x9c": "a zlib stream, as joblib writes it",
    b"\x78\xda": "a zlib stream, as joblib writes it",
    b"\xfd7zXZ": "an xz archive",
    b"\x5d\x00": "an lzma stream, as joblib writes it",
    b"BZh": "a bzip2 archive",
    b"\x93NUMPY": "a NumPy file, which may hold a pickle",
}


class ArtifactStore:
    """Blobs in a directory, by digest."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def put(self, data: bytes, *, pipeline: bool = False) -> str:
        """Keep the bytes and return their digest; keeping them twice is keeping them once.

        `pipeline` says that they are a stored pipeline which was looked through.

        Raises:
            ArtifactError: when the bytes are of a refused format or cannot be written.
        """
        refuse_code(data, "the bytes to keep", pipeline=pipeline)
        digest = sha256(data)
        path = self.path(digest)
        try:
            if not _holds(path, data):
                write_atomically(path, data)
        except OSError as error:
            message = f"artifact store {self.root}: cannot write {digest}: {error.strerror}"
            remedy = "free space or give the process the right to write, then run again"
            raise ArtifactError(message, remedy=remedy) from error
        return digest

    def get(self, digest: str) -> bytes:
        """The bytes of that digest, proven.

        Raises:
            ArtifactError: when they are missing, unreadable or were changed.
        """
        try:
            data = self.path(digest).read_bytes()
        except FileNotFoundError as error:
            message = f"artifact store {self.root}: no blob {digest}"
            remedy = "name the store that the version was made in, or train the recipe again"
            raise ArtifactError(message, remedy=remedy) from error
        except OSError as error:
            message = f"artifact store {self.root}: cannot read {digest}: {error.strerror}"
            raise ArtifactError(message, remedy="mend the store's files or rights") from error
        if sha256(data) != digest:
            message = f"artifact store {self.root}: the bytes under {digest} are {sha256(data)}"
            remedy = "take the blob from a backup or train the recipe again; never use these bytes"
            raise ArtifactError(message, remedy=remedy)
        return data

    def put_file(self, path: Path) -> str:
        """Move a finished Parquet file into the store, and return its digest.

        It must lie on the file system of the store. A file that is kept already is removed.

        Raises:
            ArtifactError: when it is no Parquet file, or cannot be read or moved.
        """
        try:
            digest = _file_digest(path)
            place = self.path(digest)
            if place.is_file() and _file_digest(place) == digest:
                path.unlink()
                return digest
            path.chmod(0o444)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.replace(place)
            _sync(place.parent)
        except OSError as error:
            message = f"artifact store {self.root}: cannot keep {path.name}: {error.strerror}"
            remedy = "free space or give the process the right to write, then run again"
            raise ArtifactError(message, remedy=remedy) from error
        return digest

    def digest_now(self, digest: str) -> str | None:
        """What the bytes under a digest are now, read as a stream; None where there are none.

        Raises:
            ArtifactError: when they cannot be read.
        """
        try:
            with self.path(digest).open("rb") as file:
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"artifact store {self.root}: cannot read {digest}: {error.strerror}"
            raise ArtifactError(message, remedy="mend the store's files or rights") from error

    def has(self, digest: str) -> bool:
        """Whether a blob of that name exists; `get` proves its content."""
        return self.path(digest).is_file()

    def path(self, digest: str) -> Path:
        """Where the blob of that digest stands.

        Raises:
            ArtifactError: when this is no digest.
        """
        match = _DIGEST.fullmatch(digest)
        if match is None:
            raise ArtifactError(
                f"{digest!r} is no digest", remedy="write sha256: and 64 hex digits"
            )
        return self.root / "sha256" / match[1] / match[2]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A proven artifact with all its members in memory."""

    digest: str
    model: str
    recipe: str
    members: dict[str, bytes]

    def member(self, name: str) -> bytes:
        """The bytes of one member.

        Raises:
            ArtifactError: when the artifact has no such member.
        """
        try:
            return self.members[name]
        except KeyError:
            message = f"artifact {self.digest} has no member {name}"
            remedy = "train the recipe again with this version"
            raise ArtifactError(message, remedy=remedy) from None


def save_artifact(
    store: ArtifactStore, model: str, recipe: str, members: Mapping[str, bytes]
) -> Artifact:
    """Keep the members and the manifest that binds them; the same members are the same artifact.

    Raises:
        ArtifactError: when a member is not of its kind, is badly named, or cannot be written.
    """
    listed = {}
    for name, data in sorted(members.items()):
        kind = _check_member(name, data)
        digest = store.put(data, pipeline=kind == "skops")
        listed[name] = {"digest": digest, "size": len(data), "mediaType": MEMBER_KINDS[kind][0]}
    manifest = {"format": FORMAT, "model": model, "recipe": recipe, "members": listed}
    return Artifact(store.put(canonical_json(manifest)), model, recipe, dict(members))


def load_artifact(
    store: ArtifactStore, digest: str, only: Container[str] | None = None
) -> Artifact:
    """The artifact of that digest, manifest and every member proven.

    `only` names the members that are read; without it all are.

    Raises:
        ArtifactError: when anything is missing, was changed, or is of a refused format.
    """
    manifest = _read_manifest(store.get(digest), digest)
    members = {}
    for name, entry in manifest["members"].items():
        if only is not None and name not in only:
            continue
        data = store.get(entry["digest"])
        _refuse_other(data, f"member {name} of artifact {digest}", _kind(name))
        if len(data) != entry["size"]:
            raise ArtifactError(
                f"artifact {digest}: member {name} has {len(data)} bytes, not {entry['size']}",
                remedy="train the recipe again; the manifest was not written by this tool",
            )
        members[name] = data
    return Artifact(digest, manifest["model"], manifest["recipe"], members)


def write_atomically(path: Path, data: bytes, *, mode: int = 0o444) -> None:
    """Write a file that appears complete or not at all, and survives the loss of power.

    Nobody changes it in place, therefore it is read-only unless `mode` says otherwise.

    Raises:
        OSError: when it cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".new-", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _sync(path.parent)


def _sync(place: Path) -> None:
    """Have the names in a directory survive the loss of power."""
    directory = os.open(place, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def _file_digest(path: Path) -> str:
    """The digest of a Parquet file whose bytes are on the disk.

    Raises:
        ArtifactError: when it does not begin as one.
    """
    with path.open("rb") as file:
        if file.read(len(PARQUET)) != PARQUET:
            message = f"{path.name}: this is no Parquet file, and no other is kept"
            raise ArtifactError(message, remedy="let `ordain pin` write the snapshot")
        file.seek(0)
        os.fsync(file.fileno())
        return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}"


def refuse_code(data: bytes, what: str, *, pipeline: bool = False) -> None:
    """Refuse bytes that begin like a format which can carry code.

    Raises:
        ArtifactError: naming the format.
    """
    for magic, kind in _REFUSED.items():
        if data.startswith(magic) and not (pipeline and kind == "a zip archive"):
            message = f"{what}: this is {kind}; artifacts hold nothing that can carry code"
            raise ArtifactError(message, remedy="let `ordain train` write the artifact")


def _kind(name: str) -> str:
    return name.rpartition(".")[2]


def _refuse_other(data: bytes, what: str, kind: str) -> None:
    """Refuse what is not even the beginning of its kind, such as a pickle of protocol 0."""
    refuse_code(data, what, pipeline=kind == "skops")
    _, beginning, noun = MEMBER_KINDS[kind]
    if not data.startswith(beginning):
        message = f"{what}: these bytes are no {noun}"
        raise ArtifactError(message, remedy="let `ordain train` write the artifact")


def _check_member(name: str, data: bytes) -> str:
    """The kind of a member, once it is one."""
    if not _MEMBER.fullmatch(name):
        raise ArtifactError(f"{name!r} is no name of a member", remedy="use a name like plan.json")
    kind = _kind(name)
    _refuse_other(data, f"member {name}", kind)
    match kind:
        case "skops":
            from ordain.runtime.formats.skops_files import check_pipeline

            check_pipeline(data)
        case "onnx":
            from ordain.runtime.formats.onnx_checks import check_onnx

            check_onnx(data)
        case _:
            _refuse_no_json(name, data)
    return kind


def _refuse_no_json(name: str, data: bytes) -> None:
    try:
        json.loads(data)
    except (ValueError, RecursionError) as error:
        message = f"member {name}: these bytes are no JSON object"
        raise ArtifactError(message, remedy="write the member as one JSON object") from error


def _read_manifest(data: bytes, digest: str) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(data)
        if not _is_manifest(manifest):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        message = f"blob {digest} is no manifest of the format {FORMAT}"
        remedy = "name the digest of an artifact, as `ordain status` shows it"
        raise ArtifactError(message, remedy=remedy) from error
    return manifest


def _is_manifest(manifest: dict[str, Any]) -> bool:
    members = manifest["members"]
    return (
        manifest.keys() == {"format", "model", "recipe", "members"}
        and manifest["format"] == FORMAT
        and isinstance(manifest["model"], str)
        and isinstance(manifest["recipe"], str)
        and len(members) <= MAXIMUM_MEMBERS
        and all(
            _MEMBER.fullmatch(name)
            and entry.keys() == {"digest", "size", "mediaType"}
            and _DIGEST.fullmatch(entry["digest"])
            and isinstance(entry["size"], int)
            and entry["mediaType"] == MEMBER_KINDS[_kind(name)][0]
            for name, entry in members.items()
        )
    )


def _holds(path: Path, data: bytes) -> bool:
    """Whether the blob is there and sound; a damaged one is written anew."""
    try:
        return path.read_bytes() == data
    except FileNotFoundError:
        return False
