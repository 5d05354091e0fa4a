"""Whom a commit names contributes; what it says of its author excuses nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.claims import Names, borrowed_names, claimed
from ordain.reconciler.errors import ProposalRefused
from ordain.reconciler.gating import judge_commit, read_side
from ordain.reconciler.history import contributors_to_model
from ordain.specs.estates import load_estate
from ordain.vcs.git import Repository
from ordain.vcs.objects import Commit, Identity
from tests.reconciler.conftest import MODEL, MODEL_FILE

if TYPE_CHECKING:
    from tests.reconciler.conftest import Bench

ORGANIZATION = """\
apiVersion: ordain.dev/v1
kind: Organization
metadata: {name: bank}
spec:
  people:
    - name: manager
      roles: [manager]
      team: lending
      emails: [M.Anager@Example.org]
      accounts: [{forge: github, login: Lender, id: 7}, {forge: gitlab, login: lend, id: 8}]
    - {name: validator, roles: [validator], team: validation, emails: [v@example.org]}
  reconciler: {keys: [{public: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI%s}]}
""" % ("A" * 43)


@pytest.fixture(scope="module")
def names() -> Names:
    return Names(load_estate({"specs/organization.yaml": ORGANIZATION.encode()}), None)


def commit(
    author: str = "somebody <s@example.org>",
    committer: str = "somebody <s@example.org>",
    message: str = "A change",
) -> Commit:
    who = [
        Identity(name.strip(), address.rstrip(">"))
        for name, _, address in (one.partition("<") for one in (author, committer))
    ]
    time = datetime(2026, 11, 20, tzinfo=UTC)
    return Commit("a" * 40, "b" * 40, (), who[0], who[1], time, message, None, b"")


@pytest.mark.parametrize(
    ("one", "people"),
    [
        (commit(), set()),
        (commit(author="manager <x@y>"), {"manager"}),
        (commit(author="Manager <x@y>"), set()),
        (commit(author="M. <m.anager@example.ORG>"), {"manager"}),
        (commit(committer="M. <m.anager@example.org>"), {"manager"}),
        (commit(author="manager <v@example.org>"), {"manager", "validator"}),
        (commit(author="<v@example.org> <x@y>"), set()),
        (commit(author="x <7+lender@users.noreply.github.com>"), {"manager"}),
        (commit(author="x <LENDER@users.noreply.github.com>"), {"manager"}),
        (commit(author="x <9+lender@users.noreply.github.com>"), set()),
        (commit(author="x <8-lend@users.noreply.gitlab.com>"), {"manager"}),
        (commit(message="A\n\nCo-authored-by: x <v@example.org>\n"), {"validator"}),
        (commit(message="A\n\nco-AUTHORED-by:validator<>\n"), {"validator"}),
        (
            commit(message="A\n\nCo-authored-by: validator <x@y>\r\nCo-authored-by: manager <x@y>"),
            {"manager", "validator"},
        ),
        (commit(message="A\n\nthanks to Co-authored-by: validator <x@y>"), set()),
    ],
)
def test_a_commit_names(names: Names, one: Commit, people: set[str]) -> None:
    assert claimed([commit(), one], names) == people


def test_a_signer_commits_in_no_other_name(names: Names) -> None:
    found = borrowed_names(
        [commit("manager <m@x>"), commit("manager <m@x>"), commit("x <v@example.org>"), commit()],
        ["manager", None, "reconciler", "manager"],
        names,
    )
    assert [one.message for one in found] == [
        f"commit {'a' * 12} names validator as its author; reconciler signed it"
    ]


# In a real history


def together(bench: Bench, message: str, branch: str = "refs/heads/main") -> str:
    """A change of the model's seed with this message, signed and written by the data scientist."""
    files = bench.edited(MODEL_FILE, "  threads: 1", "  threads: 2")
    with Repository.open(bench.estate) as repository:
        old = repository.resolve("refs/heads/main")
        tree = repository.write_tree(old, files)
        who = Identity("data-scientist", "data-scientist@example.org")
        signer = bench.signer("data-scientist")
        made = repository.write_commit(tree, (old,), message, who, bench.now, signer)
        before = repository.refs(branch).get(branch)
        repository.update_ref(branch, made, before)
    return made


def test_who_is_named_as_co_author_cannot_approve_the_promotion(bench: Bench) -> None:
    together(bench, "Two threads\n\nCo-authored-by: manager <m@example.org>\n")
    source = bench.source()
    head = source.head()
    estate = read_side(source, head).estate
    assert contributors_to_model(source.repository, estate, MODEL, head) == {
        "data-scientist",
        "manager",
    }
    proposal = bench.propose()
    with pytest.raises(ProposalRefused, match="manager contributed to what"):
        bench.approve(proposal)


def test_a_co_author_of_an_intention_contributed_to_it(bench: Bench) -> None:
    source = bench.source()
    root = source.head()
    head = together(bench, "Two threads\n\nCo-authored-by: cto <c@example.org>\n")
    judged = judge_commit(source, read_side(source, root), read_side(source, head), bench.now)
    assert judged.facts.contributors == {"data-scientist", "cto"}
    assert not judged.blocked


def listed(bench: Bench, **accounts: str) -> str:
    """A commit in which these people have these accounts."""
    text = bench.text("specs/organization.yaml")
    for person, account in accounts.items():
        text = text.replace(
            f"    - name: {person}\n", f"    - name: {person}\n      accounts: [{account}]\n"
        )
    return bench.commit({"specs/organization.yaml": text.encode()})


@pytest.mark.parametrize("steps", [1, 2])
def test_an_account_does_not_change_hands(bench: Bench, steps: int) -> None:
    plain = bench.text("specs/organization.yaml").encode()
    history = [listed(bench, manager="{forge: github, login: lender, id: 7}")]
    history.append(bench.commit({"specs/organization.yaml": plain}))
    # In two steps it was taken off the list before.
    base = history[steps - 1]
    head = listed(bench, cto="{forge: github, login: renamed, id: 7}")
    source = bench.source()
    judged = judge_commit(source, read_side(source, base), read_side(source, head), bench.now)
    assert [one.message for one in judged.findings if one.code == "GATE005"] == [
        "an account of manager is to become one of cto"
    ]


def test_an_account_that_is_renamed_stays_whose_it_is(bench: Bench) -> None:
    plain = bench.text("specs/organization.yaml").encode()
    base = listed(bench, manager="{forge: github, login: lender, id: 7}")
    bench.commit({"specs/organization.yaml": plain})
    head = listed(bench, manager="{forge: github, login: renamed, id: 7}")
    source = bench.source()
    judged = judge_commit(source, read_side(source, base), read_side(source, head), bench.now)
    assert [one.code for one in judged.findings if one.code.startswith("GATE")] == []
