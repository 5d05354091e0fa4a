"""How much memory is left is asked of whoever would end the process."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from ordain.runtime.memory import Machine, Room, words

if TYPE_CHECKING:
    from pathlib import Path

MEGABYTE = 2**20


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """One with 1,000 MB free and a group in a group, both without a limit."""
    proc, groups = tmp_path / "proc", tmp_path / "groups"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(
        f"MemTotal: {2000 * 1024} kB\nMemAvailable: {1000 * 1024} kB\nHugePages_Total: 0\n"
    )
    (proc / "self" / "cgroup").write_text("0::/jobs/one\n")
    for group in (groups / "jobs", groups / "jobs" / "one"):
        group.mkdir(parents=True)
        limit(group, "max", 0, 0)
    return Machine(proc, groups)


def limit(group: Path, most: str, used: int, cached: int) -> None:
    (group / "memory.max").write_text(f"{most}\n")
    (group / "memory.current").write_text(f"{used * MEGABYTE}\n")
    (group / "memory.stat").write_text(f"anon 7\ninactive_file {cached * MEGABYTE}\n")


def test_without_limits_it_is_what_the_machine_has(machine: Machine) -> None:
    assert machine.room() == Room(1000 * MEGABYTE, "memory of the machine")


def test_a_group_limits_and_its_cache_is_free(machine: Machine) -> None:
    limit(machine.groups / "jobs" / "one", str(500 * MEGABYTE), used=300, cached=120)
    assert machine.room() == Room(320 * MEGABYTE, "limit of the control group")


def test_the_group_around_counts_as_well(machine: Machine) -> None:
    limit(machine.groups / "jobs" / "one", str(500 * MEGABYTE), used=0, cached=0)
    limit(machine.groups / "jobs", str(400 * MEGABYTE), used=390, cached=0)
    assert machine.room() == Room(10 * MEGABYTE, "limit of the control group")


def test_where_nothing_is_told_nothing_is_known(tmp_path: Path) -> None:
    assert Machine(tmp_path, tmp_path).room() is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_limit_of_the_process_counts() -> None:
    program = "from ordain.runtime.memory import Machine; print(Machine().room())"
    size = 300 * MEGABYTE
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)),
    )
    assert ran.stdout.endswith("limit='limit of the process (RLIMIT_AS)')\n")
    found = int(ran.stdout.split("size=")[1].split(",")[0])
    assert 0 < found < size


@pytest.mark.parametrize(
    ("size", "said"),
    [(-5, "0 MB"), (64 * 10**6, "64 MB"), (3_140_000_000, "3.1 GB")],
)
def test_sizes_are_told_as_people_say_them(size: int, said: str) -> None:
    assert words(size) == said
