"""The packages that rules come from, as they are installed.

What runs is what was read: the files that the record of an installation lists are read once, their
digest stands in the record of the verdict, and the rule is given a copy of exactly these bytes. Of
the metadata only what comes with the package itself counts, so that two machines that installed the
same wheel have the same digest, however they installed it.

Installed means: in a `site-packages` of this interpreter. The directory that somebody happens to
stand in is on the path of Python too, and may be a checkout of the change that is being judged.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from ordain.policies.errors import PackageError
from ordain.specs.canonical import digest, sha256
from ordain.specs.spelling import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ordain.specs.kinds.policy import PythonRule

GROUP: Final = "ordain.rules"
_SITES: Final = ("site-packages", "dist-packages")
# Of the directory with the metadata: what the package says of itself, and not who installed it.
_METADATA: Final = ("METADATA", "entry_points.txt")
_LARGEST: Final = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Package:
    """One installed version of a package: its files by path, and its rules as `module:function`."""

    name: str
    version: str
    files: Mapping[str, bytes]
    rules: Mapping[str, str]

    @property
    def digest(self) -> str:
        """The digest over the paths and contents of its files."""
        return digest({path: sha256(data) for path, data in self.files.items()})

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def package_of(wanted: PythonRule) -> Package:
    """The package of a rule, in the version that its policy names, with the rule in it.

    Raises:
        PackageError: it is not installed, not in this version, not with this content, or lacks the
            rule.
    """
    found = _read(_installed(wanted))
    if wanted.digest not in (None, found.digest):
        raise PackageError(
            f"the files of {found} have the digest {found.digest}",
            remedy="install the wheel that was reviewed, or review this one and write its digest",
            field="digest",
        )
    if wanted.rule not in found.rules:
        known = ", ".join(sorted(found.rules)) or "none"
        raise PackageError(
            f"{found} has no rule {wanted.rule}",
            remedy=did_you_mean(wanted.rule, found.rules) or f"its rules are: {known}",
            field="rule",
        )
    _require_module(found, found.rules[wanted.rule])
    return found


def _installed(wanted: PythonRule) -> metadata.Distribution:
    places = [place for place in sys.path if Path(place).name in _SITES]
    found = list(metadata.distributions(name=wanted.package, path=places))
    if not found:
        raise PackageError(
            f"the package {wanted.package} is not installed",
            remedy=f"install it beside ordain: pip install {wanted.package}=={wanted.version}",
        )
    for one in found:
        if one.version == wanted.version:
            return one
    versions = " and ".join(sorted({str(one.version) for one in found}))
    raise PackageError(
        f"{wanted.package} {versions} is installed, the policy names {wanted.version}",
        remedy=f"install the one that is named: pip install {wanted.package}=={wanted.version}",
        field="version",
    )


def _read(installed: metadata.Distribution) -> Package:
    files: dict[str, bytes] = {}
    size = 0
    for path, recorded in _recorded(installed):
        data = _content(installed, path)
        if recorded and _hash(data) != recorded:
            raise _damaged(installed, f"{path} was changed after it was installed")
        size += len(data)
        if size > _LARGEST:
            raise _damaged(installed, f"its files are larger than {_LARGEST // 2**20} MiB")
        files[path] = data
    points = [one for one in installed.entry_points if one.group == GROUP]
    rules = {one.name: one.value for one in points}
    return Package(installed.name, installed.version, dict(sorted(files.items())), rules)


def _recorded(installed: metadata.Distribution) -> Iterator[tuple[str, str]]:
    """The files of the package as (path, recorded hash)."""
    import csv

    record = installed.read_text("RECORD")
    if record is None:
        raise _damaged(installed, "it has no list of its files (RECORD)")
    for path, recorded, *_ in (row for row in csv.reader(record.splitlines()) if len(row) > 1):
        parts = PurePosixPath(path).parts
        if ".." in parts or path.startswith("/") or path.endswith(".pyc"):
            continue
        if not parts[0].endswith(".dist-info") or parts[-1] in _METADATA:
            yield path, recorded


def _content(installed: metadata.Distribution, path: str) -> bytes:
    try:
        return Path(str(installed.locate_file(path))).read_bytes()
    except OSError as error:
        raise _damaged(installed, f"{path} cannot be read: {error.strerror}") from error


def _hash(data: bytes) -> str:
    """A hash as a RECORD holds it (PyPA, recording installed projects)."""
    import base64
    import hashlib

    encoded = base64.urlsafe_b64encode(hashlib.sha256(data).digest())
    return f"sha256={encoded.decode().rstrip('=')}"


def _require_module(package: Package, value: str) -> None:
    """An editable installation leads to files that nobody listed, and could change at any time."""
    module, _, function = value.partition(":")
    path = module.strip().replace(".", "/")
    listed = any(name.startswith((f"{path}.", f"{path}/__init__.")) for name in package.files)
    if not listed or not function.strip():
        reason = f"it has no function {value}" if listed else f"its files do not hold {module}"
        raise PackageError(
            f"the package {package} cannot be used: {reason}",
            remedy="install it from a wheel, not in editable mode",
        )


def _damaged(installed: metadata.Distribution, reason: str) -> PackageError:
    name = f"{installed.name} {installed.version}"
    return PackageError(
        f"the package {name} cannot be used: {reason}", remedy="install it again from its wheel"
    )
