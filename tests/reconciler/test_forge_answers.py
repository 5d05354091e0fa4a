"""How often a forge is asked, what its silence and its contradictions are, and what it is told."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from forges import trouble

from ordain.ledger.ledger import Ledger
from ordain.ledger.records import Event
from ordain.reconciler import behind_merges
from ordain.reconciler.errors import PlanStale
from ordain.reconciler.gating import gate_history
from ordain.reconciler.recollections import recollected, to_record
from ordain.reconciler.review import Reviewer, review
from ordain.reconciler.source import open_source
from ordain.reconciler.statements import Signed, approve_signed, write_statement
from ordain.reconciler.statuses import Said, hold, say, verdicts
from ordain.vcs.git import Repository
from ordain.vcs.host import CommitState
from ordain.vcs.keys import generate_key, parse_signer
from ordain.vcs.signatures import APPROVAL, sign
from tests.reconciler.conftest import MODEL_FILE

if TYPE_CHECKING:
    from ordain.reconciler.gating import Gated
    from ordain.reconciler.passes import Reconciler
    from ordain.vcs.host import HostProposal
    from tests.reconciler.hosting import Hosted


def codes(gated: Gated) -> list[set[str]]:
    return [
        {one.code for one in refusal.findings if one.severity.value == "error"}
        for refusal in gated.refused
    ]


# How often it is asked


def pressed(hosted: Hosted, number: int) -> None:
    """Merges that nobody has reviewed."""
    for one in range(number):
        hosted.push(f"topic-{one}", {f"{one}.md": b"a note\n"})
        hosted.press(hosted.pull(f"topic-{one}"), "squash")


def test_questions_grow_with_what_is_refused_and_not_with_its_square(hosted: Hosted) -> None:
    root = hosted.source().head()
    pressed(hosted, 6)
    source = hosted.source()
    before = len(hosted.site.requests)
    gated = gate_history(source, root, source.head(), hosted.now)
    assert codes(gated) == [{"SOD-QUORUM"}] * 6
    first = len(hosted.site.requests) - before
    assert first <= 3 * 6
    source.fetch()
    before = len(hosted.site.requests)
    gate_history(source, root, source.head(), hosted.now)
    # Which proposal each was is known by now; what people say of it is asked again.
    assert len(hosted.site.requests) - before == 6


def test_what_was_said_of_a_merge_is_believed_for_good_and_of_none_until_a_fetch(
    hosted: Hosted,
) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    hidden = hosted.site.pulls.pop(pull.number)
    source = hosted.source()
    assert codes(gate_history(source, root, made, hosted.now)) == [{"GATE012", "SOD-QUORUM"}]
    hosted.site.pulls[pull.number] = hidden
    assert gate_history(source, root, made, hosted.now).good == root
    source.fetch()
    assert gate_history(source, root, made, hosted.now).good == made


def test_a_commit_that_nobody_explains_is_looked_for_in_so_many_steps_only(
    hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(behind_merges, "_LONGEST", 3)
    hosted.push("main", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"), None)
    for number in range(8):
        hosted.push("main", {f"{number}.md": b"a note\n"}, None)
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    pull = hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    hosted.site.review(pull.number, "mona")
    source = hosted.source()
    before = len(hosted.site.requests)
    judged = review(source, str(pull.number), hosted.now).judged
    assert "an unknown signer" in judged.facts.contributors
    asked = [one for one in hosted.site.requests[before:] if "/commits/" in one.path]
    assert len(asked) == 3


def test_a_rebase_that_the_forge_signs_with_a_key_of_its_own_is_explained(hosted: Hosted) -> None:
    """As a self-managed GitLab may; only a key that was ever listed is a person's."""
    pem, _ = generate_key("forge")
    machine = parse_signer(pem, "forge")
    hosted.push("topic", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"), "manager")
    hosted.push("topic", {"NOTES.md": b"one\n"}, "data-scientist")
    pull = hosted.pull("topic")
    hosted.push("main", hosted.edited(MODEL_FILE, "seed: 7", "seed: 9"), machine)
    made = hosted.push("main", {"NOTES.md": b"one\n"}, machine)
    hosted.site._closed_as_merged(pull, made, hosted.site.people.need("mona"))
    hosted.push("ordain/promote/malignancy-1", dict(hosted.files(hosted.version())), "reconciler")
    promotion = hosted.pull("ordain/promote/malignancy-1", author="reconciler[bot]")
    judged = review(hosted.source(), str(promotion.number), hosted.now).judged
    assert judged.facts.contributors == frozenset({"cto", "data-scientist", "manager"})


# What is no answer, and what is a wrong one


def test_a_forge_whose_remote_is_not_here_is_no_plain_git(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    made = hosted.press(pull, "squash")
    with Repository.open(hosted.estate) as repository:
        repository.fetch("origin", ["+refs/heads/main:refs/heads/main"])
        repository.ask("remote", "rename", "origin", "elsewhere")
    found = open_source(hosted.estate, hosted.environ)
    with found.repository:
        gated = gate_history(found, root, made, hosted.now)
    assert codes(gated) == [{"GATE001", "GATE010", "SOD-QUORUM"}]
    first = gated.refused[0].findings[0]
    assert "the remote origin of the forge is not here" in first.message
    assert first.remedy == "add it: git remote add origin ADDRESS"


def test_an_answer_that_cannot_be_is_a_failure_and_nothing_to_wait_for(hosted: Hosted) -> None:
    root = hosted.source().head()
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.press(pull, "squash")
    honest: Any = hosted.source().host

    def explain(_commit: str, _target: str) -> HostProposal:
        found: HostProposal = honest.proposal(pull.number)
        return replace(found, merged="2" * 40)

    liar: Any = SimpleNamespace(name=honest.name, proposal_of=explain)
    hosted.opener = lambda *_: liar
    reconciler = hosted.reconciler()
    gated = reconciler.gate(reconciler.source.head())
    assert gated.good == root
    hold(reconciler.state, verdicts(gated))
    assert say(honest, reconciler.state) == ()
    passed, status = hosted.site.statuses
    assert (passed.state, status.state) == ("success", "failure")
    assert (status.description or "").startswith(
        "GATE013: what the forge says of this change cannot be: asked for the merge"
    )


def test_a_record_of_another_version_says_nothing(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    hosted.site.review(pull.number, "mona")
    told = review(hosted.source(), str(pull.number), hosted.now).judged.told
    data = to_record(told)
    event = Event(hosted.now, "reconciler", "gate.passed", "1" * 40, data)
    (heard,) = recollected([event]).values()
    assert [one.number for one in heard.proposals] == [pull.number]
    assert [one.commit for _, one in heard.reviews] == [pull.head_sha]
    later = {**data["heard"]["proposals"][0], "labels": ["new"]}
    more = {"heard": {**data["heard"], "proposals": [later]}}
    assert recollected([replace(event, data=more)]) == {event.subject: heard}
    renamed = {key: value for key, value in later.items() if key != "target"}
    other = {"heard": {**data["heard"], "proposals": [renamed]}}
    assert recollected([replace(event, data=other)]) == {}


# Signing elsewhere


def test_a_statement_that_was_signed_on_another_machine_is_taken(hosted: Hosted) -> None:
    hosted.push("topic", hosted.route())
    pull = hosted.pull("topic")
    by = Reviewer("manager", insist=True)
    source = hosted.source()
    text, role = write_statement(source, str(pull.number), by=by, now=hosted.now)
    signed = Signed(text, sign(hosted.signer("manager"), APPROVAL, text), "statement.sig")
    ledger = Ledger(source.home.ledger)
    given = approve_signed(source, ledger, str(pull.number), signed, by=by, now=hosted.now)
    assert (given.person, given.role, role) == ("manager", "manager", "manager")
    assert not review(hosted.source(), str(pull.number), hosted.now).judged.blocked


# What it is told


def trained(hosted: Hosted) -> Reconciler:
    """A reconciler that has only to propose."""
    reconciler, version = hosted.reconciler(), hosted.version()
    hosted.remember(reconciler.state, version)
    return reconciler


def test_production_is_looked_after_before_the_forge_is_told(hosted: Hosted) -> None:
    trained(hosted).run()
    told = [one.path for one in hosted.site.requests if one.method == "POST"]
    pulls, statuses = told
    assert pulls.endswith("/pulls")
    assert "/statuses/" in statuses


def test_what_a_pass_could_not_plan_is_told_by_the_next(hosted: Hosted) -> None:
    reconciler = trained(hosted)
    with pytest.raises(PlanStale):
        reconciler.run(expected={"plan": "another"})
    assert hosted.site.statuses == []
    reconciler.run()
    assert [one.state for one in hosted.site.statuses] == ["success"]


def test_what_a_pass_does_not_get_to_say_waits_for_the_next(hosted: Hosted) -> None:
    told: list[str] = []

    def report(commit: str, *_: Any) -> None:  # noqa: ANN401 - whatever a status says
        told.append(commit)

    host: Any = SimpleNamespace(report=report)
    state = hosted.state()
    commits = [f"{number:040x}" for number in range(25)]
    hold(state, [Said(one, CommitState.SUCCESS, "estate") for one in commits])
    assert say(host, state) == ()
    assert told == commits[:20]
    hold(state, [])
    assert say(host, state) == ()
    assert told == commits


def test_a_status_that_is_refused_keeps_all_after_it(hosted: Hosted) -> None:
    hosted.site.trouble(trouble.status(403), "/statuses/", times=1)
    state, host = hosted.state(), hosted.source().host
    assert host is not None
    head = hosted.source().head()
    hold(state, [Said(head, CommitState.SUCCESS, "one"), Said("2" * 40, CommitState.ERROR, "two")])
    (warning,) = say(host, state)
    assert warning.startswith("2 commit statuses could not be set on the forge: ")
