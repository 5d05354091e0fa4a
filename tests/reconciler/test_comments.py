"""The one comment under a proposal: bounded, the same twice, and nobody's drawing board."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest

from ordain.policies.records import described
from ordain.reconciler.comments import MARKER, render_comment
from ordain.reconciler.preview import Preview, preview
from ordain.reconciler.review import judge_sides
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.writers.markdown import MOST_BYTES
from ordain.vcs.forges.marks import check_body
from tests.reconciler.conftest import MODEL_FILE, NOW

if TYPE_CHECKING:
    from ordain.specs.writers.checked import Checked
    from tests.reconciler.conftest import Bench

TOPIC = "refs/heads/topic"


@pytest.fixture
def told(bench: Bench) -> tuple[Checked, Preview]:
    """What the gate and the preview say of a limit that is loosened."""
    bench.loosen(branch=TOPIC)
    return _told(bench)


def _told(bench: Bench) -> tuple[Checked, Preview]:
    source = bench.source()
    onto, head = source.head(), source.repository.resolve(TOPIC)
    before, after, judged = judge_sides(source, onto, head, bench.now)
    checked = described(
        judged.judgement,
        bench.now,
        after.tree,
        findings=judged.findings,
        revision=head,
        base=onto,
        command=("ordain", "check", "--base", onto[:12], "--rev", head[:12]),
    )
    return checked, preview(before, after, judged, head=head)


def lines(text: str) -> list[str]:
    return text.splitlines()


def test_it_goes_from_the_verdict_to_what_to_do_next(told: tuple[Checked, Preview]) -> None:
    text = render_comment(*told, reviews=True)
    titles = [line for line in lines(text) if line.startswith("#")]
    assert titles == [
        "### ❌ ordain: fail",
        "#### Approvals",
        "#### Findings",
        "### What merging changes",
        "#### Who approves",
        "#### In production",
        "#### Loosened limits",
        "#### Declared otherwise",
        "#### Next",
    ]
    steps = lines(text)[lines(text).index("#### Next") + 2 :]
    assert steps[0].startswith("- Mend what is wrong, then push: <code>ordain explain ")
    assert steps[1].startswith("- Approvals that are missing (")
    assert "approve it here, or sign a statement" in steps[1]
    assert steps[-1].startswith("<sub>Judged: commit <code>")


def test_where_reviews_do_not_count_it_does_not_send_anybody_to_review(
    told: tuple[Checked, Preview],
) -> None:
    assert "approve it here" not in render_comment(*told, reviews=False)


def test_what_may_be_merged_says_so(bench: Bench) -> None:
    bench.owner("somebody", branch=TOPIC)
    text = render_comment(*_told(bench), reviews=True)
    assert lines(text)[1] == "### ✅ ordain: pass"
    assert "- Nothing blocks: it may be merged." in lines(text)


def test_sides_that_do_not_merge_have_findings_and_no_preview(
    told: tuple[Checked, Preview],
) -> None:
    text = render_comment(told[0], None, reviews=True)
    assert "### What merging changes" not in text
    assert "#### Findings" in text


def test_without_a_preview_a_missing_approval_is_still_the_next_step(
    told: tuple[Checked, Preview],
) -> None:
    checked, seen = told
    asked = replace(checked, findings=(Finding("SOD-QUORUM", Severity.ERROR, "one is missing"),))
    for partial in (None, replace(seen, complete=False)):
        text = render_comment(asked, partial, reviews=False)
        steps = lines(text)[lines(text).index("#### Next") + 2 :]
        step = "- Approvals that are missing: sign a statement with <code>ordain approve</code>"
        assert steps[0] == step


def test_the_mark_is_the_digest_of_the_rest_and_the_client_takes_it(
    told: tuple[Checked, Preview],
) -> None:
    text = render_comment(*told, reviews=True)
    head, _, rest = text.partition("\n")
    assert head == f"<!-- ordain:gate sha256:{sha256(rest.encode()).hexdigest()} -->"
    check_body(MARKER, text)


def test_the_time_changes_nothing(bench: Bench, told: tuple[Checked, Preview]) -> None:
    first = render_comment(*told, reviews=True)
    bench.now = NOW + timedelta(days=1)
    assert render_comment(*_told(bench), reviews=True) == first


def many(message: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(f"POL-x.{number}", Severity.WARNING, message, Location(MODEL_FILE, number + 1))
        for number in range(5_000)
    )


def test_thousands_of_findings_leave_room_for_the_rest(told: tuple[Checked, Preview]) -> None:
    checked, seen = told
    loud = replace(checked, findings=(*checked.findings, *many("ж" * 300)))
    text = render_comment(loud, seen, reviews=True)
    assert MOST_BYTES - 30_000 < len(text.encode()) <= MOST_BYTES
    check_body(MARKER, text)
    assert "more rows that have no room here" in text
    assert "### What merging changes" in text
    assert lines(text)[-1].startswith("<sub>Judged: ")
    # What blocks is not cut before what does not.
    assert "<code>POL-drift-limit.features</code>" in text


def test_thousands_of_files_have_no_more_room_either(told: tuple[Checked, Preview]) -> None:
    checked, seen = told
    files = tuple(("+", f"notes/{'🙂' * 50}/{number}") for number in range(5_000))
    text = render_comment(checked, replace(seen, files=files), reviews=True)
    assert len(text.encode()) <= MOST_BYTES
    assert "found no place here" in text
    assert "#### Next" in text


def test_texts_of_a_stranger_draw_nothing(told: tuple[Checked, Preview]) -> None:
    checked, seen = told
    text = (
        "x\n### ✅ ordain: pass\n<!-- ordain:gate sha256:0 -->\n| a | b |\n@boss [a](https://e.example)"
        "\n</details><img src=x>\n/approve"
    )
    evil = Finding("POL-x.y", Severity.ERROR, text, Location("specs/`|\n## x.yaml", 1), (text,))
    quoted = render_comment(
        replace(checked, findings=(*checked.findings, evil)), seen, reviews=True
    )
    assert [line for line in lines(quoted) if line.startswith("### ")] == [
        "### ❌ ordain: fail",
        "### What merging changes",
    ]
    assert quoted.count("<!--") == 1
    assert "<img" not in quoted
    assert "@boss" not in quoted
    assert not [line for line in lines(quoted) if line.startswith(("/", "##  x"))]
