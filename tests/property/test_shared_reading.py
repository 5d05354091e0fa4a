"""A change is judged alike, whether base and head are read each for itself or one beside the other.

What two commits share is read once, and the values of a file may come from an earlier run. Neither
may change a finding, its place, or anything else that the gate says of a change.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from edited_estates import ALL, STEPS, files
from hypothesis import given, settings

from ordain.policies.changes import describe
from ordain.policies.gate import judge
from ordain.specs.estates import load_estate
from ordain.specs.known_values import KnownValues
from ordain.specs.reads import blob_id
from ordain.vcs.changes import Change, PathChange

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from edited_estates import Files

    from ordain.specs.documents import LoadedEstate

    Pair = tuple[LoadedEstate, LoadedEstate]

pytestmark = pytest.mark.property

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
MODE = "100644"


def each_for_itself(base: Files, head: Files) -> Pair:
    return load_estate(base), load_estate(head)


def beside(base: Files, head: Files, known: KnownValues | None = None) -> Pair:
    """As the gate reads them: the head takes over the files that the change has left alone."""
    before = load_estate(base, known=known)
    same = {path for path, data in head.items() if base.get(path) == data}
    read = {path: found for path, found in before.clean.items() if path in same}
    return before, load_estate(head, read=read, known=known)


def change(base: Files, head: Files) -> Change:
    def side(tree: Files, path: str) -> tuple[str | None, str | None]:
        return (blob_id(tree[path]), MODE) if path in tree else (None, None)

    paths = []
    for path in sorted(base.keys() | head.keys()):
        (old, old_mode), (new, new_mode) = side(base, path), side(head, path)
        if old != new:
            paths.append(PathChange(path, old, new, old_mode, new_mode))
    return Change("0" * 40, "1" * 40, tuple(paths))


def said(base: Files, head: Files, read: Callable[[Files, Files], Pair]) -> dict[str, Any]:
    """Everything that the gate says of a change."""
    before, after = read(base, head)
    facts = describe(before, after, change(base, head), contributors=["data-scientist"])
    judgement = judge(before, after, facts, (), NOW, tree=head, enforce_intentions=True)
    return {
        "facts": facts,
        "findings": judgement.findings,
        "lines": [repr(one) for one in judgement.findings],
        "suppressed": judgement.suppressed,
        "verdict": judgement.verdict,
        "required": judgement.required,
        "policies": judgement.policies,
        "loaded": after.findings,
        "refused": after.refused,
        "documents": {
            key: (one.raw, one.spec, one.path, one.location)
            for key, one in sorted(after.documents.items())
        },
    }


def same_either_way(base: Files, head: Files, file: Path) -> dict[str, Any]:
    apart = said(base, head, each_for_itself)
    assert said(base, head, beside) == apart
    # The second time every ordinary file is known.
    for _ in range(2):
        known = KnownValues(file)
        assert said(base, head, partial(beside, known=known)) == apart
        known.keep()
    return apart


def test_every_single_edit_is_judged_alike(tmp_path: Path) -> None:
    quiet = 0
    for edit in ALL:
        found = same_either_way(files(set()), files({edit}), tmp_path / "values.json")
        quiet += not found["findings"]
    # Nearly every edit has findings, so that a document that is shared by mistake is found out.
    assert quiet <= len(ALL) // 4


@given(STEPS)
@settings(max_examples=25)
def test_changes_of_many_edits_are_judged_alike(
    tmp_path_factory: pytest.TempPathFactory, steps: list[set[int]]
) -> None:
    file = tmp_path_factory.mktemp("values") / "values.json"
    base: set[int] = set()
    for step in steps:
        head = base ^ step
        same_either_way(files(base), files(head), file)
        base = head
