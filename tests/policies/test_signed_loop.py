"""The gate over real commits, real signatures and a real merge base."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from ordain.policies.changes import describe
from ordain.policies.gate import judge
from ordain.policies.requirements import QUORUM
from ordain.specs.estates import load_estate
from ordain.vcs.approvals import read_approvals, write_approval
from ordain.vcs.changes import change_between
from ordain.vcs.git import Repository
from ordain.vcs.keys import Actor, AllowedKey, generate_key, parse_signer
from ordain.vcs.objects import Identity
from ordain.vcs.signatures import commit_signer

if TYPE_CHECKING:
    from pathlib import Path

    from tests.policies.conftest import Workshop


def actor(person: str) -> Actor:
    pem, _ = generate_key(person)
    return Actor(person, Identity(person, f"{person}@example.org"), parse_signer(pem, person))


def test_a_signed_promotion_with_signed_approvals_passes_and_one_more_byte_voids_it(
    workshop: Workshop, tmp_path: Path
) -> None:
    people = {name: actor(name) for name in (*QUORUM[1], "data-scientist", "reconciler")}
    allowed = [AllowedKey(one.person, one.signer.public.line) for one in people.values()]
    case = workshop.promotion()

    def commit(files: dict[str, bytes], by: str, *parents: str) -> str:
        tree = repository.write_tree(None, files)
        who = people[by]
        time = workshop.now - timedelta(hours=1)
        return repository.write_commit(tree, parents, "change", who.who, time, who.signer)

    def verdict(head: str) -> tuple[bool, list[str]]:
        change = change_between(repository, base, head)
        tree = {path: repository.read(head, path) for path in repository.tree(head)}
        before = {path: repository.read(base, path) for path in repository.tree(base)}
        found = read_approvals(
            repository, change.digest, estate=base, allowed=allowed, now=workshop.now
        )
        signer = commit_signer(repository.commit(head), allowed, workshop.now).person
        facts = describe(
            load_estate(before),
            load_estate(tree),
            change,
            contributors=("data-scientist",),
            signers=(signer,),
        )
        judgement = judge(
            load_estate(before),
            load_estate(tree),
            facts,
            found.valid,
            workshop.now,
            tree=tree,
            enforce_intentions=True,
        )
        return judgement.blocked, [one.code for one in judgement.findings]

    with Repository.init(tmp_path / "estate") as repository:
        base = commit(case.before.tree, "data-scientist")
        head = commit(case.after.tree, "reconciler", base)
        assert verdict(head) == (True, ["SOD-QUORUM"])
        change = change_between(repository, base, head)
        for person in QUORUM[1]:
            ref, approval = write_approval(
                repository,
                change,
                actor=people[person],
                role=person,
                time=workshop.now,
                estate=base,
            )
            repository.update_ref(ref, approval, None)
        assert verdict(head) == (False, [])
        forged = commit(case.after.tree, "data-scientist", base)
        assert verdict(forged) == (True, ["PRO004"])
        touched = {**case.after.tree, "specs/deployment/credit.yaml": b"# hello\n"}
        touched["specs/deployment/credit.yaml"] += case.after.tree["specs/deployment/credit.yaml"]
        assert verdict(commit(touched, "reconciler", base)) == (True, ["SOD-QUORUM"])
