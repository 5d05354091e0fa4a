"""The values of files that were parsed in an earlier run, by the digest of their bytes.

To parse the YAML of a thousand documents takes longer than to judge them, and from one push to the
next nearly all of them stay as they are. What a file says is a fact of its bytes: it holds in every
commit, clone and run. Nothing else is remembered here. Every schema, reference and policy is asked
again each time, with these values, and only ordinary files are known (see `ordinary`), so that all
findings and marks come from the bytes of this run.

The file in which values are kept is believed as `memory` says. The digest is SHA-256, not git's
name for the bytes: no two files have the same one. What parses is named in the first line, so that
another parser does not take the word of this one. JSON brings back exactly the values that YAML
1.2 has: texts, integers, numbers of double precision, true, false, null, lists and mappings.
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.memory import keep, recall

if TYPE_CHECKING:
    from pathlib import Path

_FORMAT: Final = "ordain.values/1"
# To write all of it takes as long as to parse two files of a hundred.
_WORTH_WRITING: Final = 50
_MOST: Final = 20_000


class KnownValues:
    """What ordinary files say; without a path for the time of this process only.

    When it is full it learns no more: to push out the oldest would, with one file too many, push
    out each file shortly before it is asked for.
    """

    def __init__(self, path: Path | None = None, most: int = _MOST) -> None:
        self._path = path
        self._most = most
        self._old: dict[str, list[Any]] | None = None
        self._used: dict[str, list[Any]] = {}
        self._learnt = 0

    def of(self, data: bytes) -> list[Any] | None:
        """The value of every document of a file of these bytes; None where they are new."""
        name = sha256(data).hexdigest()
        found = self._used.get(name)
        if found is None:
            found = self._kept().get(name)
        if found is not None:
            self._used[name] = found
        return found

    def learn(self, data: bytes, values: list[Any]) -> None:
        """Remember what a file says."""
        if len(self._used) < self._most:
            self._used[sha256(data).hexdigest()] = values
            self._learnt += 1

    def keep(self) -> None:
        """Leave what was used in this run to the next one, where that is worth the writing."""
        if self._path is None or self._learnt * _WORTH_WRITING < len(self._used):
            return
        body = json.dumps(self._used, separators=(",", ":")).encode()
        if keep(self._path, _name(), body):
            self._learnt = 0

    def _kept(self) -> dict[str, list[Any]]:
        if self._old is None:
            body = None if self._path is None else recall(self._path, _name())
            self._old = {} if body is None else json.loads(body)
        return self._old


@lru_cache(maxsize=1)
def _name() -> str:
    """What the first line of the file says: the format, and all that decides on a value."""
    from importlib import import_module
    from pathlib import Path

    import yaml

    library = getattr(yaml, "_yaml", None)
    version = library.get_version_string() if library is not None else ""
    whole = sha256(f"{yaml.__version__} {version}".encode())
    for module in ("loader", "ordinary", "scalars"):
        source = import_module(f"ordain.specs.{module}").__file__
        whole.update(sha256(Path(source or "").read_bytes()).digest())
    return f"{_FORMAT} {whole.hexdigest()}"
