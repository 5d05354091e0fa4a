"""Stopping and rolling back on one manager's word, and what has to follow.

Nothing serves here; that a real server changes is looked at in the end-to-end tests.
"""

from __future__ import annotations

import fcntl
import itertools
import re
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from ordain.ledger.ledger import Ledger
from ordain.reconciler import break_glass, passes
from ordain.reconciler.break_glass import BreakGlass, Order
from ordain.reconciler.consequences import effects_between
from ordain.reconciler.declared import ran_before
from ordain.reconciler.drivers import LocalDriver
from ordain.reconciler.emergency_memory import Memory, Stranger
from ordain.reconciler.emergency_proposals import publish
from ordain.reconciler.emergency_reading import overdue_by_claim, read_emergencies
from ordain.reconciler.errors import DriverFailed, EmergencyRefused, KeyMissing, ProposalRefused
from ordain.reconciler.gating import read_side
from ordain.reconciler.planning import SeenServer
from ordain.reconciler.review import Reviewer, approve, merge
from ordain.reconciler.turns import InForce, put_in_force
from ordain.runtime.artifacts import ArtifactStore, save_artifact
from ordain.specs.errors import FindingsError
from ordain.vcs.emergencies import (
    PREFIX,
    Statement,
    branch_of,
    emergency_ref,
    write_statement,
)
from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, generate_key, parse_signer
from ordain.vcs.objects import Identity
from ordain.vcs.signatures import EMERGENCY, sign
from tests.reconciler.conftest import Bench

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from ordain.reconciler.break_glass import Acted
    from ordain.reconciler.emergencies import Emergencies
    from ordain.reconciler.passes import Reconciler
    from ordain.specs.findings import Finding
    from ordain.vcs.keys import Signer

ROUTE = "malignancy"
WHY = "it sends healthy people to surgery"


class Desk:
    """A bench whose branch has passed the gate, and the hands of people in an emergency."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.source = bench.source()
        self.reconciler: Reconciler = bench.reconciler(self.source)
        self.pass_()

    @property
    def glass(self) -> BreakGlass:
        source, reconciler = self.source, self.reconciler
        driver = LocalDriver(source.home, lambda: self.bench.now)
        return BreakGlass(
            source, reconciler.state, reconciler.ledger, driver, lambda: self.bench.now
        )

    def pass_(self) -> None:
        """Let the gate look at the branch, as a pass does first."""
        self.reconciler.gate(self.source.head())

    def note(self) -> tuple[Finding, ...]:
        """What a pass writes down of emergencies, and what it says is wrong with them."""
        return self.reconciler.note(self.look())

    def stop(self, person: str = "manager", reason: str = WHY) -> Acted:
        return self.glass.act(Order("stop", ROUTE, reason, Reviewer(person)))

    def look(self) -> Emergencies:
        good = self.reconciler.state.get("good")
        assert good is not None
        memory = Memory(self.reconciler.state, self.reconciler.ledger, self.bench.now)
        return read_emergencies(self.source, read_side(self.source, good), memory, self.bench.now)

    def stopped(self) -> set[str]:
        """The routes that a pass would stop now."""
        good = self.reconciler.state.get("good")
        assert good is not None
        planned = self.reconciler.plan(read_side(self.source, good))
        return {
            route["name"]
            for server in planned.desired.servers.values()
            for route in server["routes"]
            if "stopped" in route
        }

    def approve(self, identifier: str, person: str) -> None:
        approve(
            self.source,
            self.reconciler.ledger,
            branch_of(identifier),
            by=Reviewer(person),
            now=self.bench.now,
        )

    def merge(self, identifier: str, person: str = "manager") -> str:
        merged = merge(
            self.source,
            self.reconciler.ledger,
            branch_of(identifier),
            by=Reviewer(person),
            now=self.bench.now,
        )
        return merged.commit

    def events(self, kind: str = "emergency") -> list[tuple[str, str]]:
        return [(one.kind, one.subject) for one in self.reconciler.ledger.events(kind=kind)]

    def statement(self, **how: Any) -> Statement:  # noqa: ANN401 - any field
        """A stop as it should be, but for what is given."""
        head = self.source.head()
        said = Statement(
            action="stop",
            name=ROUTE,
            version=None,
            reason=WHY,
            person="manager",
            role="manager",
            time=self.bench.now,
            estate=self.source.root_commit,
            revision=head,
            proposal=head,
        )
        return replace(said, **how)

    def write(self, said: Statement, signer: Signer | None = None) -> str:
        """Put a statement where statements stand, whoever signs it; returns its commit."""
        actor = Actor("somebody", Identity("x", "x@example.org"), signer or self.key("manager"))
        return write_statement(self.source.repository, said, actor).commit

    def key(self, person: str) -> Signer:
        return self.bench.signer(person)

    def refusals(self) -> list[str]:
        found = self.look()
        assert self.stopped() == set()
        assert [one.code for one in found.findings(self.bench.now)] == ["EMG003"]
        return [one.reason for one in found.refused]


@pytest.fixture(scope="module")
def ready(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Estates whose branch has passed the gate, that run version 1, and version 2 after it."""
    found: dict[int, Path] = {}
    last = founded
    for number in (1, 2):
        root = tmp_path_factory.mktemp(f"version-{number}") / "bench"
        shutil.copytree(last, root, symlinks=True)
        bench = Bench(root)
        promoted(bench, number)
        Desk(bench)
        bench.close()
        found[number] = last = root
    return found


def copied(template: Path, root: Path) -> Desk:
    shutil.copytree(template, root, symlinks=True)
    return Desk(Bench(root))


@pytest.fixture
def desk(ready: dict[int, Path], tmp_path: Path) -> Iterator[Desk]:
    """A deployment that runs its first version."""
    desk = copied(ready[1], tmp_path / "bench")
    yield desk
    desk.bench.close()


@pytest.fixture
def two(ready: dict[int, Path], tmp_path: Path) -> Iterator[Desk]:
    """A deployment that ran version 1 and runs version 2."""
    desk = copied(ready[2], tmp_path / "bench")
    yield desk
    desk.bench.close()


# Who may


def test_one_manager_stops_a_route_and_it_is_recorded_and_proposed(desk: Desk) -> None:
    acted = desk.stop()
    identifier = acted.emergency.id
    assert identifier.startswith("stop-20261120-")
    assert acted.warnings == ()
    assert desk.stopped() == {ROUTE}
    assert desk.events() == [("emergency.stopped", "Route/malignancy")]
    (event,) = desk.reconciler.ledger.events(kind="emergency")
    assert event.actor == "manager"
    assert event.data["reason"] == WHY
    assert event.data["proof"] == acted.emergency.signed.proof
    proposal = desk.source.forge.proposal(branch_of(identifier))
    assert proposal.title == "Stop the route malignancy in an emergency"
    text = desk.source.repository.read(
        proposal.head, f"specs/emergencies/{identifier}.yaml"
    ).decode()
    assert '  action: "stop"\n  route: "malignancy"\n' in text
    assert '  requestedBy: "manager"\n  requestedAt: "2026-11-20T09:30:00Z"\n' in text


def test_the_same_order_given_twice_in_a_second_is_one(desk: Desk) -> None:
    assert desk.stop().emergency.id == desk.stop().emergency.id
    assert desk.events() == [("emergency.stopped", "Route/malignancy")]
    assert len(desk.look().all) == 1


@pytest.mark.parametrize("person", ["data-scientist", "cto"])
def test_nobody_but_a_manager_orders(desk: Desk, person: str) -> None:
    with pytest.raises(EmergencyRefused, match=f"{person} is no manager"):
        desk.stop(person)
    assert desk.source.repository.refs(PREFIX) == {}
    assert desk.events() == []


def test_the_key_must_be_the_managers(desk: Desk) -> None:
    key = desk.source.home.key("data-scientist")
    with pytest.raises(ProposalRefused, match="it is the key of data-scientist"):
        desk.glass.act(Order("stop", ROUTE, WHY, Reviewer("manager", key)))
    assert desk.source.repository.refs(PREFIX) == {}


def test_a_reason_is_needed_and_a_route_that_is_there(desk: Desk) -> None:
    with pytest.raises(EmergencyRefused, match="a reason has 1 to 500 printable characters"):
        desk.stop(reason=" \n ")
    with pytest.raises(EmergencyRefused, match="there is no Route 'malignanci' in ") as error:
        desk.glass.act(Order("stop", "malignanci", WHY, Reviewer("manager")))
    assert error.value.remedy == "did you mean `malignancy`?"
    assert error.value.exit_code == 1


def test_before_any_pass_there_is_nothing_to_stop(bench: Bench) -> None:
    reconciler = bench.reconciler()
    driver = LocalDriver(reconciler.source.home, lambda: bench.now)
    glass = BreakGlass(
        reconciler.source, reconciler.state, reconciler.ledger, driver, lambda: bench.now
    )
    with pytest.raises(EmergencyRefused, match="no commit has passed the gate here yet"):
        glass.act(Order("stop", ROUTE, WHY, Reviewer("manager")))


# What does not count


def test_a_statement_of_a_data_scientist_has_no_effect(desk: Desk) -> None:
    desk.write(desk.statement(person="data-scientist"), desk.key("data-scientist"))
    assert desk.refusals() == ["data-scientist is no manager"]


def test_a_statement_in_another_name_has_no_effect(desk: Desk) -> None:
    desk.write(desk.statement(), desk.key("data-scientist"))
    assert desk.refusals() == ["it is signed by data-scientist, not by manager"]


def test_a_statement_of_a_stranger_has_no_effect(desk: Desk) -> None:
    pem, _ = generate_key("stranger")
    desk.write(desk.statement(), parse_signer(pem, "stranger"))
    (reason,) = desk.refusals()
    assert reason.endswith(" is nobody's")


def test_a_statement_of_another_estate_or_history_has_no_effect(desk: Desk) -> None:
    desk.write(desk.statement(estate="a" * 40))
    assert desk.refusals() == ["it is of another estate"]
    desk.write(desk.statement(revision="b" * 40))
    reasons = {one.reason for one in desk.look().refused}
    assert f"it was given on {'b' * 12}, which is not of this history" in reasons
    assert desk.stopped() == set()


def test_a_statement_dated_ahead_has_no_effect_until_then(desk: Desk) -> None:
    desk.write(desk.statement(time=desk.bench.now + timedelta(minutes=6)))
    assert desk.refusals() == ["it is dated in the future (2026-11-20 09:36 UTC)"]


def test_a_statement_that_was_signed_for_something_else_has_no_effect(desk: Desk) -> None:
    said = desk.statement()
    for namespace, text in (("ordain-approval", said.text), (EMERGENCY, said.text + b" ")):
        repository = desk.source.repository
        armor = sign(desk.key("manager"), namespace, text)
        files: dict[str, bytes | None] = {
            "statement.json": said.text,
            "statement.sig": armor.encode(),
        }
        tree = repository.write_tree(None, files)
        who = Identity("x", "x@example.org")
        commit = repository.write_commit(tree, (said.proposal,), "x", who, desk.bench.now)
        repository.update_ref(emergency_ref(said.id, commit), commit, None)
    assert desk.stopped() == set()
    assert sorted(one.reason for one in desk.look().refused) == [
        "the signature does not fit the signed content",
        "the signature is for 'ordain-approval', not for 'ordain-emergency'",
    ]


def test_a_statement_under_another_name_has_no_effect(desk: Desk) -> None:
    said = desk.statement()
    commit = desk.write(said)
    repository = desk.source.repository
    other = "stop-20261120-000000000000"
    repository.update_ref(emergency_ref(other, commit), commit, None)
    repository.update_ref(emergency_ref(said.id, commit), None, commit)
    assert desk.refusals() == [f"it is the statement of {said.id}"]


def test_what_has_no_effect_is_recorded_once_and_is_told_by_every_pass(desk: Desk) -> None:
    desk.write(desk.statement(person="data-scientist"), desk.key("data-scientist"))
    for _ in range(2):
        assert [one.code for one in desk.note()] == ["EMG003"]
    assert [kind for kind, _ in desk.events()] == ["emergency.refused"]


def test_any_number_of_refs_is_told_in_a_few_lines_and_what_is_signed_comes_first(
    desk: Desk,
) -> None:
    repository, head = desk.source.repository, desk.source.head()
    for number in range(30):
        repository.update_ref(f"{PREFIX}stop-20261120-{number:012x}/{head}", head, None)
    desk.write(desk.statement(person="data-scientist"), desk.key("data-scientist"))
    found = desk.note()
    assert [one.code for one in found] == ["EMG003"] * 11
    assert found[0].message.endswith("has no effect: data-scientist is no manager")
    assert found[-1].message == "21 more statements have no effect"
    assert len(desk.events()) == 10
    desk.note()
    assert len(desk.events()) == 10


def test_the_same_statement_signed_again_is_told_and_changes_nothing(desk: Desk) -> None:
    first = desk.stop().emergency
    repository = desk.source.repository
    actor = Actor("manager", Identity("again", "a@example.org"), desk.key("manager"))
    write_statement(repository, first.statement, actor)
    found = desk.look()
    assert [one.signed.commit for one in found.all] == [first.signed.commit]
    assert [one.reason for one in found.refused] == ["it was given before"]


def test_what_was_accepted_holds_when_the_key_expires_or_the_manager_leaves(desk: Desk) -> None:
    desk.stop()
    text = desk.bench.text("specs/organization.yaml")
    name, public = "manager", desk.key("manager").public.line
    assert public in text
    pem, _ = generate_key("manager")
    other = parse_signer(pem, "manager").public.line
    changed = text.replace(public, other).replace("roles: [manager]", "roles: [data-scientist]")
    commit = desk.bench.commit({"specs/organization.yaml": changed.encode()}, by="cto")
    desk.reconciler.state.put("good", commit)
    assert desk.stopped() == {ROUTE}
    assert [one.statement.person for one in desk.look().all] == [name]


def test_the_record_alone_knows_what_was_accepted(desk: Desk) -> None:
    """The state store may be lost; then the ledger says when it was, and by whose key."""
    acted = desk.stop()
    with_state = desk.look()
    desk.reconciler.state.drop(f"emergency.stopped:{acted.emergency.signed.commit}")
    desk.bench.now += timedelta(hours=3)
    assert desk.look().all[0].seen == with_state.all[0].seen
    assert desk.look().all[0].recorded


# What stands in its place


def declare(desk: Desk, files: dict[str, bytes | None]) -> None:
    """A change that a manager approves, merged and judged."""
    ledger, now = desk.reconciler.ledger, desk.bench.now
    desk.bench.commit(files, branch="refs/heads/change")
    approve(desk.source, ledger, "change", by=Reviewer("manager"), now=now)
    merge(desk.source, ledger, "change", by=Reviewer("manager"), now=now)
    desk.pass_()


def test_a_stop_holds_at_its_endpoint_whatever_the_route_is_called(desk: Desk) -> None:
    path = "specs/routes/malignancy.yaml"
    before = desk.bench.text(path)
    desk.stop()
    declare(desk, {path: before.replace("name: malignancy", "name: other", 1).encode()})
    assert desk.stopped() == {"other"}
    assert desk.note() == ()


def test_a_stop_holds_where_the_route_was_and_where_it_is(desk: Desk) -> None:
    path = "specs/routes/malignancy.yaml"
    before = desk.bench.text(path)
    desk.stop()
    other = before.replace("name: malignancy", "name: other", 1).encode()
    moved = re.sub("endpoint: .*", "endpoint: /v1/elsewhere", before).encode()
    declare(desk, {path: moved, "specs/routes/other.yaml": other})
    assert desk.stopped() == {ROUTE, "other"}


# What is gone from the clone


def forgotten(desk: Desk, prefix: str = PREFIX) -> None:
    """Delete the statements, as it is in a new clone of a remote where somebody has done so."""
    repository = desk.source.repository
    for ref, commit in repository.refs("refs/").items():
        if ref.startswith(prefix):
            repository.update_ref(ref, None, commit)


def test_an_order_that_is_gone_from_the_clone_is_in_force_and_an_error(desk: Desk) -> None:
    one = desk.stop().emergency
    forgotten(desk)
    assert desk.stopped() == {ROUTE}
    (finding,) = desk.note()
    assert (finding.code, finding.severity.value) == ("EMG008", "error")
    assert finding.message == (
        f"the statement of {one.id} is gone from this clone; it holds as before"
    )
    assert finding.evidence == (f"proof = {one.signed.proof}, by our own record",)
    assert publish(desk.source, desk.look()) == ()
    (found,) = desk.look().all
    assert found.statement == one.statement
    assert found.signed.fingerprint == one.signed.fingerprint
    assert desk.events() == [("emergency.stopped", "Route/malignancy")]


def test_an_end_that_is_gone_from_the_clone_holds_and_is_an_error(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    desk.glass.end(identifier, "false alarm", Reviewer("manager"))
    forgotten(desk, f"{PREFIX}end-")
    assert desk.stopped() == set()
    (finding,) = desk.note()
    assert finding.code == "EMG008"
    assert finding.message.startswith("the statement of end-20261120-")
    desk.approve(identifier, "cto")
    desk.merge(identifier)
    desk.pass_()
    assert desk.note() == ()
    assert desk.stopped() == set()


def test_a_rollback_that_is_gone_with_its_proposal_can_be_ended_and_approved(two: Desk) -> None:
    one = back(two).emergency
    forgotten(two)
    forgotten(two, f"refs/heads/{branch_of(one.id)}")
    assert two.source.repository.ask("reflog", "expire", "--expire=now", "--all").code == 0
    assert two.source.repository.ask("gc", "--prune=now", "--quiet").code == 0
    two.source = two.bench.source()
    assert running(two) == 1
    assert publish(two.source, two.look()) == ()
    assert [finding.code for finding in two.note()] == ["EMG008"]

    two.glass.end(one.id, "nobody knows any more", Reviewer("manager"))
    assert running(two) == 2
    two.approve(one.id, "cto")
    two.merge(one.id)
    two.pass_()
    assert two.note() == ()
    assert two.look().waiting == ()


# The twenty-four hours


def test_after_24_hours_without_approval_it_is_an_error_and_still_in_force(desk: Desk) -> None:
    acted = desk.stop()
    desk.bench.now += timedelta(hours=24)
    assert desk.note() == ()
    desk.bench.now += timedelta(seconds=1)
    (finding,) = desk.note()
    assert finding.code == "EMG001"
    assert finding.severity.value == "error"
    assert finding.message == (
        f"{acted.emergency.id}: the route malignancy was stopped by manager,"
        " and nobody else has approved it within 24 hours"
    )
    assert finding.evidence[0] == "first seen = 2026-11-20 09:30 UTC, by our own record"
    assert desk.note() == (finding,)
    assert [kind for kind, _ in desk.events()] == ["emergency.stopped", "emergency.overdue"]
    assert desk.stopped() == {ROUTE}


def test_the_hours_begin_when_our_record_sees_it_whatever_the_statement_says(desk: Desk) -> None:
    desk.write(desk.statement(time=desk.bench.now - timedelta(days=3)))
    assert desk.note() == ()
    (one,) = desk.look().all
    assert one.seen == desk.bench.now
    desk.bench.now += timedelta(hours=23)
    assert one.standing(desk.bench.now) == "1.0 h left to approve it"
    assert desk.note() == ()


def test_approved_late_is_said_once_with_how_late(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    desk.bench.now += timedelta(hours=26, minutes=30)
    desk.approve(identifier, "cto")
    desk.merge(identifier)
    desk.pass_()
    (finding,) = desk.note()
    assert finding.code == "EMG002"
    assert finding.message.endswith("was stopped by manager, and was approved 2.5 h late")
    assert desk.note() == ()
    (event,) = desk.reconciler.ledger.events(kind="emergency.approved")
    assert event.data["late_hours"] == 2.5


def test_from_git_alone_it_is_a_warning_by_the_time_that_it_claims(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    base = read_side(desk.source, desk.source.head())
    later = desk.bench.now + timedelta(hours=24, seconds=1)
    assert list(overdue_by_claim(desk.source, base, desk.bench.now)) == []
    (finding,) = overdue_by_claim(desk.source, base, later)
    assert (finding.code, finding.severity.value) == ("EMG001", "warning")
    assert finding.evidence[0] == "stated = 2026-11-20 09:30 UTC"
    desk.approve(identifier, "cto")
    merged = read_side(desk.source, desk.merge(identifier))
    assert list(overdue_by_claim(desk.source, merged, later)) == []


# Approval afterwards


def test_who_acted_cannot_approve_it(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    with pytest.raises(ProposalRefused, match="manager contributed to what"):
        desk.approve(identifier, "manager")
    with pytest.raises(FindingsError) as refused:
        desk.merge(identifier)
    assert [one.code for one in refused.value.findings] == ["SOD-QUORUM"]
    assert refused.value.findings[0].message == (
        "the approval of a reviewer is missing:"
        " an emergency is approved by somebody else than who acted"
    )


def test_once_merged_git_keeps_the_route_stopped_until_the_document_goes(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    before = read_side(desk.source, desk.source.head())
    desk.approve(identifier, "cto")
    merged = desk.merge(identifier)
    after = read_side(desk.source, merged)
    (effect,) = effects_between(before.estate, after.estate)
    assert (effect.subject, effect.text) == (
        "Route/malignancy",
        f"is stopped by BreakGlass/{identifier}",
    )
    desk.pass_()
    assert desk.note() == ()
    (one,) = desk.look().all
    assert one.approved is not None
    assert (one.approved.commit, one.in_force, one.late) == (merged, False, timedelta())
    assert desk.stopped() == {ROUTE}
    assert [kind for kind, _ in desk.events()] == ["emergency.stopped", "emergency.approved"]

    branch = "refs/heads/lift"
    desk.bench.commit({f"specs/emergencies/{identifier}.yaml": None}, branch=branch)
    ledger = desk.reconciler.ledger
    with pytest.raises(FindingsError, match="lift may not be merged"):
        merge(desk.source, ledger, "lift", by=Reviewer("cto"), now=desk.bench.now)
    approve(desk.source, ledger, "lift", by=Reviewer("manager"), now=desk.bench.now)
    merge(desk.source, ledger, "lift", by=Reviewer("manager"), now=desk.bench.now)
    desk.pass_()
    assert desk.stopped() == set()
    assert desk.look().waiting == ()
    with pytest.raises(EmergencyRefused, match="was approved and merged, so git decides now"):
        desk.glass.end(identifier, "again", Reviewer("manager"))


def test_a_history_that_is_judged_again_finds_what_was_approved(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    desk.approve(identifier, "cto")
    desk.merge(identifier)
    desk.bench.now += timedelta(days=30)
    for key in ("good", f"emergency-document:{identifier}"):
        desk.reconciler.state.drop(key)
    desk.pass_()
    (one,) = desk.look().all
    assert one.approved is not None
    assert one.approved.time == desk.bench.now - timedelta(days=30)


def test_a_commit_that_was_refused_settles_nothing(desk: Desk) -> None:
    """Pushed past the gate and taken back, the document would otherwise lift the stop."""
    identifier = desk.stop().emergency.id
    path = f"specs/emergencies/{identifier}.yaml"
    branch = desk.source.forge.proposal(branch_of(identifier))
    data = desk.source.repository.read(branch.head, path)
    before = desk.bench.head()
    desk.bench.commit({path: data})
    desk.pass_()
    assert desk.reconciler.state.get("good") == before
    desk.bench.commit({path: None})
    desk.pass_()
    assert desk.stopped() == {ROUTE}
    assert [one.in_force for one in desk.look().all] == [True]


def rewritten(desk: Desk, identifier: str, by: str, reason: str = WHY, end: str = "") -> list[str]:
    """Go on from the proposal with other words in the document; what the gate says of a merge."""
    path, branch = f"specs/emergencies/{identifier}.yaml", f"refs/heads/{branch_of(identifier)}"
    repository = desk.source.repository
    text = repository.read(repository.resolve(branch), path).decode().replace(WHY, reason)
    desk.bench.commit({path: (text + end).encode()}, by=by, branch=branch)
    desk.approve(identifier, "cto")
    try:
        desk.merge(identifier)
    except FindingsError as error:
        return [one.message for one in error.findings if one.code == "EMG004"]
    desk.pass_()
    return []


BY_MANAGER = '  endedBy: "manager"\n  endedAt: "2026-11-20T10:00:00Z"\n'


def test_nobody_writes_the_trace_in_the_name_of_the_manager(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    assert rewritten(desk, identifier, "data-scientist", "a drill", BY_MANAGER) == [
        f"BreakGlass/{identifier} is written by data-scientist, who did not act"
    ]
    assert desk.stopped() == {ROUTE}


@pytest.mark.parametrize(
    ("reason", "end"), [("a drill", ""), (WHY, BY_MANAGER)], ids=["reason", "end"]
)
def test_a_trace_that_says_something_else_settles_nothing(
    desk: Desk, reason: str, end: str
) -> None:
    """Not even where the manager who acted has signed it: what was ordered is in the statement."""
    identifier = desk.stop().emergency.id
    assert rewritten(desk, identifier, "manager", reason, end) == []
    assert desk.stopped() == {ROUTE}
    (one,) = desk.look().waiting
    assert one.in_force
    assert [kind for kind, _ in desk.events()] == ["emergency.stopped"]


# Ending


def test_ending_takes_the_effect_away_and_not_the_missing_approval(desk: Desk) -> None:
    identifier = desk.stop().emergency.id
    with pytest.raises(EmergencyRefused, match="data-scientist is no manager"):
        desk.glass.end(identifier, "false alarm", Reviewer("data-scientist"))
    desk.glass.end(identifier, "false alarm", Reviewer("manager"))
    assert desk.stopped() == set()
    (one,) = desk.look().waiting
    assert one.id == identifier
    desk.bench.now += timedelta(hours=25)
    assert [finding.code for finding in desk.note()] == ["EMG001"]
    with pytest.raises(EmergencyRefused, match=f"{identifier} was ended by manager"):
        desk.glass.end(identifier, "again", Reviewer("manager"))

    desk.approve(identifier, "cto")
    desk.merge(identifier)
    desk.pass_()
    assert desk.stopped() == set()
    assert [finding.code for finding in desk.note()] == ["EMG002"]
    assert [kind for kind, _ in desk.events()] == [
        "emergency.stopped",
        "emergency.ended",
        "emergency.overdue",
        "emergency.approved",
    ]


def test_an_unknown_emergency_is_said_to_be_one(desk: Desk) -> None:
    with pytest.raises(EmergencyRefused, match="there is no emergency 'stop-1'"):
        desk.glass.end("stop-1", "x", Reviewer("manager"))


# Rolling back


def promoted(bench: Bench, number: int) -> None:
    """Promote a version whose artifact is really in the store."""
    store = ArtifactStore(bench.source().home.artifacts)
    version = bench.version(number)
    members = {"plan.json": b'{"number": %d}' % number}
    artifact = save_artifact(store, ROUTE, version.recipe.digest, members).digest
    evidence = replace(version.evidence, artifact=artifact)
    assert version.validation is not None
    validation = replace(version.validation, artifact=artifact)
    bench.promote(replace(version, artifact=artifact, evidence=evidence, validation=validation))


def back(desk: Desk, version: int | None = None) -> Acted:
    order = Order("rollback", ROUTE, WHY, Reviewer("manager"), version)
    return desk.glass.act(order)


def running(desk: Desk) -> int:
    good = desk.reconciler.state.get("good")
    assert good is not None
    planned = desk.reconciler.plan(read_side(desk.source, good))
    (server,) = planned.desired.servers.values()
    found: int = server["deployments"][ROUTE]["version"]
    return found


def test_a_rollback_goes_to_the_version_that_ran_before(two: Desk) -> None:
    assert running(two) == 2
    acted = back(two)
    assert acted.emergency.statement.version == 1
    assert running(two) == 1
    assert two.events() == [("emergency.rolled-back", "Deployment/malignancy")]


def test_a_rollback_is_approved_by_one_other_person_and_then_git_says_what_runs(two: Desk) -> None:
    identifier = back(two).emergency.id
    two.approve(identifier, "cto")
    two.merge(identifier)
    two.pass_()
    assert "version: 1" in two.bench.text("specs/deployments/malignancy.yaml")
    assert two.look().waiting == ()
    assert running(two) == 1


def test_a_rollback_never_goes_to_what_is_not_approved_or_not_there(two: Desk) -> None:
    with pytest.raises(EmergencyRefused, match="no version 3 of malignancy was ever approved"):
        back(two, 3)
    with pytest.raises(EmergencyRefused, match="malignancy runs version 2 of malignancy already"):
        back(two, 2)
    store = two.source.home.artifacts
    for file in [one for one in store.rglob("*") if one.is_file()]:
        file.unlink()
    with pytest.raises(EmergencyRefused, match="version 1 of malignancy cannot be served"):
        back(two)
    assert two.events() == []


def test_a_version_that_was_moved_away_from_does_not_come_back(two: Desk) -> None:
    identifier = back(two).emergency.id
    two.approve(identifier, "cto")
    two.merge(identifier)
    two.pass_()
    with pytest.raises(EmergencyRefused) as error:
        back(two, 2)
    assert error.value.message == (
        "version 2 of malignancy did not run before version 1 of malignancy, or was moved away from"
    )
    with pytest.raises(EmergencyRefused, match="no version of malignancy ran before"):
        back(two)
    promoted(two.bench, 3)
    two.pass_()
    assert running(two) == 3
    with pytest.raises(EmergencyRefused, match="version 2 of malignancy did not run") as error:
        back(two, 2)
    assert error.value.remedy == "one of: 1"
    assert back(two).emergency.statement.version == 1


@pytest.mark.parametrize(
    ("versions", "running", "before"),
    [
        ([1], 1, ()),
        ([2, 1], 2, (1,)),
        ([1, 2, 1], 1, ()),
        ([2, 3, 2, 1], 2, (1,)),
        ([4, 2, 3, 2, 1], 4, (2, 1)),
        # It was promoted again.
        ([4, 3, 2, 3, 2, 1], 4, (3, 2, 1)),
        # An order that is not merged yet, and one that git has overtaken.
        ([3, 2, 1], 2, (1,)),
        ([3, 2, 1], None, (3, 2, 1)),
        ([9, 1], 9, (1,)),
    ],
)
def test_a_rollback_goes_to_what_ran_before_and_was_not_withdrawn(
    versions: list[int], running: int | None, before: tuple[int, ...]
) -> None:
    class Known:
        def versions(self, _: str, number: int) -> tuple[str, ...]:
            return (f"ModelVersion/{number}",)

    assert ran_before(versions, running, cast("Any", Known()), "malignancy") == before


def test_an_approved_promotion_overtakes_a_rollback(two: Desk) -> None:
    identifier = back(two).emergency.id
    two.pass_()
    assert running(two) == 1
    promoted(two.bench, 3)
    two.pass_()
    assert running(two) == 3
    (finding,) = two.note()
    assert finding.code == "EMG006"
    assert finding.message == (
        f"{identifier} has no effect: {two.bench.head()[:12]} has brought Deployment/malignancy"
        " to version 3 since"
    )
    two.glass.end(identifier, "version 3 is approved", Reviewer("manager"))
    two.approve(identifier, "cto")
    two.merge(identifier)
    two.pass_()
    assert (two.note(), two.look().waiting, running(two)) == ((), (), 3)


@pytest.mark.parametrize("first", [True, False])
def test_of_two_rollbacks_the_one_that_goes_back_further_holds(
    two: Desk,
    *,
    first: bool,
) -> None:
    """Whichever is merged first; what the other moved away from does not come back by that."""
    promoted(two.bench, 3)
    two.pass_()
    orders = [back(two).emergency, back(two).emergency]
    assert [one.statement.version for one in orders] == [2, 1]
    merged = orders[0 if first else 1].id
    two.approve(merged, "cto")
    two.merge(merged)
    two.pass_()
    assert running(two) == 1
    assert [one.in_force for one in two.look().waiting] == [first]


def test_a_commit_that_was_refused_overtakes_no_rollback(two: Desk) -> None:
    path = "specs/deployments/malignancy.yaml"
    before = two.bench.text(path)
    back(two)
    declare(two, {path: None, "specs/deployments/moved.yaml": before.encode()})
    assert running(two) == 1
    declare(two, {path: before.encode(), "specs/deployments/moved.yaml": None})
    two.bench.commit({path: before.replace("version: 2", "version: 7").encode()})
    two.pass_()
    two.bench.commit({path: before.encode()})
    two.pass_()
    assert two.reconciler.state.get("good") == two.bench.head()
    assert running(two) == 1
    assert two.note() == ()


def test_with_nothing_before_it_there_is_nowhere_to_go_back_to(desk: Desk) -> None:
    with pytest.raises(EmergencyRefused, match="no version of malignancy ran before") as error:
        back(desk)
    assert error.value.remedy == "stop the route: ordain stop ROUTE"


def test_an_ended_rollback_leaves_a_record_and_changes_no_version(two: Desk) -> None:
    identifier = back(two).emergency.id
    two.glass.end(identifier, "it was the data", Reviewer("manager"))
    assert running(two) == 2
    two.approve(identifier, "cto")
    two.merge(identifier)
    two.pass_()
    assert running(two) == 2
    assert two.look().waiting == ()


# What the gate asks of a document that people write


def judged(desk: Desk, files: dict[str, bytes | None], by: str) -> list[str]:
    desk.bench.commit(files, by=by, branch="refs/heads/topic")
    with pytest.raises(FindingsError) as refused:
        merge(
            desk.source,
            Ledger(desk.source.home.ledger),
            "topic",
            by=Reviewer("manager"),
            now=desk.bench.now,
        )
    return [f"{one.code} {one.message}" for one in refused.value.findings]


def document(**spec: object) -> bytes:
    lines = [f"  {key}: {value}" for key, value in spec.items()]
    head = ["apiVersion: ordain.dev/v1", "kind: BreakGlass", "metadata: {name: one}", "spec:"]
    return "\n".join([*head, *lines, "  requestedAt: 2026-11-20T09:30:00Z", ""]).encode()


def test_a_document_is_of_the_manager_who_signs_it(desk: Desk) -> None:
    spec = {"action": "stop", "route": ROUTE, "reason": "why"}
    path = "specs/emergencies/one.yaml"
    found = judged(desk, {path: document(**spec, requestedBy="manager")}, "data-scientist")
    assert "EMG004 BreakGlass/one is not signed by manager, whom it names" in found
    found = judged(desk, {path: document(**spec, requestedBy="data-scientist")}, "data-scientist")
    assert "EMG004 BreakGlass/one was ordered by data-scientist, who is no manager" in found


def test_a_rollback_in_a_document_is_the_one_in_the_deployment(two: Desk) -> None:
    spec = {"action": "rollback", "deployment": ROUTE, "reason": "why", "requestedBy": "manager"}
    path = "specs/emergencies/one.yaml"
    assert "EMG005 BreakGlass/one goes back to version 7, which was never approved" in judged(
        two, {path: document(**spec, version=7)}, "manager"
    )
    deployment = two.bench.edited("specs/deployments/malignancy.yaml", "version: 2", "version: 1")
    found = judged(two, deployment | {path: document(**spec, version=2)}, "manager")
    assert (
        "EMG005 BreakGlass/one goes back to version 2, and Deployment/malignancy does not" in found
    )


def test_what_stands_beside_a_document_is_judged_as_always(two: Desk) -> None:
    spec = {"action": "rollback", "deployment": ROUTE, "reason": "why", "requestedBy": "manager"}
    path = "specs/emergencies/one.yaml"
    other = two.bench.edited("specs/deployments/malignancy.yaml", "version: 2", "version: 1")
    route = two.bench.edited("specs/routes/malignancy.yaml", "read-by-pathologist", "healthy")
    found = judged(two, {**other, **route, path: document(**spec, version=1)}, "manager")
    assert any(one.startswith("PRO001 ") for one in found)
    assert any("Route/malignancy changes" in one for one in found)


# The remote


def with_remote(desk: Desk, tmp_path: Path) -> Repository:
    """Give the estate a remote that has all of it."""
    remote = Repository.init(tmp_path / "remote.git", bare=True)
    repository = desk.source.repository
    assert repository.ask("remote", "add", "origin", str(remote.path)).code == 0
    repository.push("origin", ["refs/heads/main:refs/heads/main"], {})
    desk.source = desk.bench.source()
    desk.reconciler = desk.bench.reconciler(desk.source)
    desk.source.fetch()
    return remote


def test_the_remote_hears_of_it_and_nothing_there_takes_it_away(desk: Desk, tmp_path: Path) -> None:
    with with_remote(desk, tmp_path) as remote:
        one = desk.stop().emergency
        ref, branch = one.signed.ref, f"refs/heads/{branch_of(one.id)}"
        assert remote.refs(PREFIX) == {ref: one.signed.commit}
        assert remote.refs(branch) == {branch: one.statement.proposal}
        remote.update_ref(ref, None, one.signed.commit)
        # Whoever may push there puts another content under the name.
        head = desk.source.head()
        remote.update_ref(ref, head, None)
        desk.source.fetch()
        assert desk.source.repository.refs(PREFIX) == {ref: one.signed.commit}
        assert desk.stopped() == {ROUTE}


def test_another_clone_acts_on_what_the_remote_has_heard(desk: Desk, tmp_path: Path) -> None:
    with with_remote(desk, tmp_path) as remote:
        one = desk.stop().emergency
        desk.source.repository.update_ref(one.signed.ref, None, one.signed.commit)
        side = read_side(desk.source, desk.source.head())
        assert read_emergencies(desk.source, side, Stranger(), desk.bench.now).all == ()
        remote.update_ref(PREFIX + "nonsense", desk.source.head(), None)
        desk.source.fetch()
        found = read_emergencies(desk.source, side, Stranger(), desk.bench.now)
        assert found.measures.stopped == {ROUTE: one.id}
        assert PREFIX + "nonsense" not in desk.source.repository.refs(PREFIX)


def test_a_statement_that_the_remote_refuses_keeps_no_other_away(
    desk: Desk, tmp_path: Path
) -> None:
    """A key may have expired since it was signed, and a server refuses a push as a whole."""
    first = desk.stop().emergency
    with with_remote(desk, tmp_path) as remote:
        hook = tmp_path / "remote.git" / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(
            f"#!/bin/sh\nif grep -q {PREFIX}{first.id}; then\n"
            "  echo 'error[PUSH019]: it has expired' >&2\n  exit 1\nfi\n"
        )
        hook.chmod(0o755)
        acted = desk.stop(reason="and again")
        second = acted.emergency
        (warning,) = acted.warnings
        assert warning == (
            "the emergencies could not all be proposed on the remote origin yet: the remote "
            f"refused {first.signed.ref} (pre-receive hook declined): error[PUSH019]: it has "
            "expired; the next pass tries again"
        )
        assert remote.refs(PREFIX) == {second.signed.ref: second.signed.commit}
        branches = {f"refs/heads/{branch_of(one.id)}" for one in (first, second)}
        assert set(remote.refs("refs/heads/ordain/emergency/")) == branches


def test_a_branch_that_somebody_moves_away_comes_back(desk: Desk, tmp_path: Path) -> None:
    """Whoever may write could otherwise take from everybody what has to be approved."""
    with with_remote(desk, tmp_path) as remote:
        one = desk.stop().emergency
        ref, proposal = f"refs/heads/{branch_of(one.id)}", one.statement.proposal
        remote.update_ref(ref, desk.source.head(), proposal)
        desk.source.fetch()
        assert publish(desk.source, desk.look()) == ()
        assert remote.refs(ref) == {ref: proposal}
        # Somebody has brought it up to date: what has to be approved is in it.
        actor = Actor("manager", Identity("x", "x@example.org"), desk.key("manager"))
        tree = desk.source.repository.write_tree(proposal, {"more": b"more"})
        later = desk.source.repository.write_commit(
            tree, (proposal,), "More", actor.who, desk.bench.now, actor.signer
        )
        desk.source.repository.push("origin", [f"{later}:{ref}"], {})
        desk.source.fetch()
        assert publish(desk.source, desk.look()) == ()
        assert remote.refs(ref) == {ref: later}


# One after the other


def test_what_is_served_is_asked_again_when_it_is_served(desk: Desk) -> None:
    """An order that comes while a server is changed is not lost, even where nobody waited."""
    served: list[dict[str, Any]] = []

    class Hands(LocalDriver):
        def serve(self, environment: str, config: dict[str, Any]) -> str:
            if not served:
                desk.stop()
            served.append(config)
            return environment

    good = read_side(desk.source, desk.source.head())

    def wanted() -> dict[str, Any]:
        return dict(desk.reconciler.plan(good).desired.servers["production"])

    home = desk.source.home
    assert put_in_force(Hands(home, lambda: desk.bench.now), home, "production", wanted) == InForce(
        "production"
    )
    assert ["stopped" in one["routes"][0] for one in served] == [False, True]


def test_an_address_that_does_not_serve_the_last_word_is_given_with_a_warning(
    desk: Desk,
) -> None:
    class Hands(LocalDriver):
        def serve(self, environment: str, _: dict[str, Any]) -> str:
            return environment

    words = itertools.count()
    home = desk.source.home
    done = put_in_force(
        Hands(home, lambda: desk.bench.now), home, "production", lambda: {"word": next(words)}
    )
    said = "what production should serve changed 5 times meanwhile; the next pass serves the last"
    assert done == InForce("production", f"{said} of it")


def test_who_hangs_while_writing_down_keeps_no_route_going(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(break_glass, "PERSON_SECONDS", 0.05)
    lock = desk.source.home.root / "emergencies.lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (warning,) = desk.stop().warnings
        assert warning == (
            "our own record could not be written (another process has written for 0.05 s "
            f"({lock})); the next pass does"
        )
        assert desk.stopped() == {ROUTE}
        monkeypatch.setattr(passes, "PASS_SECONDS", 0.05)
        assert desk.note() == ()
        assert desk.events() == []
    desk.note()
    assert desk.events() == [("emergency.stopped", "Route/malignancy")]


def test_a_lock_that_cannot_be_made_keeps_no_route_going(desk: Desk) -> None:
    lock = desk.source.home.root / "emergencies.lock"
    lock.unlink(missing_ok=True)
    lock.mkdir()
    (warning,) = desk.stop().warnings
    assert warning.startswith(f"our own record could not be written ({lock} cannot be written: ")
    assert desk.stopped() == {ROUTE}


def test_a_missing_key_is_said_before_anything_is_written(desk: Desk) -> None:
    desk.source.home.key("manager").unlink()
    with pytest.raises(KeyMissing, match="there is no private key for manager"):
        desk.stop()
    assert desk.source.repository.refs(PREFIX) == {}


def test_a_record_that_is_damaged_keeps_no_route_going(desk: Desk) -> None:
    control = desk.source.home.ledger / "control"
    away = control.rename(control.with_name("away"))
    control.write_bytes(b"")
    (warning,) = desk.stop().warnings
    assert warning.startswith("our own record could not be written (")
    assert desk.stopped() == {ROUTE}
    control.unlink()
    away.rename(control)
    desk.note()
    assert desk.events() == [("emergency.stopped", "Route/malignancy")]


def test_an_order_that_cannot_be_served_yet_is_said_to_stand(desk: Desk) -> None:
    class Broken(LocalDriver):
        def servers(self, _: Iterable[str]) -> dict[str, SeenServer]:
            return {"production": SeenServer("", ready=False)}

        def running(self, environment: str) -> dict[str, Any] | None:
            raise DriverFailed(f"{environment} says nothing")

        def serve(self, environment: str, _: dict[str, Any]) -> str:
            raise DriverFailed(f"{environment} does not start")

    glass = replace(desk.glass, driver=Broken(desk.source.home, lambda: desk.bench.now))
    with pytest.raises(DriverFailed, match="is ordered, and is not in force yet: ") as error:
        glass.act(Order("stop", ROUTE, WHY, Reviewer("manager")))
    assert error.value.message.endswith("production does not start")
    assert desk.stopped() == {ROUTE}
    assert desk.events() == [("emergency.stopped", "Route/malignancy")]
