"""The packages that decide what training makes, pinned by version.

The lock is a text file in the estate that a person can read in a diff. It lists what changes the
bytes of an artifact and nothing else: a new release of the board or of the command line must not
put every model of a bank out of sync. A library that only some models need is in it while the
estate has such a model: an estate without one is not asked to install it. Versions are read from
the installed metadata; importing a package to ask it for its version would cost seconds.
"""

from __future__ import annotations

import re
import sys
from importlib import metadata
from typing import TYPE_CHECKING

from ordain.runtime.errors import LockError
from ordain.specs.tasks import EXTRAS, SEARCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PACKAGES = (
    "numpy",
    "onnx",
    "onnxruntime",
    "pyarrow",
    "scikit-learn",
    "scipy",
    "skops",
    "threadpoolctl",
)
HEADER = "# What training runs on; a change retrains every model. Written by `ordain lock`.\n"
ABSENT = "absent"
REMEDY = "install the versions of the lock, or run `ordain lock` and have the change approved"

_LINE = re.compile(r"([a-z0-9][a-z0-9._-]*)==([A-Za-z0-9][A-Za-z0-9._+!-]*)")


def installed(estimators: Iterable[str] = ()) -> dict[str, str]:
    """Version by name of Python (major.minor) and of every package that training uses.

    `estimators` are those that the models name; what they need beside is added.
    """
    versions = {name: _version(name) for name in PACKAGES}
    for estimator in sorted(set(estimators) & EXTRAS.keys()):
        names = EXTRAS[estimator]
        present = [name for name in names if _version(name) != ABSENT]
        name = present[0] if present else names[0]
        versions[name] = _version(name)
    versions["python"] = f"{sys.version_info.major}.{sys.version_info.minor}"
    return dict(sorted(versions.items()))


def locked_estimators(lock: Mapping[str, str]) -> tuple[str, ...]:
    """The estimators whose own library a lock lists."""
    return tuple(name for name, packages in EXTRAS.items() if lock.keys() & set(packages))


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ABSENT


def render_lock(versions: Mapping[str, str]) -> bytes:
    """The lock as text: a comment, then `name==version` lines, sorted.

    Raises:
        LockError: when a package is not installed, because that cannot be pinned.
    """
    absent = sorted(name for name, version in versions.items() if version == ABSENT)
    if absent:
        message = f"not installed: {', '.join(absent)}"
        raise LockError(message, remedy="install the extra `train`, then run `ordain lock` again")
    lines = [f"{name}=={version}\n" for name, version in sorted(versions.items())]
    return (HEADER + "".join(lines)).encode()


def read_lock(data: bytes, path: str = "environment.lock") -> dict[str, str]:
    """Version by name; blank lines and comments are skipped.

    Raises:
        LockError: naming the first line that is no `name==version`.
    """
    versions: dict[str, str] = {}
    for number, line in enumerate(data.decode(errors="replace").splitlines(), 1):
        text = line.partition("#")[0].strip()
        if not text:
            continue
        match = _LINE.fullmatch(text)
        if match is None or match[1] in versions:
            message = f"{path}:{number}: not one more `name==version`"
            raise LockError(message, remedy="run `ordain lock`; the file is not edited by hand")
        versions[match[1]] = match[2]
    return versions


def mismatches(lock: Mapping[str, str], found: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Where the installed versions differ from the lock, as sentences, sorted by name."""
    present = installed(locked_estimators(lock)) if found is None else found
    names = sorted(lock.keys() | present.keys())
    return tuple(
        f"{name} is {present.get(name, ABSENT)}, the lock says {lock.get(name, 'nothing')}"
        for name in names
        if lock.get(name) != present.get(name, ABSENT)
    )


def check_environment(lock: Mapping[str, str], found: Mapping[str, str] | None = None) -> None:
    """Refuse to train in another environment than the one that is pinned.

    Raises:
        LockError: naming every difference.
    """
    differences = mismatches(lock, found)
    if differences:
        message = f"the environment is not the locked one: {'; '.join(differences)}"
        raise LockError(message, remedy=REMEDY)


def check_estimator(lock: Mapping[str, str], name: str | None) -> None:
    """Refuse what needs a library that is not pinned: an estimator, or `automl` for a search.

    Raises:
        LockError: naming the library.
    """
    if name in EXTRAS and name not in locked_estimators(lock):
        what = f"automl: {EXTRAS[name][0]}" if name == SEARCH else f"estimator: {name}"
        message = f"training.{what} is not in the environment lock"
        remedy = f"install ordain[{name}], run `ordain lock`, and have the change approved"
        raise LockError(message, remedy=remedy)
