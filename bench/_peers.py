"""Other tools, each in an environment of its own under the user's cache, made when it is needed.

Their versions stand here, so that a ratio can be measured again; nothing of theirs is ever
installed beside ordain.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

PINNED: Final = {"yamllint": "1.38.0", "checkov": "3.3.30", "dvc": "3.67.1"}


def peer(name: str) -> Path:
    """The program of a peer.

    Raises:
        CalledProcessError: when it cannot be installed.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "ordain-bench" / f"{name}-{PINNED[name]}"
    done = place / "installed"
    if not done.exists():
        # An environment that was left half-made is made again.
        make = (sys.executable, "-m", "venv", "--clear", str(place))
        install = (str(place / "bin/pip"), "install", "--quiet", f"{name}=={PINNED[name]}")
        for command in (make, install):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        done.touch()
    return place / "bin" / name
