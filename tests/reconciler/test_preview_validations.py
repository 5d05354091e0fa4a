"""A preview of a promotion says what was measured and who is decided otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.reconciler.preview import preview
from ordain.reconciler.preview_markdown import render_inside, render_markdown
from ordain.reconciler.preview_text import render_text
from ordain.reconciler.review import judge_sides
from ordain.specs.validations import Behaviour, Check, Shift
from tests.reconciler.conftest import NOW

if TYPE_CHECKING:
    from ordain.reconciler.preview import Preview
    from tests.reconciler.conftest import Bench

SHIFTS = (
    Shift("", 142, 3, 1, 0.371, 0.357, 0.625, -0.016, 0.046),
    Shift("site=a|b", 70, 2, 1, 0.4, 0.386, 1.0, -0.04, 0.07, 1.0),
)


def promoted(bench: Bench) -> Preview:
    """The promotion of a version that decides otherwise than the one now running."""
    bench.promote()
    version = bench.version(2)
    assert version.validation is not None
    source = bench.source()
    running = bench.version(1).artifact
    failing = Check("edge-cases", "no-slide", value=0.2, n=1, limit=">= 0.5", verdict="fail")
    report = replace(
        version.validation,
        checks=(*version.validation.checks, failing),
        behaviour=Behaviour(running, SHIFTS, (("R1", 0.6, 0.5),)),
        verdict="fail",
    )
    proposal = bench.propose(replace(version, validation=report))
    return preview(
        *judge_sides(bench.source(), source.head(), proposal.head, NOW), head=proposal.head
    )


def test_a_promotion_is_previewed_with_its_validation(bench: Bench) -> None:
    found = promoted(bench)
    text = render_text(found, colour=False)
    assert (
        "Validated:\n"
        "  the validation of ModelVersion/malignancy-2 says fail on 142 rows: "
        "edge-cases: no-slide is 0.2 (>= 0.5): fail\n"
        "      all rows: 3 gain and 1 lose of 142, 35.7% -> 37.1%, +1.4%, -1.6% to +4.6% "
        "(p 0.625)\n"
        "      site=a|b: 2 gain and 1 lose of 70, 38.6% -> 40.0%, +1.4%, -4.0% to +7.0% "
        "(p 1.000, over all groups 1.000)\n"
    ) in text
    page = render_markdown(found)
    assert "| `ModelVersion/malignancy-2` |" not in page
    assert "<code>ModelVersion/malignancy-2</code> | edge-cases | fail | 1 |" in page
    assert "| all rows | 142 | 3 | 1 | 35.7% | 37.1% | +1.4%, -1.6% to +4.6% | 0.625 |  |" in page
    assert "| R1 | 50.0% | 60.0% |" in page
    assert "#### Decisions" in render_inside(found, limit=20_000)
    (told,) = found.to_json()["validations"]
    assert told["verdict"] == "fail"
    assert told["sections"] == [
        ["drift", "pass", "1"],
        ["performance", "pass", "1"],
        ["edge-cases", "fail", "1"],
        ["explanations", "pass", "2"],
    ]
    chances = ["+1.4%, -1.6% to +4.6%", "0.625", ""]
    assert told["shifts"][0] == ["all rows", "142", "3", "1", "35.7%", "37.1%", *chances]
    assert "PRO013" in found.blocked_by


def test_names_of_groups_draw_nothing_in_a_comment(bench: Bench) -> None:
    (row,) = [one for one in render_markdown(promoted(bench)).splitlines() if "site=a" in one]
    assert row.count(" | ") == 9
