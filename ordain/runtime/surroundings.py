"""What the processes that train and serve are started with.

They run models and data that others have proposed, and the reconciler that starts them holds
tokens of a forge and of its pipeline. Nothing is handed on with which they could speak for it.

A list of the variables that may stay was refused: libraries, proxies and schedulers have hundreds,
and a job that fails for one that is missing tells nobody why.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_SECRET: Final = re.compile(
    r"(?:^|_)(?:TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH|ASKPASS)S?(?:_|$)|KEY$", re.IGNORECASE
)
# Files that name the environment of later steps, addresses with tokens, and settings of git.
_SPEAKERS: Final = ("ACTIONS_", "GITHUB_", "GIT_", "ORDAIN_GITHUB_", "ORDAIN_GITLAB_")
# Settings of numeric libraries: threads and loops, which a job sets itself.
NUMERIC: Final = ("OPENBLAS_", "MKL_", "NPY_", "OMP_")


def surroundings(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child: without secrets, and with no place of code but whole ones.

    An empty entry of PYTHONPATH means the directory that somebody happens to stand in, which for
    the reconciler is a work tree that anybody may push to.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if not name.startswith((*_SPEAKERS, *NUMERIC)) and _SECRET.search(name) is None
    }
    if "PYTHONPATH" in kept:
        places = filter(None, kept["PYTHONPATH"].split(os.pathsep))
        kept["PYTHONPATH"] = os.pathsep.join(str(Path(place).absolute()) for place in places)
    return kept
