"""The comment under a pull request: it fits, it is found again, and nobody can draw in it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.preview import preview
from ordain.reconciler.preview_markdown import LIMIT, render_markdown
from ordain.reconciler.review import judge_sides
from tests.reconciler.conftest import MODEL_FILE, MONITOR_FILE, NOW

if TYPE_CHECKING:
    from ordain.reconciler.preview import Preview
    from tests.reconciler.conftest import Bench

TOPIC = "refs/heads/topic"
WAIVER = """apiVersion: ordain.dev/v1
kind: Comment
metadata: {{name: note-{0}}}
spec: {{model: malignancy, breach: "1", author: cto, text: "{1}"}}
---
"""


def previewed(bench: Bench, files: dict[str, bytes | None]) -> Preview:
    head = bench.commit(files, branch=TOPIC)
    source = bench.source()
    return preview(*judge_sides(source, source.head(), head, NOW), head=head)


def test_the_comment_tells_the_verdict_first_and_how_to_repeat_it_last(bench: Bench) -> None:
    found = previewed(bench, bench.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.3"))
    lines = render_markdown(found).splitlines()
    assert re.fullmatch(r"<!-- ordain:plan sha256:[0-9a-f]{64} -->", lines[0])
    assert lines[1:6] == [
        "### ordain plan: fail (2 errors, 0 warnings)",
        "",
        ("**Plan: 0 to add, 1 to change, 0 to remove; 0 models retrain; 1 approval missing.**"),
        "",
        f"Merging `{found.head[:12]}` into `{found.base[:12]}`: loosening.",
    ]
    assert [line for line in lines if line.startswith("#### ")] == [
        "#### Approvals",
        "#### Findings",
        "#### In production",
        "#### Loosened limits",
        "#### Declared otherwise",
    ]
    assert lines[-1] == (
        f"<sub>The same again: <code>ordain plan --base {found.base[:12]}"
        f" --rev {found.head[:12]}</code></sub>"
    )


def test_sentences_are_sentences_under_the_signs_of_the_check(bench: Bench) -> None:
    found = previewed(bench, bench.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.3"))
    lines = render_markdown(found).splitlines()
    what = "Monitor/malignancy spec.psi.fail is loosened from 0.25 to 0.3"
    assert [line for line in lines if what in line] == [
        f"| <code>compliance-manager</code> | **missing** | <code>cto</code> | {what} |",
        (
            "| ❌ | <code>SOD-QUORUM</code> | <code>specs/monitors/malignancy.yaml:7:26</code> | "
            f"the approval of a compliance-manager is missing: {what} | "
            "ask a compliance-manager who did not contribute to approve this change |"
        ),
    ]


def test_the_mark_changes_with_the_content_and_only_with_it(bench: Bench) -> None:
    found = previewed(bench, bench.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.3"))
    other = previewed(bench, bench.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.4"))
    marks = [render_markdown(one).splitlines()[0] for one in (found, found, other)]
    assert marks[0] == marks[1] != marks[2]


def test_whoever_writes_a_document_cannot_draw_with_it(bench: Bench) -> None:
    evil = "</code> | x | `y` <b> @cto [a](https://b.example) **pass** <!-- ordain:plan -->"
    line = (
        "purpose: Probability that a tumour is malignant, as a second opinion for the pathologist"
    )
    found = previewed(bench, bench.edited(MODEL_FILE, line, f'purpose: "{evil}"'))
    text = render_markdown(found)
    (row,) = [line for line in text.splitlines() if "spec.purpose" in line]
    assert row.count("|") == 7
    assert html.unescape(row).replace("\u200b", "").count(evil) == 1
    for sign in ("@cto", "https:", "**pass", "<b>", "`y"):
        assert sign not in text
    assert text.count("<!-- ordain:plan") == 1


@pytest.mark.parametrize("limit", [LIMIT, 6_000, 2_000])
def test_a_change_too_large_for_a_comment_says_what_it_leaves_out(bench: Bench, limit: int) -> None:
    notes = "".join(WAIVER.format(number, "é|" * 60) for number in range(400))
    found = previewed(bench, {"specs/notes.yaml": notes.encode()})
    text = render_markdown(found, limit=limit)
    assert len(text.encode()) <= limit
    shown = text.count("Comment/note-")
    (left,) = re.findall(r"\*\*(\d+) rows? found no place here\.\*\*", text) or ["0"]
    if limit == LIMIT:
        assert shown == 400
        assert left == "0"
    else:
        assert shown < 400
        assert shown + int(left) >= 400


def test_a_long_table_leaves_room_for_the_next(bench: Bench) -> None:
    """A comment that held only the first one would hide what the change does."""
    text = bench.text(MODEL_FILE)
    models: dict[str, bytes | None] = {
        f"specs/models/other-{number}.yaml": text.replace(
            "name: malignancy", f"name: other-{number}"
        ).encode()
        for number in range(60)
    }
    found = previewed(bench, models)
    assert len(found.retrains) == 60
    shown = render_markdown(found, limit=7_000)
    assert len(shown.encode()) <= 7_000
    assert [line for line in shown.splitlines() if line.startswith("#### ")] == [
        "#### In production",
        "#### Declared otherwise",
    ]
    assert "found no place here.**" in shown
