"""What the reconciler acts on: only what passes, judged again from signatures and documents."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.gating import gate_history, read_side
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.reconciler.review import Reviewer, approve, judge_sides, merge, review
from ordain.specs.errors import FindingsError
from ordain.vcs.approvals import write_approval
from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, generate_key, parse_signer
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from ordain.reconciler.gating import Gated
    from ordain.vcs.forge import Proposal
    from tests.reconciler.conftest import Bench

MAIN = "refs/heads/main"
MODEL_FILE = "specs/models/malignancy.yaml"
DEPLOYMENT_FILE = "specs/deployments/malignancy.yaml"


def codes(gated: Gated) -> list[set[str]]:
    """The codes of the errors of each refused commit."""
    return [
        {one.code for one in refusal.findings if one.severity.value == "error"}
        for refusal in gated.refused
    ]


def statement_by(bench: Bench, proposal: Proposal, key: str) -> None:
    """An approval in the manager's name, written by hand with somebody's key."""
    source = bench.source()
    ref, commit = write_approval(
        source.repository,
        source.forge.change(proposal),
        actor=Actor("manager", Identity("manager", "m@example.org"), bench.signer(key)),
        role="manager",
        time=bench.now,
        estate=source.root_commit,
    )
    source.repository.update_ref(ref, commit, None)


# Who signed


def test_the_root_commit_is_trusted_and_a_signed_change_is_good(bench: Bench) -> None:
    root = bench.head()
    assert bench.gate(None).good == root
    after = bench.owner("histology")
    gated = bench.gate(root)
    assert (gated.good, gated.refused) == (after, ())


def test_an_unsigned_commit_is_refused_and_production_stays(bench: Bench) -> None:
    root = bench.head()
    after = bench.owner("histology", by=None)
    gated = bench.gate(root)
    assert gated.good == root
    (refusal,) = gated.refused
    assert refusal.revision == after
    (finding,) = [one for one in refusal.findings if one.code == "GATE001"]
    assert finding.message == (f"commit {after[:12]} is not signed by anybody in the Organization")
    assert "specs/organization.yaml" in finding.remedy


def test_a_key_that_nobody_lists_is_refused_whatever_name_it_claims(bench: Bench) -> None:
    root = bench.head()
    pem, _ = generate_key("stranger")
    bench.owner("histology", by=parse_signer(pem, "stranger"), author="manager")
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001"}]


def test_a_commit_in_the_name_of_somebody_else_is_refused(bench: Bench) -> None:
    root = bench.head()
    after = bench.owner("histology", by="data-scientist", author="manager")
    gated = bench.gate(root)
    assert gated.good == root
    (finding,) = gated.refused[0].findings
    assert (finding.code, finding.message) == (
        "GATE006",
        f"commit {after[:12]} names manager as its author; data-scientist signed it",
    )
    assert finding.remedy == (
        "commit it as data-scientist: git commit --amend --reset-author -S, and name manager in a "
        "line Co-authored-by"
    )


def test_an_author_whom_nobody_knows_decides_nothing(bench: Bench) -> None:
    root = bench.head()
    after = bench.owner("histology", by="data-scientist", author="somebody")
    (judged,) = bench.gate(root).judged
    assert judged.revision == after
    assert judged.facts.contributors == frozenset({"data-scientist"})
    assert judged.facts.pusher == "data-scientist"


def test_a_commit_cannot_bring_the_key_that_signs_it(bench: Bench) -> None:
    root = bench.head()
    pem, line = generate_key("newcomer")
    person = f"    - name: newcomer\n      roles: [cto]\n      keys: [{{public: {line!r}}}]\n"
    path = "specs/organization.yaml"
    files = bench.edited(path, "    - name: manager\n", person + "    - name: manager\n")
    bench.commit(files, by=parse_signer(pem, "newcomer"))
    gated = bench.gate(root)
    assert gated.good == root
    assert "GATE001" in codes(gated)[0]


# What changes


def test_a_change_that_breaks_a_policy_is_refused_and_production_stays(bench: Bench) -> None:
    root = bench.head()
    bad = bench.loosen()
    gated = bench.gate(root)
    assert gated.good == root
    assert [one.revision for one in gated.refused] == [bad]
    assert "POL-drift-limit.features" in codes(gated)[0]


def test_a_change_of_the_rules_is_held_to_the_rules_that_it_changes(bench: Bench) -> None:
    root = bench.head()
    packs = (
        b"apiVersion: ordain.dev/v1\nkind: PolicySet\nmetadata: {name: packs}\n"
        b"spec: {packs: [{name: baseline, params: {psi: 9}}]}\n"
    )
    files = bench.edited("specs/monitors/malignancy.yaml", "fail: 0.25", "fail: 5")
    bench.commit({**files, "policies/packs.yaml": packs})
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"POL-drift-limit.features", "SOD-QUORUM"}]


def test_a_revert_heals_the_branch(bench: Bench) -> None:
    root = bench.head()
    bench.loosen()
    healed = bench.commit(bench.edited("specs/monitors/malignancy.yaml", "fail: 5", "fail: 0.25"))
    gated = bench.gate(root)
    assert (gated.good, gated.refused) == (healed, ())


def test_a_good_commit_on_a_refused_one_is_judged_with_what_was_refused(bench: Bench) -> None:
    root = bench.head()
    bad = bench.loosen()
    harmless = bench.owner("histology")
    gated = bench.gate(root)
    assert gated.good == root
    assert [one.revision for one in gated.refused] == [bad, harmless]
    assert "POL-drift-limit.features" in codes(gated)[1]


def test_an_unsigned_commit_is_not_washed_clean_by_a_signed_one(bench: Bench) -> None:
    root = bench.head()
    bench.owner("histology", by=None)
    bench.owner("cytology", by="data-scientist")
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001"}, {"GATE001"}]


def test_a_document_that_cannot_be_read_is_refused_with_its_place(bench: Bench) -> None:
    root = bench.head()
    bench.commit({MODEL_FILE: b"apiVersion: ordain.dev/v1\nkind: Model\nspec: {tier: two}\n"})
    (refusal,) = bench.gate(root).refused
    assert {one.location.path for one in refusal.findings if one.location} >= {MODEL_FILE}


def test_an_estate_without_an_organization_is_refused(bench: Bench) -> None:
    root = bench.head()
    bench.commit({"specs/organization.yaml": None})
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE004", "SOD-EMPTY", "SOD-QUORUM"}]


def test_nobody_gives_themselves_a_role_without_the_approval_of_another(bench: Bench) -> None:
    """Otherwise the role would be in force for the commit after it."""
    root = bench.head()
    path = "specs/organization.yaml"
    bench.commit(bench.edited(path, "roles: [data-scientist]", "roles: [data-scientist, cto]"))
    bench.owner("histology")
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"SOD-QUORUM"}, {"SOD-QUORUM"}]
    (finding,) = [one for one in gated.refused[0].findings if one.code == "SOD-QUORUM"]
    assert finding.message.startswith("the approval of a cto is missing: ")


def test_an_intention_that_was_approved_passes(bench: Bench) -> None:
    root = bench.head()
    bench.commit(
        bench.edited("specs/routes/malignancy.yaml", "read-by-pathologist", "read-twice"),
        branch="refs/heads/topic",
    )
    proposal = bench.source().forge.proposal("topic")
    with pytest.raises(FindingsError) as caught:
        bench.merge(proposal)
    assert [one.code for one in caught.value.findings] == ["SOD-QUORUM"]
    bench.approve(proposal)
    merged = bench.merge(proposal)
    gated = bench.gate(root)
    assert (gated.good, gated.refused) == (merged, ())
    assert gated.judged[0].facts.kind.value == "intention"


def test_what_was_pushed_too_early_can_still_be_approved(bench: Bench) -> None:
    root = bench.head()
    pushed = bench.commit(
        bench.edited("specs/routes/malignancy.yaml", "read-by-pathologist", "read-twice")
    )
    assert codes(bench.gate(root)) == [{"SOD-QUORUM"}]
    source = bench.source()
    by, ledger = Reviewer("manager"), Ledger(source.home.ledger)
    approve(source, ledger, "main", by=by, now=bench.now, good=root)
    assert bench.gate(root).good == pushed
    with pytest.raises(ProposalRefused, match="there is nothing to approve"):
        approve(source, ledger, "main", by=by, now=bench.now, good=pushed)


# Rewritten history


def test_a_rewound_branch_is_said_and_production_stays(bench: Bench) -> None:
    root = bench.head()
    good = bench.owner("histology")
    with Repository.open(bench.estate) as repository:
        repository.update_ref(MAIN, root, good)
    gated = bench.gate(good)
    assert gated.good == good
    (refusal,) = gated.refused
    (finding,) = refusal.findings
    assert finding.code == "GATE003"
    assert "--trust-again" in finding.remedy


def test_a_branch_that_is_put_back_is_good_again(bench: Bench) -> None:
    root = bench.head()
    good = bench.owner("histology")
    with Repository.open(bench.estate) as repository:
        repository.update_ref(MAIN, root, good)
        repository.update_ref(MAIN, good, root)
    gated = bench.gate(good)
    assert (gated.good, gated.refused) == (good, ())


# Merges


def test_a_merge_of_a_branch_is_judged_as_what_it_brings(bench: Bench) -> None:
    root = bench.head()
    side = bench.owner("histology", branch="refs/heads/topic")
    with Repository.open(bench.estate) as repository:
        tree = repository.merge_tree(root, side)
        who = Identity("manager", "manager@example.org")
        merged = repository.write_commit(
            tree, (root, side), "Merge", who, bench.now, bench.signer("manager")
        )
        repository.update_ref(MAIN, merged, root)
    (judged,) = bench.gate(root).judged
    assert judged.revision == merged
    assert judged.facts.contributors == frozenset({"data-scientist"})
    assert judged.facts.pusher == "data-scientist"


def test_a_merge_that_holds_more_than_its_parents_is_refused(bench: Bench) -> None:
    root = bench.head()
    side = bench.owner("histology", branch="refs/heads/topic")
    slipped = bench.edited(MODEL_FILE, "seed: 7", "seed: 8")
    evil = bench.commit(slipped, by="manager", parents=(root, side))
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE002"}]
    (finding,) = [one for one in gated.refused[0].findings if one.code == "GATE002"]
    assert finding.message == (
        f"the merge {evil[:12]} holds something else than its two parents give"
    )


def test_a_merge_in_the_name_of_somebody_else_is_refused(bench: Bench) -> None:
    root = bench.head()
    topic = bench.commit({"NOTES.md": b"a note\n"}, branch="refs/heads/topic")
    bench.commit({"NOTES.md": b"a note\n"}, author="manager", parents=(root, topic))
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE006"}]


def test_a_merge_that_nobody_signed_is_refused(bench: Bench) -> None:
    root = bench.head()
    side = bench.owner("histology", branch="refs/heads/topic")
    with Repository.open(bench.estate) as repository:
        tree = repository.merge_tree(root, side)
        who = Identity("manager", "manager@example.org")
        merged = repository.write_commit(tree, (root, side), "Merge", who, bench.now, None)
        repository.update_ref(MAIN, merged, root)
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"GATE001"}]


def test_a_merge_of_three_is_refused(bench: Bench) -> None:
    root = bench.head()
    one = bench.owner("histology", branch="refs/heads/one")
    two = bench.commit({"notes.md": b"n\n"}, branch="refs/heads/two")
    with Repository.open(bench.estate) as repository:
        tree = repository.tree(one)
        files = {"notes.md": b"n\n", MODEL_FILE: repository.read(one, MODEL_FILE)}
        assert tree
    bench.commit(files, by="manager", parents=(root, one, two))
    gated = bench.gate(root)
    assert gated.good == root
    assert "GATE002" in codes(gated)[0]


# Promotions


def test_a_promotion_that_is_proposed_approved_and_merged_is_good(bench: Bench) -> None:
    root = bench.head()
    merged = bench.promote()
    (judged,) = bench.gate(root).judged
    assert judged.revision == merged
    assert judged.facts.kind.value == "promotion"
    assert [one.person for one in judged.judgement.approvals] == ["manager"]
    assert "version: 1" in bench.text(DEPLOYMENT_FILE)


def test_a_promotion_without_an_approval_is_not_merged(bench: Bench) -> None:
    root = bench.head()
    proposal = bench.propose()
    with pytest.raises(FindingsError, match="malignancy-1 may not be merged") as caught:
        bench.merge(proposal)
    assert [one.code for one in caught.value.findings] == ["SOD-QUORUM"]
    assert bench.head() == root


def test_a_promotion_that_is_pushed_past_the_gate_is_refused(bench: Bench) -> None:
    root = bench.head()
    proposal = bench.propose()
    with Repository.open(bench.estate) as repository:
        repository.update_ref(MAIN, proposal.head, root)
    gated = bench.gate(root)
    assert gated.good == root
    assert codes(gated) == [{"SOD-QUORUM"}]


def test_a_version_that_a_person_wrote_is_refused_even_when_it_is_approved(bench: Bench) -> None:
    root = bench.head()
    proposal = bench.propose(by="data-scientist")
    bench.approve(proposal)
    with pytest.raises(FindingsError) as caught:
        bench.merge(proposal)
    assert [one.code for one in caught.value.findings] == ["PRO004"]
    with Repository.open(bench.estate) as repository:
        repository.update_ref(MAIN, proposal.head, root)
    gated = bench.gate(root)
    assert gated.good == root
    assert "PRO004" in codes(gated)[0]


def test_evidence_that_a_person_adds_alone_is_refused(bench: Bench) -> None:
    root = bench.head()
    evidence = bench.version().evidence
    bench.commit({evidence.path: evidence.to_json()}, by="manager")
    gated = bench.gate(root)
    assert gated.good == root
    assert "PRO004" in codes(gated)[0]


def test_evidence_below_the_limit_is_refused_whatever_its_verdict_says(bench: Bench) -> None:
    bench.head()
    proposal = bench.propose(bench.version(auc=0.9))
    bench.approve(proposal)
    with pytest.raises(FindingsError) as caught:
        bench.merge(proposal)
    assert {one.code for one in caught.value.findings} == {"ACC-METRIC"}


def test_edited_evidence_is_refused(bench: Bench) -> None:
    good = bench.promote()
    path = bench.version().evidence.path
    bench.commit(bench.edited(path, '"verdict":"pass"', '"verdict":"warn"'), by="reconciler")
    gated = bench.gate(good)
    assert gated.good == good
    assert "PRO003" in codes(gated)[0]


def test_a_recipe_that_changed_since_it_was_proposed_is_refused(bench: Bench) -> None:
    proposal = bench.propose()
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 8"))
    bench.approve(proposal)
    with pytest.raises(FindingsError) as caught:
        bench.merge(proposal)
    assert {one.code for one in caught.value.findings} == {"PRO006"}


def test_a_version_cannot_hide_in_a_change_by_people(bench: Bench) -> None:
    root = bench.head()
    files: dict[str, bytes | None] = dict(bench.files(bench.version()))
    files |= bench.edited(MODEL_FILE, "owner: pathology", "owner: histology")
    bench.commit(files, by="reconciler")
    gated = bench.gate(root)
    assert gated.good == root
    assert "PRO001" in codes(gated)[0]


# Approvals


def test_an_approval_by_a_contributor_is_refused_when_it_is_given(bench: Bench) -> None:
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 8"), by="manager")
    proposal = bench.propose()
    with pytest.raises(ProposalRefused, match="manager contributed to what malignancy-1 brings"):
        bench.approve(proposal, "manager")


def test_an_approval_by_a_contributor_does_not_count_however_it_came_to_be(bench: Bench) -> None:
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 8"), by="manager")
    proposal = bench.propose()
    statement_by(bench, proposal, key="manager")
    reviewed = review(bench.source(), proposal.id, bench.now)
    assert reviewed.judged.blocked
    assert [one.code for one in reviewed.judged.judgement.refused] == ["SOD-SELF"]
    with pytest.raises(FindingsError) as caught:
        bench.merge(proposal, "cto")
    assert [one.code for one in caught.value.findings] == ["SOD-QUORUM"]


def test_an_approval_for_other_content_does_not_count(bench: Bench) -> None:
    proposal = bench.propose()
    bench.approve(proposal)
    source = bench.source()
    source.forge.close(source.forge.proposal(proposal.id))
    other = bench.propose(bench.version(auc=0.98))
    assert review(bench.source(), other.id, bench.now).judged.blocked


def test_a_data_scientist_neither_approves_nor_merges(bench: Bench) -> None:
    proposal = bench.propose()
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    for act in (approve, merge):
        with pytest.raises(ProposalRefused, match="data-scientist has no role that approves"):
            act(source, ledger, proposal.id, by=Reviewer("data-scientist"), now=bench.now)


def test_another_persons_key_approves_nothing(bench: Bench) -> None:
    proposal = bench.propose()
    source = bench.source()
    ledger = Ledger(source.home.ledger)
    key = source.home.key("data-scientist")
    with pytest.raises(ProposalRefused, match="is not a key of manager: it is the key of data-sc"):
        approve(source, ledger, proposal.id, by=Reviewer("manager", key), now=bench.now)
    statement_by(bench, proposal, key="data-scientist")
    reviewed = review(bench.source(), proposal.id, bench.now)
    assert reviewed.judged.blocked
    (rejected,) = reviewed.judged.approvals.rejected
    assert rejected.reason == "it is signed by data-scientist, not by manager"


def test_a_rollback_by_a_manager_needs_the_approval_of_somebody_else(bench: Bench) -> None:
    """Who wrote the rollback contributed to it, also when somebody else pushed last."""
    bench.promote()
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 8"))
    bench.promote(bench.version(2))
    branch = "refs/heads/ordain/promote/malignancy-back"
    bench.commit(
        bench.edited(DEPLOYMENT_FILE, "version: 2", "version: 1"), by="manager", branch=branch
    )
    head = bench.commit({}, by="cto", branch=branch)
    with Repository.open(bench.estate) as repository:
        assert repository.refs(branch) == {branch: head}
    judged = review(bench.source(), "malignancy-back", bench.now).judged
    assert judged.facts.kind.value == "promotion"
    assert judged.facts.contributors >= {"manager"}
    assert judged.facts.pusher == "cto"


# What a hostile hand has tried


def test_an_approval_is_not_used_a_second_time_after_going_back_and_forth(bench: Bench) -> None:
    """The change from 2 to 1 has the same digest again; the files have changed since."""
    bench.promote()
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 8"))
    bench.promote(bench.version(2))
    for number, (old, new) in enumerate([("2", "1"), ("1", "2")]):
        bench.now += timedelta(hours=1)
        branch = f"move-{number}"
        moved = bench.edited(DEPLOYMENT_FILE, f"version: {old}", f"version: {new}")
        bench.commit(moved, branch=f"refs/heads/{branch}")
        bench.now += timedelta(hours=1)
        proposal = review(bench.source(), branch, bench.now).proposal
        bench.approve(proposal)
        bench.merge(proposal)
    good = bench.gate(None).good
    bench.now += timedelta(hours=1)
    bench.commit(bench.edited(DEPLOYMENT_FILE, "version: 2", "version: 1"))
    gated = bench.gate(good)
    assert gated.good == good
    assert "SOD-QUORUM" in codes(gated)[0]


def test_all_that_was_approved_twice_can_be_judged_again_from_the_beginning(bench: Bench) -> None:
    """Both approvals of the same change are kept, each for the time it was given at."""
    route = "specs/routes/malignancy.yaml"
    first = bench.text(route)
    changed = first.replace("read-by-pathologist", "read-by-two-pathologists")
    assert changed != first

    def move(branch: str, text: str) -> None:
        bench.now += timedelta(hours=1)
        bench.commit({route: text.encode()}, branch=f"refs/heads/{branch}")
        proposal = review(bench.source(), branch, bench.now).proposal
        bench.approve(proposal)
        bench.merge(proposal)

    move("there", changed)
    bench.promote()
    move("back", first)
    move("again", changed)
    gated = bench.gate(None)
    assert (gated.good, gated.refused) == (bench.head(), ())


def test_a_key_does_not_change_hands(bench: Bench) -> None:
    root = bench.head()
    path = "specs/organization.yaml"
    keys = allowed_keys(organization_of(read_side(bench.source(), root).estate))
    theirs = next(key.public for key in keys if key.person == "data-scientist")
    manager = next(key.public for key in keys if key.person == "manager")
    text = bench.text(path).replace(theirs, generate_key("new")[1]).replace(manager, theirs)
    bench.commit({path: text.encode()})
    gated = bench.gate(root)
    assert gated.good == root
    assert "GATE005" in codes(gated)[0]


def test_a_key_does_not_change_hands_in_two_steps_either(bench: Bench) -> None:
    """Taken off the list first, it would make its holder independent of their own work."""
    path = "specs/organization.yaml"
    keys = allowed_keys(organization_of(read_side(bench.source(), bench.head()).estate))
    old = next(key.public for key in keys if key.person == "manager")
    theirs = next(key.public for key in keys if key.person == "data-scientist")
    rotated = bench.text(path).replace(old, generate_key("manager")[1])
    bench.commit({path: rotated.encode()}, branch="refs/heads/rotate")
    proposal = review(bench.source(), "rotate", bench.now).proposal
    bench.approve(proposal, "cto")
    good = bench.merge(proposal, "cto")
    assert bench.gate(None).good == good
    bench.commit({path: rotated.replace(theirs, old).encode()})
    gated = bench.gate(good)
    assert gated.good == good
    assert "GATE005" in codes(gated)[0]


def test_dating_an_approval_forward_does_not_let_it_be_used_twice(bench: Bench) -> None:
    """The clock of whoever signs says nothing: all of this happens within one second."""
    bench.promote()
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 8"))
    bench.promote(bench.version(2))
    for branch, old, new in (("back", "2", "1"), ("forth", "1", "2")):
        moved = bench.edited(DEPLOYMENT_FILE, f"version: {old}", f"version: {new}")
        bench.commit(moved, branch=f"refs/heads/{branch}")
        proposal = review(bench.source(), branch, bench.now).proposal
        bench.approve(proposal)
        bench.merge(proposal)
    good = bench.gate(None).good
    assert good == bench.head()
    bench.commit(bench.edited(DEPLOYMENT_FILE, "version: 2", "version: 1"))
    gated = bench.gate(good)
    assert gated.good == good
    assert "SOD-QUORUM" in codes(gated)[0]


def test_an_approval_outlives_what_is_merged_beside_it(bench: Bench) -> None:
    proposal = bench.propose()
    good = bench.head()
    bench.approve(proposal)
    bench.commit({"NOTES.md": b"beside it\n"})
    merged = bench.merge(proposal)
    gated = bench.gate(good)
    assert (gated.good, gated.refused) == (merged, ())


def test_a_commit_is_judged_on_what_the_branch_is_now(bench: Bench) -> None:
    """Each alone is right; together they declare the model twice."""
    old = bench.head()
    model = bench.text(MODEL_FILE).replace("name: malignancy", "name: second").encode()
    late = bench.commit({"specs/models/late.yaml": model}, branch="refs/heads/late", parents=(old,))
    assert not _duplicates(bench, old, late)
    onto = bench.commit({"specs/models/early.yaml": model})
    assert _duplicates(bench, onto, late)


def _duplicates(bench: Bench, onto: str, head: str) -> bool:
    _, _, judged = judge_sides(bench.source(), onto, head, bench.now)
    return "SPEC110" in {one.code for one in judged.findings}


def test_a_merge_that_is_made_already_is_judged_as_it_is(bench: Bench) -> None:
    onto = bench.head()
    branch = "refs/heads/topic"
    topic = bench.commit({"NOTES.md": b"a note\n"}, branch=branch)
    clean = bench.commit({"NOTES.md": b"a note\n"}, branch=branch, parents=(onto, topic))
    evil = bench.commit({"MORE.md": b"slipped in\n"}, branch=branch, parents=(onto, topic))
    for merged, expected in ((clean, set()), (evil, {"GATE002"})):
        _, _, judged = judge_sides(bench.source(), onto, merged, bench.now)
        assert {one.code for one in judged.findings if one.code.startswith("GATE")} == expected


def test_both_roles_of_one_person_count_together(bench: Bench) -> None:
    """Approving as one must not take away what was approved as the other."""
    source, proposal = bench.source(), bench.propose()
    ledger = Ledger(source.home.ledger)
    for role in ("compliance-manager", "cto"):
        approve(source, ledger, proposal.id, by=Reviewer("cto", role=role), now=bench.now)
    found = review(bench.source(), proposal.id, bench.now).judged.approvals
    assert {(one.person, one.role) for one in found.valid} == {
        ("cto", "compliance-manager"),
        ("cto", "cto"),
    }


def test_a_change_is_approved_with_the_keys_of_the_branch_it_goes_on_from(bench: Bench) -> None:
    """An approval made from an old branch binds to what merging it now would change."""
    old = bench.head()
    branch = "refs/heads/late"
    bench.commit(bench.edited(MODEL_FILE, "seed: 7", "seed: 9"), branch=branch, parents=(old,))
    bench.commit({"NOTES.md": b"beside it\n"})
    proposal = review(bench.source(), "late", bench.now).proposal
    bench.approve(proposal)
    (approval,) = review(bench.source(), "late", bench.now).judged.approvals.valid
    assert approval.base == bench.head()


def test_a_version_cannot_be_moved_to_another_file(bench: Bench) -> None:
    """Moved, it would look younger, and who edited the model before would be forgotten."""
    merged = bench.promote()
    path = "specs/versions/malignancy/1.yaml"
    bench.commit({path: None, "specs/v/1.yaml": bench.text(path).encode()})
    gated = bench.gate(merged)
    assert gated.good == merged
    assert "PRO002" in codes(gated)[0]


def test_a_deployment_cannot_be_given_another_model_under_its_version(bench: Bench) -> None:
    merged = bench.promote()
    model = bench.text(MODEL_FILE).replace("name: malignancy", "name: cheap")
    deployment = bench.edited(DEPLOYMENT_FILE, "model: malignancy", "model: cheap")
    bench.commit({"specs/models/cheap.yaml": model.encode(), **deployment})
    assert "PRO010" in codes(bench.gate(merged))[0]


def test_a_revert_heals_an_unsigned_commit_too(bench: Bench) -> None:
    root = bench.head()
    before = bench.text(MODEL_FILE).encode()
    bench.owner("histology", by=None)
    reverted = bench.commit({MODEL_FILE: before})
    gated = bench.gate(root)
    assert (gated.good, gated.refused) == (reverted, ())


def test_history_is_judged_again_with_the_keys_of_the_time_it_first_passed(bench: Bench) -> None:
    organization = "specs/organization.yaml"
    line = next(line for line in bench.text(organization).splitlines() if "public:" in line)
    expiring = line.replace('"}]', '", validUntil: "2026-11-21T00:00:00Z"}]')
    assert expiring != line
    branch = "key-ends"
    bench.commit(bench.edited(organization, line, expiring), branch=f"refs/heads/{branch}")
    proposal = review(bench.source(), branch, bench.now).proposal
    bench.approve(proposal, "cto")
    bench.merge(proposal, "cto")
    last = bench.owner("histology")
    passed = {judged.revision: bench.now for judged in bench.gate(None).judged}
    assert last in passed
    bench.now += timedelta(days=30)
    source = bench.source()
    again = gate_history(source, None, last, bench.now, passed=passed)
    assert again.good == last
    assert gate_history(source, None, last, bench.now).good != last
