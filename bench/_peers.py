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

PINNED: Final = {
    "yamllint": "1.38.0",
    "checkov": "3.3.30",
    "dvc": "3.67.1",
    "pandas": "3.0.0",
    "sqlalchemy": "2.0.44",
    "psycopg[binary]": "3.2.12",
    "pyarrow": "23.0.1",
    "flaml[automl]": "2.7.0",
    "autogluon.tabular[catboost,lightgbm,xgboost]": "1.6.3",
}


def peer(name: str) -> Path:
    """The program of a peer.

    Raises:
        CalledProcessError: when it cannot be installed.
    """
    return _installed(f"{name}-{PINNED[name]}", name) / name


def environment(*names: str) -> Path:
    """The interpreter of an environment that has these libraries.

    Raises:
        CalledProcessError: when one cannot be installed.
    """
    return _installed("-".join(f"{name}-{PINNED[name]}" for name in names), *names) / "python"


def _installed(title: str, *names: str) -> Path:
    """Where the programs of the environment are."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "ordain-bench" / title
    done = place / "installed"
    if not done.exists():
        # An environment that was left half-made is made again.
        make = (sys.executable, "-m", "venv", "--clear", str(place))
        wanted = [f"{name}=={PINNED[name]}" for name in names]
        install = (str(place / "bin/pip"), "install", "--quiet", *wanted)
        for command in (make, install):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        done.touch()
    return place / "bin"
