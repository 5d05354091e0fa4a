"""The room costs nothing until something is signed."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys
from ordain.vcs import approvals, changes, forge, forges, git, host, keys, plain, signatures
HEAVY = ("cryptography", "git", "http.client", "ssl", "yaml")
print([name for name in HEAVY if name in sys.modules])
"""


def test_nothing_heavy_is_loaded_by_importing_the_room() -> None:
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
