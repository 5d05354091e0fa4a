"""What people see of a proposal that is a pull request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from ordain.cli import command
from tests.reconciler.conftest import NOW, founded, hosted

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.reconciler.hosting import Hosted

    Say = Callable[..., str]

__all__ = ["founded", "hosted"]


@pytest.fixture
def say(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> Say:
    """Run a command in the clone and give back what it prints."""
    for name, value in hosted.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("ordain.cli.proposals.now", lambda: NOW)

    def run(*words: str, expect: int = 0) -> str:
        done = CliRunner().invoke(command, ["-C", str(hosted.estate), *words])
        assert done.exit_code == expect, done.output
        return done.output

    return run


def test_a_pull_request_is_listed_shown_reviewed_and_merged(hosted: Hosted, say: Say) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    assert "1 " in say("proposals", "list")
    shown = say("proposals", "show", "1")
    assert "Approvals:\n  none\n" in shown
    assert shown.endswith(f"Next: review it at {hosted.site.origin}/owner/estate/pull/1\n")
    hosted.site.review(pull.number, "mona")
    shown = say("proposals", "show", "topic")
    assert "  manager in a review, 2026-11-20 09:30 UTC\n" in shown
    assert shown.endswith("Next: ordain proposals merge 1 --as PERSON\n")
    merged = say("proposals", "merge", "1", "--as", "manager")
    assert merged.startswith("Merged 1 as ")
    assert pull.merged is not None
    assert hosted.gate(None).good == pull.merge_commit_sha


def test_a_statement_is_signed_only_by_who_insists(hosted: Hosted, say: Say) -> None:
    hosted.push("topic", hosted.route())
    hosted.pull("topic")
    words = ("proposals", "approve", "topic", "--as", "manager")
    refused = say(*words, expect=1)
    assert f"topic is reviewed at {hosted.site.origin}/owner/estate/pull/1" in refused
    assert say(*words, "--signed").startswith("manager approves topic as manager (key SHA256:")
    assert "  manager as manager, 2026-11-20 09:30 UTC\n" in say("proposals", "show", "topic")
