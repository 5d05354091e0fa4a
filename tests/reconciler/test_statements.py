"""Approvals that are signed on another machine: what goes out, and what is taken back."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from ordain.ledger.ledger import Ledger
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.review import Reviewer, review
from ordain.reconciler.statements import Signed, approve_signed, write_statement
from ordain.specs.canonical import canonical_json
from ordain.vcs.errors import BadSignature
from ordain.vcs.signatures import APPROVAL, GIT, sign

if TYPE_CHECKING:
    from ordain.vcs.approvals import Approval
    from tests.reconciler.conftest import Bench

PROPOSAL = "malignancy-1"


@dataclass
class Desk:
    """A proposal, and somebody whose key is somewhere else."""

    bench: Bench

    def write(self, by: Reviewer | None = None) -> bytes:
        source = self.bench.source()
        by = by or Reviewer("manager")
        return write_statement(source, PROPOSAL, by=by, now=self.bench.now)[0]

    def signed(self, text: bytes, key: str = "manager", purpose: str = APPROVAL) -> Signed:
        return Signed(text, sign(self.bench.signer(key), purpose, text), "statement.sig")

    def take(self, signed: Signed, by: Reviewer | None = None) -> Approval:
        source = self.bench.source()
        ledger = Ledger(source.home.ledger)
        by = by or Reviewer("manager")
        return approve_signed(source, ledger, PROPOSAL, signed, by=by, now=self.bench.now)

    def refused(self, signed: Signed, by: Reviewer | None = None) -> str:
        with pytest.raises(ProposalRefused) as caught:
            self.take(signed, by)
        return caught.value.message

    def valid(self) -> list[tuple[str, str]]:
        judged = review(self.bench.source(), PROPOSAL, self.bench.now).judged
        return [(one.person, one.role) for one in judged.approvals.valid]


@pytest.fixture
def desk(bench: Bench) -> Desk:
    bench.propose()
    return Desk(bench)


def test_what_is_signed_elsewhere_counts_like_what_is_signed_here(desk: Desk) -> None:
    text = desk.write()
    desk.bench.now += timedelta(hours=3)
    approval = desk.take(desk.signed(text))
    assert (approval.person, approval.role) == ("manager", "manager")
    assert approval.time == desk.bench.now - timedelta(hours=3)
    assert desk.valid() == [("manager", "manager")]


def test_an_approver_sees_in_the_statement_what_is_approved(desk: Desk) -> None:
    text = desk.write()
    fields = json.loads(text)
    judged = review(desk.bench.source(), PROPOSAL, desk.bench.now).judged
    assert fields["change"] == judged.change.digest
    assert fields["paths"] == list(judged.change.names)
    assert (fields["person"], fields["role"]) == ("manager", "manager")


def test_a_merge_beside_it_does_not_void_a_statement_on_its_way(desk: Desk) -> None:
    text = desk.write()
    desk.bench.commit({"README.md": b"Something else.\n"})
    desk.take(desk.signed(text))
    assert desk.valid() == [("manager", "manager")]


def test_content_that_changed_meanwhile_is_not_what_was_signed(desk: Desk) -> None:
    text = desk.write()
    branch = "refs/heads/ordain/promote/malignancy-1"
    desk.bench.commit({"README.md": b"More.\n"}, branch=branch)
    said = desk.refused(desk.signed(text))
    assert said.startswith(
        f"the statement does not approve what {PROPOSAL} is now: its change is sha256:"
    )


def test_files_that_changed_on_the_branch_void_a_statement_on_its_way(desk: Desk) -> None:
    text = desk.write()
    file = json.loads(text)["paths"][-1]
    old = desk.bench.source().repository
    before = old.tree(desk.bench.head()).get(file)
    there = b"there\n" if before is None else old.read(desk.bench.head(), file)
    base = desk.bench.head()
    desk.bench.commit({file: there + b"# and back\n"})
    desk.bench.commit({file: None if before is None else there})
    assert desk.bench.head() != base
    said = desk.refused(desk.signed(text))
    assert said == (
        f"the statement does not approve what {PROPOSAL} is now:"
        f" its base is {base}, not {desk.bench.head()}"
    )


def test_a_signature_over_other_bytes_is_refused(desk: Desk) -> None:
    text = desk.write()
    other = sign(desk.bench.signer("manager"), APPROVAL, text + b" ")
    with pytest.raises(BadSignature, match="does not fit the signed content"):
        desk.take(Signed(text, other, "statement.sig"))
    with pytest.raises(BadSignature, match="is for 'git', not for 'ordain-approval'"):
        desk.take(desk.signed(text, purpose=GIT))
    assert desk.valid() == []


def test_a_statement_that_was_edited_is_refused_whoever_signs_it(desk: Desk) -> None:
    fields = json.loads(desk.write())
    as_cto = canonical_json(fields | {"person": "cto"})
    assert "its person is cto, not manager" in desk.refused(desk.signed(as_cto))
    of_another = canonical_json(fields | {"estate": "0" * 40})
    assert f"its estate is {'0' * 40}, not " in desk.refused(desk.signed(of_another))
    fewer = canonical_json(fields | {"paths": []})
    assert "its files are not those of the change" in desk.refused(desk.signed(fewer))
    spaced = json.dumps(fields, indent=1).encode()
    assert "the statement is not canonical JSON" in desk.refused(desk.signed(spaced))
    assert "the statement is not JSON" in desk.refused(desk.signed(b"yes"))
    later = canonical_json(fields | {"time": "2027-01-01T00:00:00Z"})
    assert "dated in the future" in desk.refused(desk.signed(later))


def test_a_role_cannot_be_claimed_in_a_statement(desk: Desk) -> None:
    fields = json.loads(desk.write())
    as_cto = canonical_json(fields | {"role": "cto"})
    assert desk.refused(desk.signed(as_cto)).startswith("manager does not hold the role cto")
    text = desk.write()
    said = desk.refused(desk.signed(text), Reviewer("manager", role="cto"))
    assert said.endswith("it is given as manager, not as cto")


def test_another_persons_key_signs_nothing(desk: Desk) -> None:
    signed = desk.signed(desk.write(), key="cto")
    assert desk.refused(signed) == ("statement.sig is not a key of manager: it is the key of cto")
    stranger = replace(signed, place="elsewhere.sig")
    assert desk.refused(stranger).startswith("elsewhere.sig is not a key of manager")


def test_who_has_no_say_gets_no_statement(desk: Desk) -> None:
    with pytest.raises(ProposalRefused, match="data-scientist has no role that approves"):
        desk.write(Reviewer("data-scientist"))
