"""The token of a pipeline, lent to git for the length of one command.

A checkout that leaves the token in `.git/config` leaves it for every later step and for whoever
gets hold of the directory. So the workflow keeps it in a variable, and git asks a program for it:
six lines of shell in a directory of our own, with the token in the environment and in no file. It
answers for one server over https and for nothing else, so that a remote of another name gets none.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TOKENS: Final = ("ORDAIN_GITHUB_TOKEN", "GITHUB_TOKEN")
_ASKED: Final = "ORDAIN_ASKED_TOKEN"
_SERVER: Final = "ORDAIN_ASKED_SERVER"
# Git asks "Username for 'https://github.com': ", and puts the name into the second address.
_SCRIPT: Final = """#!/bin/sh
case "$1" in
  "Username for 'https://$ORDAIN_ASKED_SERVER'"*) echo x-access-token ;;
  "Password for 'https://x-access-token@$ORDAIN_ASKED_SERVER'"*)
    printf '%s\\n' "$ORDAIN_ASKED_TOKEN" ;;
  *) exit 1 ;;
esac
"""


def _server(address: str) -> str:
    """Host and port of an https address; nothing where it is none."""
    try:
        found = urlsplit(address)
    except ValueError:
        return ""
    return found.netloc if found.scheme == "https" else ""


@contextmanager
def lent_token(environ: Mapping[str, str]) -> Iterator[None]:
    """Let git use the token of a GitHub workflow in this block, where there is one.

    Whoever has set GIT_ASKPASS has a way of their own, which stays.
    """
    token = next((environ[name] for name in _TOKENS if environ.get(name)), "")
    server = _server(environ.get("GITHUB_SERVER_URL", ""))
    if not token or not server or environ.get("GIT_ASKPASS"):
        yield
        return
    with tempfile.TemporaryDirectory(prefix="ordain-ask-") as directory:
        script = Path(directory) / "ask"
        script.write_text(_SCRIPT, encoding="utf-8")
        script.chmod(0o700)
        added = {"GIT_ASKPASS": str(script), _ASKED: token, _SERVER: server}
        os.environ.update(added)
        try:
            yield
        finally:
            for name in added:
                del os.environ[name]
