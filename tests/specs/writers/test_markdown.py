from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from markdown_it import MarkdownIt

from ordain.specs.findings import Finding, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

    from markdown_it.token import Token

    from ordain.specs.writers.checked import Checked

    Make = Callable[..., Checked]
    Write = Callable[[str, Checked], str]

OURS = re.compile(r"</?(code|sub|details|summary)>|<br>|<!-- ordain:check sha256:\w{64} -->")


def tokens(text: str) -> list[Token]:
    """What a renderer of GitHub's Markdown makes of it, blocks and what stands in them."""
    renderer = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    found = renderer.parse(text)
    return [*found, *(inner for one in found for inner in one.children or [])]


def test_a_comment_says_it_all(make: Make, write: Write) -> None:
    missing = Finding("SOD-QUORUM", Severity.ERROR, "the approval of a manager is missing")
    checked = make((*make().findings, missing), base="b" * 40)
    mark, *lines = write("markdown", checked).splitlines()
    assert re.fullmatch(r"<!-- ordain:check sha256:[0-9a-f]{64} -->", mark)
    assert "\n".join(lines) == (
        "### ❌ ordain: fail\n"
        "\n"
        "2 errors, 1 warning, 1 note in 3 files, 1 waived\n"
        "\n"
        "#### Approvals\n"
        "\n"
        "- ❌ the approval of a manager is missing\n"
        "\n"
        "#### Findings\n"
        "\n"
        "|  | code | where | what |\n"
        "|---|---|---|---|\n"
        "| ❌ | <code>POL-drift-limit.features</code> | <code>specs/monitor.yaml:2:26</code>"
        " | the limit is above 0.25<br>→ set psi.fail to 0.25 or less |\n"
        "| ⚠️ | <code>ACC-METRIC</code> |  | a warning |\n"
        "| 💬 | <code>WVR006</code> | <code>ordain.yaml</code> | a note |\n"
        "\n"
        "#### Waived\n"
        "\n"
        "| code | where | what | waiver | until | by | why |\n"
        "|---|---|---|---|---|---|---|\n"
        "| <code>POL-monitored</code> | <code>ordain.yaml:1:1</code> | an old one"
        " | <code>Waiver/monitored</code> | 2026-12-31 | compliance-manager"
        " | the monitor comes with the next release |\n"
        "\n"
        "<details><summary>Evidence</summary>\n"
        "\n"
        "- <code>POL-drift-limit.features</code> <code>specs/monitor.yaml:2:26</code>"
        "<br>object = Monitor/credit<br>object.spec.psi.fail = 5"
        "<br>controls: SR262-MON, SS123-4.4\n"
        "\n"
        "</details>\n"
        "\n"
        "<sub>Judged: commit <code>aaaaaaaaaaaa</code> against <code>bbbbbbbbbbbb</code>,"
        " 3 policies. Reproduce: <code>ordain check</code>."
        " Meaning of a code: <code>ordain explain CODE</code>.</sub>\n"
        "\n"
        "<sub>As of 2026-11-20T12:00:00Z by ordain 1.2.3.</sub>"
    )


def test_nothing_found_is_a_short_comment(make: Make, write: Write) -> None:
    text = write("markdown", replace(make((), (), revision=""), verdict=Verdict.PASS))
    assert "### ✅ ordain: pass\n\nno findings in 3 files\n" in text
    assert "####" not in text
    assert "Judged: the work tree" in text


def test_the_mark_changes_with_the_content_and_not_with_the_time(make: Make, write: Write) -> None:
    checked = make()
    later = replace(checked, as_of=checked.as_of + timedelta(hours=1))
    other = replace(checked, revision="c" * 40)
    first, same, changed = (
        write("markdown", one).splitlines()[0] for one in (checked, later, other)
    )
    assert first == same
    assert first != changed


def test_the_mark_is_the_digest_of_what_follows(make: Make, write: Write) -> None:
    mark, _, rest = write("markdown", make()).partition("\n")
    body = rest[: rest.index("\n<sub>As of")]
    assert sha256(body.encode()).hexdigest() in mark


def test_nothing_that_is_quoted_becomes_markup(everywhere: Checked, write: Write) -> None:
    found = tokens(write("markdown", everywhere))
    kinds = {one.type for one in found}
    assert not kinds & {"link_open", "image", "em_open", "strong_open", "s_open", "fence"}
    assert not kinds & {"code_inline", "code_block", "hr", "ordered_list_open"}
    for one in found:
        if one.type in ("html_inline", "html_block"):
            assert OURS.sub("", one.content).strip() in ("", "Evidence")
    assert [one.tag for one in found if one.type == "heading_open"] == ["h3", "h4", "h4", "h4"]


def test_a_table_keeps_its_columns_whatever_is_quoted(everywhere: Checked, write: Write) -> None:
    found = tokens(write("markdown", everywhere))
    opened = [one.type for one in found]
    # A header and one row of four columns, a header and one row of seven.
    assert opened.count("tr_open") == 4
    assert (opened.count("th_open"), opened.count("td_open")) == (11, 11)


@pytest.mark.parametrize(
    "text",
    ["@everyone", "#12", "!34", "user@example.org", "https://evil.example", "www.evil.example"],
)
def test_nothing_that_is_quoted_calls_or_links(make: Make, write: Write, text: str) -> None:
    comment = write("markdown", make((Finding("X", Severity.ERROR, f"see {text}"),), ()))
    assert text not in comment
    assert text in comment.replace("\u200b", "")


def test_no_line_is_a_command_of_the_forge(everywhere: Checked, write: Write) -> None:
    lines = write("markdown", everywhere).splitlines()
    assert not [line for line in lines if line.startswith("/")]


def test_thirty_thousand_findings_fit_and_the_rest_is_counted(many: Checked, write: Write) -> None:
    text = write("markdown", many)
    assert 50_000 < len(text.encode()) <= 60_000
    rows = re.findall(r"^\| (\S+) \|", text, re.MULTILINE)[0:]
    assert set(rows) == {"❌"}
    (left,) = re.findall(r"… and ([\d,]+) more rows that have no room here", text)
    assert int(left.replace(",", "")) + len(rows) == 30_000
    assert text.rstrip().endswith("</sub>")
