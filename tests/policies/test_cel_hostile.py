"""An expression that is written to hang, or to fill the memory, ends soon and is no pass."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any, Final

import cel_hostile
import pytest

SECONDS: Final = 1.0
MEBIBYTES: Final = 200
# Far above what is allowed: it only keeps a failure from taking the machine along.
_ADDRESSES: Final = 4 << 30


def _confined() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    resource.setrlimit(resource.RLIMIT_CPU, (20, 20))


def evaluated(name: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-W", "error", cel_hostile.__file__, name],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=_confined,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", cel_hostile.CASES)
def test_it_ends_soon_in_little_memory_and_does_not_pass(name: str) -> None:
    found = evaluated(name)
    assert found["passed"] is False
    assert found["seconds"] <= SECONDS
    assert found["mebibytes"] <= MEBIBYTES
