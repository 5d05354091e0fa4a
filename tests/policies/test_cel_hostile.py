"""An expression that is written to hang, or to fill the memory, ends soon and is no pass."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import cel_hostile
import confined
import pytest

if TYPE_CHECKING:
    from pathlib import Path

SECONDS: Final = 1.0
MEBIBYTES: Final = 200
# Far above what is allowed: it only keeps a failure from taking the machine along.
_ADDRESSES: Final = 4 << 30


def evaluated(name: str, report: Path) -> dict[str, Any]:
    program = (sys.executable, "-W", "error", cel_hostile.__file__, name)
    done = subprocess.run(
        [sys.executable, confined.__file__, str(report), "20", str(_ADDRESSES), *program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.timeout(30)
@pytest.mark.parametrize("name", cel_hostile.CASES)
def test_it_ends_soon_in_little_memory_and_does_not_pass(name: str, tmp_path: Path) -> None:
    found = evaluated(name, tmp_path / "spent.json")
    assert found["passed"] is False
    assert found["seconds"] <= SECONDS
    assert found["mebibytes"] <= MEBIBYTES
