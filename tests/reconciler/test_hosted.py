"""Reviews and merge buttons: what a forge says counts as far as git bears it out."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from forges import GitHubStub, trouble

from ordain.ledger.ledger import Ledger
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.gating import gate_history
from ordain.reconciler.host_reviews import recorded_reviews
from ordain.reconciler.review import Reviewer, approve, judge_sides, queued_proposal, review
from ordain.reconciler.source import forget_trust
from ordain.reconciler.statuses import hold, say, verdicts
from ordain.vcs.changes import change_between
from ordain.vcs.errors import HostDenied
from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, generate_key, parse_signer
from ordain.vcs.objects import Identity
from tests.reconciler.conftest import MODEL_FILE, MONITOR_FILE
from tests.reconciler.hosting import ROUTE

if TYPE_CHECKING:
    from ordain.reconciler.gating import Gated, Judged
    from ordain.vcs.host import Host, HostProposal
    from tests.reconciler.hosting import Hosted, OnGitLab


def codes(gated: Gated) -> list[set[str]]:
    return [
        {one.code for one in refusal.findings if one.severity.value == "error"}
        for refusal in gated.refused
    ]


def errors(judged: Judged) -> set[str]:
    return {one.code for one in judged.findings if one.severity.value == "error"}


def reasons(judged: Judged) -> list[str]:
    return [one.reason for one in judged.approvals.rejected]


def proposed(hosted: Hosted | OnGitLab, number: int) -> Judged:
    """The verdict on merging a proposal now."""
    return review(hosted.source(), str(number), hosted.now).judged


# Reviews


def test_a_review_is_an_approval_of_what_was_looked_at(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    before = proposed(hosted, pull.number)
    assert errors(before) == {"SOD-QUORUM"}
    hosted.site.review(pull.number, "mona")
    judged = proposed(hosted, pull.number)
    assert not judged.blocked
    (approval,) = judged.approvals.valid
    assert (approval.person, approval.role, approval.key) == ("manager", "", "")
    assert [(one.person, one.role) for one in judged.judgement.approvals] == [
        ("manager", "manager")
    ]
    assert approval.change == judged.change.digest
    assert f"/pull/{pull.number}#" in approval.proof


def test_a_review_is_of_the_branch_that_was_its_target(hosted: Hosted) -> None:
    """What stands in the other branch already, no reviewer was shown."""
    root = hosted.source().head()
    tip = hosted.push("other", hosted.route())
    hosted.push("topic", {"NOTES.md": b"A word.\n"}, parents=(tip,))
    pull = hosted.pull("topic", base="other")
    hosted.site.review(pull.number, "mona")
    hosted.site.retarget(pull.number, "main", "dana")
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert reasons(judged) == ["it was given before the proposal was turned to this branch"]
    hosted.press(pull, "squash")
    assert hosted.gate(root).good == root


def test_a_review_after_the_turn_counts(hosted: Hosted) -> None:
    tip = hosted.push("other", hosted.route())
    hosted.push("topic", {"NOTES.md": b"A word.\n"}, parents=(tip,))
    pull = hosted.pull("topic", base="other")
    hosted.site.retarget(pull.number, "main", "dana")
    later = hosted.site.now + timedelta(seconds=1)
    hosted.site.review(pull.number, "mona", at=later)
    assert not proposed(hosted, pull.number).blocked


def test_on_gitlab_an_approval_is_of_the_branch_that_was_its_target(gitlab: OnGitLab) -> None:
    tip = gitlab.push("other", gitlab.route())
    gitlab.push("topic", {"NOTES.md": b"A word.\n"}, parents=(tip,))
    number = gitlab.site.open_merge_request("topic", target="other", author="dana").iid
    gitlab.mirror()
    gitlab.site.approve(number, "mona")
    gitlab.site.retarget(number, "main", "dana")
    judged = proposed(gitlab, number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert reasons(judged) == ["it was given before the proposal was turned to this branch"]


def test_new_content_voids_a_review(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.push("topic", hosted.edited(MODEL_FILE, "seed: 7", "seed: 8"))
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    (refused,) = judged.judgement.refused
    assert (refused.code, refused.reason) == (
        "SOD-CONTENT",
        "it is for other content than this change now has",
    )


@pytest.mark.parametrize("signed", [True, False])
def test_an_update_from_the_base_leaves_a_review_standing(hosted: Hosted, *, signed: bool) -> None:
    """Whether the author made it or a button of the forge did, which signs with no person's key."""
    head = hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    main = hosted.push("main", {"NOTES.md": b"beside it\n"})
    by = "data-scientist" if signed else None
    hosted.push("topic", hosted.route() | {"NOTES.md": b"beside it\n"}, by, parents=(head, main))
    judged = proposed(hosted, pull.number)
    assert not judged.blocked
    assert judged.facts.pusher == "data-scientist"


def test_an_update_from_the_base_that_touches_the_files_voids_a_review(hosted: Hosted) -> None:
    head = hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    other = hosted.text(ROUTE).replace("endpoint:", "endpoint: ", 1).encode()
    main = hosted.push("main", {ROUTE: other})
    both = other.replace(b"read-by-pathologist", b"read-twice")
    hosted.push("topic", {ROUTE: both}, parents=(head, main))
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert any("these files have changed since" in one for one in reasons(judged))


def test_a_dismissed_review_counts_no_more(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    given = hosted.site.review(pull.number, "mona")
    hosted.site.dismiss(given)
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert reasons(judged) == ["it was dismissed"]


def test_the_newest_word_of_a_person_counts(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hour = timedelta(hours=1)
    hosted.site.review(pull.number, "mona", at=hosted.now - 3 * hour)
    hosted.site.review(pull.number, "mona", "CHANGES_REQUESTED", at=hosted.now - 2 * hour)
    hosted.site.review(pull.number, "mona", "COMMENTED", at=hosted.now - hour)
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert reasons(judged) == ["their newest review asks for changes"]
    hosted.site.review(pull.number, "mona")
    assert not proposed(hosted, pull.number).blocked


def test_what_a_person_says_with_one_account_they_take_back_with_the_other(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona", at=hosted.now - timedelta(hours=1))
    hosted.site.review(pull.number, "mona-at-home", "CHANGES_REQUESTED")
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert [one.person for one in judged.approvals.rejected] == ["manager"]


def test_one_human_with_two_accounts_is_one_approver(hosted: Hosted) -> None:
    """A model of tier 1 asks for several people, and gets one twice."""
    tier = next(line for line in hosted.text(MODEL_FILE).splitlines() if "tier:" in line)
    hosted.push("main", hosted.owned(hosted.edited(MODEL_FILE, tier, "  tier: 1")))
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    pull = hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    for login in ("mona", "mona-at-home"):
        hosted.site.review(pull.number, login)
    judged = proposed(hosted, pull.number)
    assert judged.facts.kind.value == "promotion"
    assert {one.person for one in judged.judgement.approvals} == {"manager"}
    assert errors(judged) == {"SOD-QUORUM"}


def test_who_is_behind_an_account_is_the_organizations_word(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    site = hosted.site
    site.person("stranger", id=99)
    site.person("helper[bot]", id=98, bot=True)
    for login in ("stranger", "helper[bot]", "mona-at-home", "mona"):
        site.review(pull.number, login)
    site.rename_user("mona", "lisa")
    site.person("mona", id=77)
    site.review(pull.number, "mona")
    site.delete_user("mona-at-home")
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert sorted(reasons(judged)) == [
        "account 12 of manager is listed as mona and called lisa",
        "helper[bot] is a machine's account, and machines approve nothing",
        "mona is account 77 now, and the Organization lists 12 for manager",
        "the account stranger (99) is nobody's in the Organization",
        "the account that gave it is not there any more",
    ]


def test_a_review_of_a_commit_that_cannot_be_looked_at_counts_nothing(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    gone = "1" * 40
    other = hosted.push("elsewhere", hosted.route() | {"MORE.md": b"more\n"})
    for login, commit in (("mona", other), ("cleo", gone), ("dana", None)):
        hosted.site.review(pull.number, login, commit_id=commit)
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert sorted(reasons(judged)) == [
        f"the commit it was given on ({gone[:12]}) cannot be looked at",
        f"the commit it was given on ({other[:12]}) is no part of proposal {pull.number}",
        "the forge does not say which commit was looked at",
    ]


def test_a_review_from_the_future_counts_nothing(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona", at=hosted.now + timedelta(minutes=4))
    assert not proposed(hosted, pull.number).blocked
    hosted.site.review(pull.number, "mona", at=hosted.now + timedelta(minutes=6))
    judged = proposed(hosted, pull.number)
    assert errors(judged) == {"SOD-QUORUM"}
    assert reasons(judged) == ["it is dated in the future (2026-11-20T09:36:00Z)"]


def test_nobody_approves_what_they_signed_pushed_or_proposed(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route(), "manager")
    pull = hosted.pull("topic", author="mona")
    hosted.site.review(pull.number, "mona-at-home")
    judged = proposed(hosted, pull.number)
    assert {one.code for one in judged.judgement.refused} == {"SOD-SELF"}
    hosted.push("other", hosted.edited(MONITOR_FILE, "fail: 0.25", "fail: 0.24"))
    opened = hosted.pull("other", author="mona")
    hosted.site.review(opened.number, "mona-at-home")
    judged = proposed(hosted, opened.number)
    assert judged.facts.contributors == frozenset({"data-scientist", "manager"})
    assert {one.code for one in judged.judgement.refused} == {"SOD-SELF"}


# Merge buttons


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_what_a_merge_button_made_is_judged_as_the_proposal(hosted: Hosted, method: str) -> None:
    root = hosted.source().head()
    hosted.push("topic", {"NOTES.md": b"one\n"})
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, method)  # type: ignore[arg-type]
    gated = hosted.gate(root)
    assert (gated.good, gated.refused) == (made, ())
    (judged,) = gated.judged
    assert judged.facts.contributors == frozenset({"data-scientist"})
    assert judged.facts.pusher == "data-scientist"
    assert judged.facts.signers == ("data-scientist", "data-scientist")
    assert [one.person for one in judged.judgement.approvals] == ["manager"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_merge_beside_others_is_good_and_nobody_is_asked_again(
    hosted: Hosted, method: str
) -> None:
    root = hosted.source().head()
    hosted.push("topic", {"NOTES.md": b"one\n"})
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.push("beside", {"BESIDE.md": b"beside\n"})
    beside = hosted.pull("beside")
    hosted.site.review(beside.number, "cleo")
    hosted.press(beside, method)  # type: ignore[arg-type]
    made = hosted.press(pull, method)  # type: ignore[arg-type]
    gated = hosted.gate(root)
    assert (gated.good, gated.refused) == (made, ())
    assert len(gated.judged) == 2


def test_what_nobody_reviewed_is_refused_after_the_button(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.press(pull, "squash")
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"SOD-QUORUM"}]
    hosted.site.review(pull.number, "mona")
    assert hosted.gate(root).good == hosted.source().head()


@pytest.mark.parametrize("parents", [1, 2])
def test_a_merge_that_holds_more_than_the_proposal_is_refused(hosted: Hosted, parents: int) -> None:
    root = hosted.source().head()
    head = hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    evil = hosted.push(
        "main",
        hosted.route() | {"MORE.md": b"slipped in\n"},
        None,
        parents=(root, head)[:parents],
    )
    hosted.site._closed_as_merged(pull, evil, hosted.site.people.need("mona"))
    gated = hosted.gate(root)
    assert gated.good == root
    of_merges = {"GATE002"} if parents == 2 else set()
    assert codes(gated) == [{"GATE001", "GATE011", "SOD-QUORUM"} | of_merges]
    (finding,) = [one for one in gated.refused[0].findings if one.code == "GATE011"]
    assert finding.message == (
        f"commit {evil[:12]} holds something else than merging proposal {pull.number} gives"
    )


def test_a_rebase_that_slips_something_in_is_refused(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", {"NOTES.md": b"one\n"})
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.push("main", {"NOTES.md": b"one\n", "MORE.md": b"slipped in\n"}, None)
    evil = hosted.push("main", hosted.route(), None)
    hosted.site._closed_as_merged(pull, evil, hosted.site.people.need("mona"))
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001", "SOD-QUORUM"}] * 2


def test_a_commit_of_the_platform_that_no_proposal_explains_is_refused(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    del hosted.site.pulls[pull.number]
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE012", "SOD-QUORUM"}]
    assert f"commit {made[:12]} has a PGP signature" in gated.refused[0].findings[0].message


def test_every_commit_of_a_merged_proposal_is_signed(hosted: Hosted) -> None:
    root = hosted.source().head()
    pem, _ = generate_key("stranger")
    hosted.push("topic", hosted.route(), parse_signer(pem, "stranger"))
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.press(pull, "squash")
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001"}]


@pytest.mark.parametrize("tip", ["commit", "merge"])
def test_what_is_fast_forwarded_is_not_signed_by_the_forge(hosted: Hosted, tip: str) -> None:
    """The steps of the branch are then the commits of the proposal, and each is somebody's."""
    root = hosted.source().head()
    head = hosted.push("topic", hosted.route(), None)
    if tip == "merge":
        head = hosted.push("topic", hosted.route(), None, parents=(root, head))
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    with Repository.open(hosted.bare) as repository:
        repository.update_ref("refs/heads/main", head, root)
    hosted.site._closed_as_merged(pull, head, hosted.site.people.need("mona"))
    gated = hosted.gate(root)
    assert gated.good == root
    # Nor does the forge tell where a branch began that main was moved onto: nothing says what the
    # reviewer was shown.
    assert codes(gated) == [{"GATE001", "SOD-QUORUM"}]


def test_a_proposal_whose_branch_is_gone_is_fetched_by_its_number(hosted: Hosted) -> None:
    """As those of forks are, whose branches never were here."""
    root = hosted.source().head()
    head = hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    with Repository.open(hosted.bare) as repository:
        repository.update_ref("refs/heads/topic", None, head)
    gated = hosted.gate(root)
    assert (gated.good, gated.refused) == (made, ())
    found = hosted.source().repository.refs("refs/ordain/proposals/")
    assert found == {f"refs/ordain/proposals/{pull.number}": head}


def test_who_wrote_what_was_squashed_cannot_approve_its_promotion(hosted: Hosted) -> None:
    """The squashed commit is signed by nobody; the ones behind it are."""
    hosted.push("topic", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"), "manager")
    pull = hosted.pull("topic", author="mona")
    hosted.site.review(pull.number, "cleo")
    hosted.press(pull, "squash")
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    promotion = hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    hosted.site.review(promotion.number, "mona")
    judged = proposed(hosted, promotion.number)
    assert judged.facts.kind.value == "promotion"
    # The cto has founded the estate.
    assert judged.facts.contributors == frozenset({"cto", "manager"})
    assert errors(judged) == {"SOD-QUORUM"}
    assert {one.code for one in judged.judgement.refused} == {"SOD-SELF"}


def test_nor_by_a_statement_whether_or_not_the_forge_answers(hosted: Hosted) -> None:
    """Git alone would call it enough, and cannot say who made the squashed commit."""
    hosted.push("topic", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"), "manager")
    pull = hosted.pull("topic", author="mona")
    hosted.site.review(pull.number, "cleo")
    hosted.press(pull, "squash")
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    source = hosted.source()
    promotion = source.forge.proposal("malignancy-1")
    who = Identity("manager", "manager@example.org")
    source.forge.approve(
        promotion,
        change=source.forge.change(promotion),
        actor=Actor("manager", who, hosted.signer("manager")),
        role="manager",
        time=hosted.now,
    )
    judged = review(hosted.source(), "malignancy-1", hosted.now).judged
    assert {one.code for one in judged.judgement.refused} == {"SOD-SELF"}
    assert errors(judged) == {"SOD-QUORUM"}
    hosted.site.trouble(trouble.status(403), "/commits/", times=None)
    judged = review(hosted.source(), "malignancy-1", hosted.now).judged
    assert judged.judgement.approvals
    assert judged.findings[0].code == "GATE010"


def test_who_wrote_what_was_rebased_cannot_approve_its_promotion(hosted: Hosted) -> None:
    """The commit that changed the model is not the last one, which alone the forge explains."""
    hosted.push("topic", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"), "manager")
    hosted.push("topic", {"NOTES.md": b"one\n"}, "data-scientist")
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.press(pull, "rebase")
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    promotion = hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    hosted.site.review(promotion.number, "mona")
    judged = proposed(hosted, promotion.number)
    assert judged.facts.contributors == frozenset({"cto", "data-scientist", "manager"})
    assert errors(judged) == {"SOD-QUORUM"}


# GitLab


@pytest.mark.parametrize(("method", "squash"), [("merge", False), ("merge", True), ("ff", False)])
def test_what_gitlab_merged_is_judged_as_the_proposal(
    gitlab: OnGitLab, method: str, *, squash: bool
) -> None:
    root = gitlab.source().head()
    gitlab.push("topic", gitlab.edited(MODEL_FILE, "seed: 7", "seed: 9"))
    gitlab.push("topic", gitlab.route())
    number = gitlab.open("topic")
    gitlab.site.settings["merge_method"] = method
    gitlab.press(number, squash=squash)
    assert {"SOD-QUORUM"} == set().union(*codes(gitlab.gate(root)))
    gitlab.site.approve(number, "mona")
    gated = gitlab.gate(root)
    assert (gated.good, gated.refused) == (gitlab.source().head(), ())
    (judged,) = gated.judged
    assert judged.facts.contributors == frozenset({"data-scientist"})
    assert judged.facts.signers == ("data-scientist", "data-scientist")
    assert [one.person for one in judged.judgement.approvals] == ["manager"]
    # The commit that GitLab squashed stands in no first-parent line, and is explained as well.
    gitlab.push("ordain/promote/malignancy-1", dict(gitlab.files(gitlab.version())), "reconciler")
    promotion = gitlab.open("ordain/promote/malignancy-1", author="reconciler")
    judged = review(gitlab.source(), str(promotion), gitlab.now).judged
    assert judged.facts.contributors == frozenset({"cto", "data-scientist"})


def test_what_gitlab_fast_forwards_is_signed_by_people(gitlab: OnGitLab) -> None:
    root = gitlab.source().head()
    gitlab.push("topic", gitlab.route(), None)
    number = gitlab.open("topic")
    gitlab.site.settings["merge_method"] = "ff"
    gitlab.site.approve(number, "mona")
    gitlab.press(number)
    gated = gitlab.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001"}]


def test_new_content_voids_an_approval_on_gitlab(gitlab: OnGitLab) -> None:
    gitlab.push("topic", gitlab.route())
    number = gitlab.open("topic")
    gitlab.site.approval_settings["reset_approvals_on_push"] = False
    gitlab.site.approve(number, "mona")
    assert not review(gitlab.source(), str(number), gitlab.now).judged.blocked
    gitlab.now = gitlab.site.now = gitlab.now + timedelta(minutes=1)
    gitlab.push("topic", gitlab.route("read-by-three"))
    judged = review(gitlab.source(), str(number), gitlab.now).judged
    assert [one.code for one in judged.judgement.refused] == ["SOD-CONTENT"]


# Merge queues


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_a_commit_of_a_merge_queue_is_judged_before_and_after(hosted: Hosted, method: str) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    ref = hosted.site.enqueue(pull.number, method)  # type: ignore[arg-type]
    number = queued_proposal(ref, "main")
    assert number == pull.number
    with Repository.open(hosted.bare) as repository:
        queued = repository.resolve(ref)

    def tried() -> Judged:
        source = hosted.source()
        source.repository.fetch("origin", [ref])
        return judge_sides(source, root, queued, hosted.now, number=number)[2]

    assert errors(tried()) == {"SOD-QUORUM"}
    hosted.site.review(pull.number, "mona")
    assert not tried().blocked
    made = hosted.site.land(ref)
    gated = hosted.gate(root)
    assert (gated.good, gated.refused) == (made, ())


def test_only_a_ref_of_the_queue_names_a_proposal() -> None:
    sha = "a" * 40
    assert queued_proposal(f"gh-readonly-queue/main/pr-7-{sha}", "main") == 7
    assert queued_proposal(f"refs/heads/gh-readonly-queue/dev/pr-7-{sha}", "main") is None
    assert queued_proposal("refs/heads/pr-7", "main") is None


# A forge that does not answer, or lies


def test_while_the_forge_is_down_nothing_rests_on_reviews(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    for bad in (trouble.secondary_limit(), trouble.status(401), trouble.other_shape()):
        hosted.site.trouble(bad, "/commits/", times=1)
        gated = hosted.gate(root)
        assert gated.good == root
        first = gated.refused[0].findings[0]
        assert first.code == "GATE010"
        assert first.message.startswith("the forge could not be asked about this change: ")
        assert first.remedy
    hosted.site.trouble(trouble.other_shape(), "/reviews", times=1)
    assert codes(hosted.gate(root)) == [{"GATE001", "GATE010", "SOD-QUORUM"}]
    assert hosted.gate(root).good == made


def test_what_people_sign_counts_while_the_forge_is_down(hosted: Hosted) -> None:
    """It is signed while the forge is down, too."""
    source = hosted.source()
    root = source.head()
    head = hosted.push("topic", hosted.route())
    hosted.pull("topic")
    ledger = Ledger(source.home.ledger)
    for name in ("1", "topic"):
        with pytest.raises(ProposalRefused, match="is reviewed at http"):
            approve(source, ledger, name, by=Reviewer("manager"), now=hosted.now)
    hosted.site.trouble(trouble.status(401), times=None)
    insisting = Reviewer("manager", insist=True)
    asked = len(hosted.site.requests)
    with pytest.raises(HostDenied):
        approve(source, ledger, "1", by=insisting, now=hosted.now)
    approve(source, ledger, "topic", by=insisting, now=hosted.now)
    # Once at each fetch, however often the proposal is looked at after it.
    assert len(hosted.site.requests) == asked + 2
    merged = hosted.push("main", hosted.route(), "manager", parents=(root, head))
    asked = len(hosted.site.requests)
    gated = hosted.gate(root)
    assert (gated.good, gated.refused) == (merged, ())
    assert len(hosted.site.requests) == asked


def test_a_token_that_is_missing_is_said(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    hosted.press(hosted.pull("topic"), "squash")
    hosted.site.token = ""
    gated = hosted.gate(root)
    assert codes(gated) == [{"GATE001", "GATE010", "SOD-QUORUM"}]
    assert "ORDAIN_GITHUB_TOKEN" in gated.refused[0].findings[0].remedy


def test_a_forge_that_is_away_is_waited_for_once(hosted: Hosted) -> None:
    """However many commits wait for its word."""
    root = hosted.source().head()
    for number in range(3):
        hosted.push(f"topic-{number}", {f"{number}.md": b"a note\n"})
        pull = hosted.pull(f"topic-{number}")
        hosted.site.review(pull.number, "mona")
        hosted.press(pull, "squash")
    away = hosted.site.trouble(trouble.status(403), times=None)
    source = hosted.source()
    before = len(hosted.site.requests)
    gated = gate_history(source, root, source.head(), hosted.now)
    assert gated.good == root
    assert [one.findings[0].code for one in gated.refused] == ["GATE010"] * 3
    assert len(hosted.site.requests) == before + 1
    away.times = 0
    source.fetch()
    assert gate_history(source, root, source.head(), hosted.now).good == source.head()


class Liar:
    """A host that answers one question otherwise than the honest one behind it."""

    def __init__(self, honest: Host, **lies: object) -> None:
        self._honest = honest
        self._lies = lies

    def __getattr__(self, name: str) -> object:
        return self._lies.get(name) or getattr(self._honest, name)


def test_a_forge_that_explains_one_merge_by_another_is_not_believed(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.press(pull, "squash")
    honest = hosted.source().host
    assert honest is not None

    def explain(_commit: str, _target: str) -> HostProposal:
        return replace(honest.proposal(pull.number), merged="2" * 40)

    hosted.opener = lambda *_: Liar(honest, proposal_of=explain)  # type: ignore[assignment]
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001", "GATE013", "SOD-QUORUM"}]
    assert "the forge names proposal 1, which is merged as 222222222222" in (
        gated.refused[0].findings[0].message
    )


def test_a_forge_cannot_move_a_ref_by_naming_one(hosted: Hosted) -> None:
    root = hosted.source().head()
    head = hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.press(pull, "squash")
    with Repository.open(hosted.bare) as repository:
        repository.update_ref("refs/heads/topic", None, head)
    honest = hosted.source().host
    assert honest is not None

    def explain(commit: str, target: str) -> HostProposal:
        found = honest.proposal_of(commit, target)
        assert found is not None
        return replace(found, ref="refs/heads/main:refs/heads/desk")

    hosted.opener = lambda *_: Liar(honest, proposal_of=explain)  # type: ignore[assignment]
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001", "GATE013", "SOD-QUORUM"}]
    assert "which is no ref of a proposal" in gated.refused[0].findings[0].message


def test_reviews_of_a_forge_that_a_change_names_itself_do_not_count(hosted: Hosted) -> None:
    """Otherwise a change of `forge:` would choose who vouches for it."""
    root = hosted.source().head()
    with GitHubStub(hosted.bare) as other:
        other.now = hosted.now
        settings = hosted.edited("ordain.yaml", hosted.site.url, other.url)
        hosted.push("topic", settings)
        pull = hosted.pull("topic")
        hosted.press(pull, "squash")
        other.people = hosted.site.people
        other.pulls[pull.number] = pull
        other.review(pull.number, "cleo")
        pull.reviews.clear()
        gated = hosted.gate(root)
        assert gated.good == root
        assert codes(gated) == [{"SOD-QUORUM"}]
        assert other.requests == []


def test_a_proposal_for_another_branch_is_not_taken(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("dev", {"NOTES.md": b"one\n"})
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic", base="dev")
    hosted.site.review(pull.number, "mona")
    source = hosted.source()
    _, _, judged = judge_sides(source, root, pull.head_sha, hosted.now, number=pull.number)
    assert judged.findings[0].code == "GATE013"
    assert "proposal 1 goes into dev, not into main" in judged.findings[0].message


# What the host is told


def statuses(hosted: Hosted) -> list[tuple[str, str, str]]:
    return [(one.sha, one.state, one.description or "") for one in hosted.site.statuses]


def gate_and_say(hosted: Hosted) -> tuple[Gated, tuple[str, ...]]:
    """What a pass does before it plans, and after it has carried out its plan."""
    source = hosted.source()
    reconciler, host = hosted.reconciler(source), source.host
    assert host is not None
    gated = reconciler.gate(source.head())
    hold(reconciler.state, verdicts(gated))
    return gated, say(host, reconciler.state)


def test_verdicts_are_set_as_commit_statuses_once(hosted: Hosted) -> None:
    gate_and_say(hosted)
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    made = hosted.press(pull, "squash")
    gated, _ = gate_and_say(hosted)
    assert [one.revision for one in gated.refused] == [made]
    gate_and_say(hosted)
    hosted.site.review(pull.number, "mona")
    gate_and_say(hosted)
    gate_and_say(hosted)
    first, second, third = statuses(hosted)
    assert first == (root, "success", "estate")
    assert second[:2] == (made, "failure")
    assert second[2].startswith("SOD-QUORUM: the approval of a manager is missing: Route/")
    assert third == (made, "success", "intention, approved by manager")
    assert {one.context for one in hosted.site.statuses} == {"ordain/reconciler"}


def test_a_host_that_takes_no_status_hears_it_later(hosted: Hosted) -> None:
    hosted.site.trouble(trouble.status(403), "/statuses/", times=1)
    gated, (warning,) = gate_and_say(hosted)
    assert warning.startswith("one commit status could not be set on the forge: ")
    assert gated.good == hosted.source().head()
    assert gate_and_say(hosted)[1] == ()
    assert [one[1] for one in statuses(hosted)] == ["success"]


def test_commits_of_a_rebase_that_are_healed_at_its_end_are_no_refusals(hosted: Hosted) -> None:
    gate_and_say(hosted)
    hosted.push("topic", hosted.route())
    hosted.push("topic", {"NOTES.md": b"one\n"})
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "rebase")
    gated, _ = gate_and_say(hosted)
    assert (gated.good, gated.refused) == (made, ())
    assert list(hosted.reconciler().ledger.events(kind="gate.refused")) == []
    assert {one[1] for one in statuses(hosted)} == {"success"}


def test_a_forge_that_goes_away_in_a_pass_leaves_production_where_it_is(hosted: Hosted) -> None:
    gate_and_say(hosted)
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    down = hosted.site.trouble(trouble.status(403), "/(reviews|statuses)", times=None)
    gated, (warning,) = gate_and_say(hosted)
    assert gated.good == root
    assert gated.refused[0].findings[0].code == "GATE010"
    assert "one commit status could not be set" in warning
    assert [one[0] for one in statuses(hosted)] == [root]
    down.times = 0
    assert gate_and_say(hosted)[0].good == made
    assert [one[:2] for one in statuses(hosted)[1:]] == [(made, "success")]


def test_a_pass_opens_the_promotion_as_a_pull_request(hosted: Hosted) -> None:
    reconciler, version = hosted.reconciler(), hosted.version()
    hosted.remember(reconciler.state, version)
    report = reconciler.run()
    assert [one.state for one in report.result.done] == ["done", "done"]
    assert (report.exit_code, report.warnings) == (0, ())
    (pull,) = hosted.site.pulls.values()
    assert (pull.head, pull.base) == ("ordain/promote/malignancy-1", "main")
    assert pull.title == "Promote malignancy to version 1"
    assert reconciler.run().result.done == ()
    assert len(statuses(hosted)) == 1
    hosted.mirror()
    hosted.site.review(pull.number, "mona")
    judged = review(hosted.source(), "malignancy-1", hosted.now).judged
    assert (judged.facts.kind.value, judged.blocked) == ("promotion", False)


def test_a_review_that_counted_is_in_the_record_after_the_forge_has_lost_it(
    hosted: Hosted,
) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    given = hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    gate_and_say(hosted)
    pull.reviews.remove(given)
    source = hosted.source()
    change = change_between(source.repository, root, made)
    ledger = Ledger(source.home.ledger)
    (kept,) = recorded_reviews(ledger.events(kind="gate.passed", subject=made), change)
    assert (kept.person, kept.role, kept.key) == ("manager", "manager", "")
    assert kept.proof.endswith(f"#pullrequestreview-{given.id}")
    other = change_between(source.repository, made, root)
    assert recorded_reviews(ledger.events(kind="gate.passed", subject=made), other) == ()


def test_history_is_judged_again_with_what_the_forge_said_then(hosted: Hosted) -> None:
    """By now the reviewer has left, the branch is gone, and so is the forge."""
    head = hosted.push("topic", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"))
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.press(pull, "squash")
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    promotion = hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    hosted.site.review(promotion.number, "mona")
    made = hosted.press(promotion)
    gated, _ = gate_and_say(hosted)
    assert gated.good == made
    with Repository.open(hosted.bare) as repository:
        repository.update_ref("refs/heads/topic", None, head)
        for number in hosted.site.pulls:
            ref = f"refs/pull/{number}/head"
            repository.update_ref(ref, None, repository.refs(ref)[ref])
    away = hosted.site.trouble(trouble.status(401), times=None)
    source = hosted.source()
    assert gate_history(source, None, made, hosted.now).good != made
    assert away.met == 1
    reconciler = hosted.reconciler(source)
    forget_trust(reconciler.state)
    assert reconciler.gate(made).good == made
    assert away.met == 1
    events = [one.data for one in reconciler.ledger.events(kind="gate.passed")]
    assert events[-1] == events[len(events) // 2 - 1]


def test_what_the_record_does_not_hold_is_asked_of_the_forge(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.press(pull, "squash")
    gate_and_say(hosted)
    hosted.push("more", {"MORE.md": b"more\n"})
    more = hosted.pull("more")
    made = hosted.press(more, "squash")
    reconciler = hosted.reconciler()
    forget_trust(reconciler.state)
    assert codes(reconciler.gate(made)) == [{"SOD-QUORUM"}]
    hosted.site.review(more.number, "cleo")
    reconciler.source.fetch()
    assert reconciler.gate(made).good == made


# Whom to speak with


def elsewhere(hosted: Hosted) -> str:
    """Settings that name another repository on the same forge."""
    with Repository.open(hosted.bare) as repository:
        text = repository.read(repository.resolve("refs/heads/main"), "ordain.yaml").decode()
    return text.replace(f"repository: {hosted.name}", "repository: mallory/other")


def check_out(hosted: Hosted, commit: str) -> None:
    with Repository.open(hosted.estate) as repository:
        repository.fetch("origin", ["+refs/heads/*:refs/remotes/origin/*"])
        repository.ask("checkout", "-q", "-f", "--detach", commit)
        assert repository.resolve("HEAD") == commit


def test_a_refused_commit_does_not_choose_whom_to_speak_with(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.state().put("good", root)
    evil = hosted.push("main", {"ordain.yaml": elsewhere(hosted).encode()}, None)
    assert hosted.gate(root).good == root
    check_out(hosted, evil)
    source = hosted.source()
    assert source.repository.resolve("HEAD") == evil
    assert source.settings.forge.repository == hosted.name
    assert source.host is not None
    assert source.host.repository == hosted.name  # type: ignore[attr-defined]


def test_a_commit_that_passed_chooses_whom_to_speak_with(hosted: Hosted) -> None:
    made = hosted.push("main", {"ordain.yaml": elsewhere(hosted).encode()}, None)
    check_out(hosted, made)
    assert hosted.source().settings.forge.repository == "mallory/other"
    hosted.state().put("good", made)
    assert hosted.source().settings.forge.repository == "mallory/other"
    hosted.state().put("good", "f" * 40)
    assert hosted.source().settings.forge.repository == "mallory/other"


def test_a_review_of_what_stands_on_something_refused_counts_for_nothing(hosted: Hosted) -> None:
    """The forge shows the difference to the branch, which holds the refused change already."""
    root = hosted.source().head()
    evil = hosted.push("main", hosted.route())
    assert hosted.gate(root).good == root
    hosted.push("topic", {"NOTES.md": b"a word\n"}, parents=(evil,))
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    hosted.press(pull, "squash")
    gated = hosted.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"SOD-QUORUM"}, {"SOD-QUORUM"}]
