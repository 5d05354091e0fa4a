from __future__ import annotations

import platform
from typing import TYPE_CHECKING

import pytest

from ordain.runtime.machines import processor

if TYPE_CHECKING:
    from pathlib import Path

V2 = "cx16 lahf_lm popcnt sse4_1 sse4_2 ssse3"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"


@pytest.mark.skipif(platform.machine() != "x86_64", reason="levels are those of x86-64")
@pytest.mark.parametrize(
    ("flags", "level"),
    [
        ("sse sse2", "x86-64"),
        (V2, "x86-64-v2"),
        (V3, "x86-64-v3"),
        (f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl", "x86-64-v4"),
        (f"{V2} avx512f avx512bw avx512cd avx512dq avx512vl", "x86-64-v2"),
    ],
)
def test_the_level_is_the_highest_that_is_reached_with_all_below(
    tmp_path: Path, flags: str, level: str
) -> None:
    file = tmp_path / "cpuinfo"
    file.write_text(f"model name : A  Processor\nflags\t: {flags}\n\nmodel name : another\n")
    found = processor(file)
    assert found == {"architecture": "x86_64", "processor": "A Processor", "level": level}


def test_what_nobody_tells_is_not_made_up(tmp_path: Path) -> None:
    assert processor(tmp_path / "missing") == {"architecture": platform.machine()}
