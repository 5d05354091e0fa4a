"""A check with a cache says what a check without one says, whatever was edited in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from edited_estates import ALL, STEPS, files
from hypothesis import given, settings
from hypothesis import strategies as st

from ordain.policies.gate import check
from ordain.specs.cache import _FORMAT, Cache
from ordain.specs.diagnostics import render_text
from ordain.specs.estates import load_estate
from ordain.specs.memory import _head
from ordain.specs.writers import documents
from ordain.specs.writers.checked import Checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from edited_estates import Files

    from ordain.policies.gate import Judgement

pytestmark = pytest.mark.property

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def judged(tree: Mapping[str, bytes], now: datetime, cache: Cache | None) -> Judgement:
    return check(load_estate(tree, cache), now, tree=tree, cache=cache)


def printed(judgement: Judgement, tree: Files) -> tuple[str, str, str]:
    findings = judgement.findings
    suppressed = "\n".join(map(repr, judgement.suppressed))
    checked = Checked(judgement.verdict, findings, NOW, tree, policies=judgement.policies)
    return render_text(findings, tree, colour=False), documents.render(checked), suppressed


def same_as_cold(path: Path, tree: Files, now: datetime = NOW) -> Judgement:
    """What a warm check says, which is what a cold one says."""
    cold = judged(tree, now, None)
    # The second time everything is known that can be known.
    for _ in range(2):
        warm = judged(tree, now, Cache(path, "this tool"))
        assert printed(warm, tree) == printed(cold, tree)
        assert (warm.findings, warm.verdict) == (cold.findings, cold.verdict)
        assert warm.policies == cold.policies
    return cold


def test_after_one_edit_a_warm_check_prints_what_a_cold_one_prints(tmp_path: Path) -> None:
    path = tmp_path / "estate.json"
    assert same_as_cold(path, files(set())).findings == ()
    assert same_as_cold(path, files(set()), NOW + timedelta(minutes=2)).findings != ()
    silent = []
    for edit in ALL:
        judgement = same_as_cold(path, files({edit}))
        assert same_as_cold(path, files(set())).findings == ()
        silent += [] if judgement.findings else [edit]
    # Nearly every edit is found out, so that a check that remembers too much is found out as well.
    assert len(silent) <= len(ALL) // 4


@given(STEPS, st.lists(st.integers(0, 2), min_size=5, max_size=5))
@settings(max_examples=25)
def test_after_many_edits_a_warm_check_prints_what_a_cold_one_prints(
    tmp_path_factory: pytest.TempPathFactory, steps: list[set[int]], minutes: list[int]
) -> None:
    path = tmp_path_factory.mktemp("cache") / "estate.json"
    edits: set[int] = set()
    for step, later in zip(steps, minutes, strict=False):
        edits ^= step
        same_as_cold(path, files(edits), NOW + timedelta(minutes=later))


REMEMBERED = (
    _head(f"{_FORMAT} this tool", b'{"files":{},"silent":{}}') + b'{"files":{},"silent":{}}'
)


@given(st.integers(0, 2**32), st.integers(1, 255), st.booleans())
@settings(max_examples=40)
def test_a_damaged_cache_is_none(
    tmp_path_factory: pytest.TempPathFactory,
    place: int,
    change: int,
    cut: bool,  # noqa: FBT001 - hypothesis hands arguments over by position
) -> None:
    path = tmp_path_factory.mktemp("cache") / "estate.json"
    data = bytearray(REMEMBERED)
    data[place % len(data)] ^= change
    path.write_bytes(data[: place % len(data)] if cut else data)
    path.chmod(0o600)
    assert not Cache(path, "this tool").remembers
    path.write_bytes(REMEMBERED)
    assert Cache(path, "this tool").remembers
    assert not Cache(path, "another tool").remembers
