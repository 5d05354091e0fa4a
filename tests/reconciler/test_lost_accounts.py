"""A review is of an account, and an account that its change takes away approves nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.review import review
from tests.reconciler.hosting import ACCOUNTS, ORGANIZATION, SECOND

if TYPE_CHECKING:
    from tests.reconciler.hosting import Hosted


MANAGERS = ACCOUNTS["manager"]


@pytest.mark.parametrize(("account", "refused"), [(MANAGERS, ["SOD-KEY"]), (SECOND, [])])
def test_a_review_of_an_account_that_goes_does_not_count(
    hosted: Hosted, account: tuple[str, int], refused: list[str]
) -> None:
    entry = f"{{forge: github, login: {MANAGERS[0]}, id: {MANAGERS[1]}}}, "
    hosted.push("topic", hosted.route() | hosted.edited(ORGANIZATION, entry, ""))
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, account[0])
    judged = review(hosted.source(), str(pull.number), hosted.now).judged
    (approval,) = judged.approvals.valid
    assert approval.account == f"github {account[1]}"
    assert [one.code for one in judged.judgement.refused] == refused
