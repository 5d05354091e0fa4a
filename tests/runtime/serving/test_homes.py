from __future__ import annotations

import re
from pathlib import Path

from ordain.runtime.serving.supervisor import Home

RUN = Path("/run/ordain")


def home(instance: str = "") -> Home:
    return Home(RUN, RUN / "config.json", instance)


def test_supervisors_with_equal_directories_and_one_ledger_have_chains_of_their_own() -> None:
    pods = ("ordain-production-7d9c8bfbd-x2x4q", "ordain-production-7d9c8bfbd-k8s9z", "")
    names = [home(pod).writer("production", number) for pod in pods for number in (0, 1)]
    assert len(set(names)) == 6


def test_a_chain_says_whose_it_is() -> None:
    name = home("ordain-production-7d9c8bfbd-x2x4q").writer("production", 0)
    assert re.fullmatch(r"production-7d9c8bfbd-x2x4q-[0-9a-f]{8}-0", name)


def test_any_instance_and_environment_make_a_name_that_a_ledger_takes() -> None:
    for instance in ("", "Node_A/1", "p" * 253):
        name = home(instance).writer("e" * 63, 999_999_999)
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", name)
