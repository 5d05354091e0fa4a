"""Who contributed to what a promotion pins: read from signatures, in every file it stood in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.reconciler.gating import judge_side, read_side
from ordain.reconciler.history import (
    commits_between,
    contributors_to_model,
    known,
    merged_by,
)
from ordain.reconciler.people import allowed_keys, organization_of
from ordain.specs.findings import Severity
from ordain.specs.people import UNKNOWN
from ordain.vcs.git import Repository
from ordain.vcs.keys import generate_key
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from tests.reconciler.conftest import Bench

MODEL_FILE = "specs/models/malignancy.yaml"
DATASET_FILE = "specs/datasets/biopsies.yaml"


def contributors(bench: Bench) -> frozenset[str]:
    source = bench.source()
    side = read_side(source, source.head())
    return contributors_to_model(source.repository, side.estate, "malignancy", side.revision)


def edit(bench: Bench, path: str, by: str | None) -> None:
    bench.commit({path: bench.text(path).encode() + b"# looked at\n"}, by=by)


def test_before_the_first_version_everyone_since_the_beginning_counts(bench: Bench) -> None:
    assert contributors(bench) == frozenset({"data-scientist"})
    edit(bench, MODEL_FILE, "cto")
    assert contributors(bench) == frozenset({"data-scientist", "cto"})


def test_after_a_promotion_only_who_came_later_counts(bench: Bench) -> None:
    bench.promote()
    assert contributors(bench) == frozenset()
    edit(bench, DATASET_FILE, "cto")
    assert contributors(bench) == frozenset({"cto"})


def test_who_changes_something_else_is_no_contributor(bench: Bench) -> None:
    bench.promote()
    edit(bench, "specs/routes/malignancy.yaml", "manager")
    assert contributors(bench) == frozenset()


def test_the_reasons_the_lock_and_the_data_are_pinned_too(bench: Bench) -> None:
    bench.promote()
    edit(bench, "reasons/malignancy.yaml", "data-scientist")
    edit(bench, "environment.lock", "manager")
    edit(bench, "data/biopsies.csv", "cto")
    assert contributors(bench) == frozenset({"data-scientist", "manager", "cto"})


def test_a_commit_that_nobody_known_signed_counts_as_unknown(bench: Bench) -> None:
    bench.promote()
    edit(bench, MODEL_FILE, None)
    assert contributors(bench) == frozenset({UNKNOWN})
    assert known(["manager", None]) == frozenset({"manager", UNKNOWN})


def test_what_the_branch_has_undone_has_no_unknown_maker(bench: Bench) -> None:
    bench.promote()
    was = bench.text(MODEL_FILE).encode()
    edit(bench, "reasons/malignancy.yaml", "manager")
    edit(bench, MODEL_FILE, None)
    edit(bench, DATASET_FILE, "cto")
    assert contributors(bench) == frozenset({UNKNOWN, "cto", "manager"})
    # Only a part of it is undone, then all.
    bench.commit({MODEL_FILE: was}, by="manager")
    assert UNKNOWN in contributors(bench)
    text = bench.text(DATASET_FILE).encode().removesuffix(b"# looked at\n")
    bench.commit({DATASET_FILE: text}, by="manager")
    assert contributors(bench) == frozenset({"cto", "manager"})
    # It is as if it had never been, and what comes after is not.
    edit(bench, MODEL_FILE, None)
    assert UNKNOWN in contributors(bench)


def test_the_root_is_trusted_by_its_id_and_what_comes_after_it_is_not(bench: Bench) -> None:
    source = bench.source()
    side = read_side(source, source.head())

    def founded_by_nobody(*more: dict[str, bytes]) -> frozenset[str]:
        who = Identity("stranger", "stranger@example.org")
        with Repository.open(bench.estate) as repository:
            tree = repository.commit(source.head()).tree
            head = repository.write_commit(tree, (), "The first one", who, bench.now)
            for files in more:
                tree = repository.write_tree(head, files)
                head = repository.write_commit(tree, (head,), "Another one", who, bench.now)
            return contributors_to_model(repository, side.estate, "malignancy", head)

    assert founded_by_nobody() == frozenset()
    changed = bench.text(MODEL_FILE).encode() + b"# looked at\n"
    assert founded_by_nobody({MODEL_FILE: changed}) == frozenset({UNKNOWN})


def test_a_promotion_of_what_somebody_unknown_has_shaped_is_refused(bench: Bench) -> None:
    edit(bench, MODEL_FILE, None)
    source = bench.source()
    proposal = bench.propose()
    bench.approve(proposal)
    base, side = read_side(source, source.head()), read_side(source, proposal.head)
    found = judge_side(
        source, base, side, commits=(proposal.head,), pushed=proposal.head, now=bench.now
    ).findings
    assert {(one.code, one.message) for one in found if one.severity is Severity.ERROR} == {
        (
            "SOD-UNKNOWN",
            f"{key} rests on work of an unknown signer, of whom nobody is independent",
        )
        for key in ("ModelVersion/malignancy-1", "Deployment/malignancy")
    }


def test_data_outside_the_repository_has_no_contributors_here(bench: Bench) -> None:
    bench.promote()
    outside = bench.edited(DATASET_FILE, "uri: data/biopsies.csv", "uri: /srv/biopsies.csv")
    bench.commit(outside, by="cto")
    assert contributors(bench) == frozenset({"cto"})


def test_who_edited_a_document_before_it_was_moved_still_counts(bench: Bench) -> None:
    bench.promote()
    edit(bench, MODEL_FILE, "manager")
    text = bench.text(MODEL_FILE).encode()
    bench.commit({MODEL_FILE: None, "specs/models/renamed.yaml": text}, by="data-scientist")
    assert contributors(bench) == frozenset({"manager", "data-scientist"})


def test_who_edited_the_lock_before_it_was_moved_still_counts(bench: Bench) -> None:
    bench.promote()
    edit(bench, "environment.lock", "manager")
    moved = bench.edited("ordain.yaml", "environment.lock", "locks/training.lock")
    lock = bench.text("environment.lock").encode()
    bench.commit({**moved, "environment.lock": None, "locks/training.lock": lock}, by="cto")
    assert contributors(bench) >= frozenset({"manager", "cto"})


def test_who_edited_the_data_before_it_was_moved_still_counts(bench: Bench) -> None:
    bench.promote()
    edit(bench, "data/biopsies.csv", "manager")
    moved = bench.edited(DATASET_FILE, "uri: data/biopsies.csv", "uri: data/moved.csv")
    data = bench.text("data/biopsies.csv").encode()
    bench.commit({**moved, "data/biopsies.csv": None, "data/moved.csv": data}, by="cto")
    assert contributors(bench) == frozenset({"manager", "cto"})


def test_who_edited_a_document_in_a_file_it_shared_still_counts(bench: Bench) -> None:
    bench.promote()
    model = bench.text(MODEL_FILE)
    shared = "specs/routes/malignancy.yaml"
    route = bench.text(shared)
    together = f"{route}---\n{model}"
    bench.commit({shared: together.encode(), MODEL_FILE: None}, by="cto")
    bench.commit({shared: together.replace("seed: 7", "seed: 8").encode()}, by="manager")
    alone = model.replace("seed: 7", "seed: 8").encode()
    bench.commit({shared: route.encode(), MODEL_FILE: alone}, by="data-scientist")
    assert contributors(bench) == frozenset({"cto", "manager", "data-scientist"})


def test_who_edited_it_under_a_name_that_yaml_hides_still_counts(bench: Bench) -> None:
    """Written with an escape, the name of the model stands nowhere in the file's bytes."""
    bench.promote()
    model = bench.text(MODEL_FILE)
    hidden = model.replace("name: malignancy", 'name: "\\x6Dalignancy"')
    assert hidden != model
    assert "malignancy\n" not in hidden.partition("spec:")[0]
    other = "specs/models/other.yaml"
    bench.commit({MODEL_FILE: None, other: hidden.encode()}, by="cto")
    bench.commit({other: hidden.replace("seed: 7", "seed: 8").encode()}, by="manager")
    bench.commit({other: None, MODEL_FILE: model.encode()}, by="data-scientist")
    assert contributors(bench) == frozenset({"cto", "manager", "data-scientist"})


def _new_key(bench: Bench, person: str, line: str) -> None:
    """Replace the key that the Organization lists for a person."""
    side = read_side(bench.source(), bench.head())
    keys = allowed_keys(organization_of(side.estate))
    old = next(key.public for key in keys if key.person == person)
    bench.commit(bench.edited("specs/organization.yaml", old, line))


def test_who_has_a_new_key_is_still_who_worked_with_the_old_one(bench: Bench) -> None:
    bench.promote()
    edit(bench, MODEL_FILE, "manager")
    _new_key(bench, "manager", generate_key("manager")[1])
    assert contributors(bench) == frozenset({"manager"})


def test_a_list_that_was_refused_names_nobody_else(bench: Bench) -> None:
    """Whoever can push could otherwise make anybody a contributor, and bar them from approving."""
    bench.promote()
    edit(bench, MODEL_FILE, "data-scientist")
    path = "specs/organization.yaml"
    keys = allowed_keys(organization_of(read_side(bench.source(), bench.head()).estate))
    theirs = next(key.public for key in keys if key.person == "data-scientist")
    manager = next(key.public for key in keys if key.person == "manager")
    before = bench.text(path).encode()
    bench.commit(bench.edited(path, manager, theirs), by=None)
    bench.commit({path: before})
    assert contributors(bench) == frozenset({"data-scientist"})


def test_commits_between_are_listed_oldest_first_and_once(bench: Bench) -> None:
    root = bench.head()
    first = bench.owner("histology")
    second = bench.owner("cytology")
    with Repository.open(bench.estate) as repository:
        assert commits_between(repository, root, second) == (first, second)
        assert commits_between(repository, None, second) == (root, first, second)
        assert commits_between(repository, second, second) == ()


def test_the_merge_that_brought_a_version_is_found(bench: Bench) -> None:
    root = bench.head()
    merged = bench.promote()
    bench.owner("histology")
    path = "specs/versions/malignancy/1.yaml"
    with Repository.open(bench.estate) as repository:
        assert merged_by(repository, repository.resolve("main"), path) == (root, merged)
        assert merged_by(repository, repository.resolve("main"), "absent.yaml") is None


def test_a_version_that_goes_and_comes_back_was_proposed_when_it_came_first(bench: Bench) -> None:
    """A merge with the root without the file once hid when that was, and so who contributed."""
    root = bench.head()
    bench.promote()
    edit(bench, MODEL_FILE, "manager")
    good = bench.head()
    (version,) = read_side(bench.source(), good).estate.all("ModelVersion")
    text = bench.text(version.path).encode()
    bench.commit({version.path: None}, by=None, parents=(good, root))
    bench.commit({version.path: text}, by=None)
    assert bench.gate(good).good == bench.head()
    assert contributors(bench) == frozenset({"manager"})


def test_what_was_merged_between_proposal_and_merge_came_later(bench: Bench) -> None:
    proposal = bench.propose()
    bench.approve(proposal)
    edit(bench, MODEL_FILE, "cto")
    bench.merge(proposal)
    assert contributors(bench) == frozenset({"cto"})


def test_who_merges_and_keeps_the_file_of_one_side_contributes(bench: Bench) -> None:
    """For git such a merge has changed nothing, as it is equal to one parent."""
    bench.promote()
    base = bench.head()
    old = bench.text(MODEL_FILE).encode()
    edit(bench, MODEL_FILE, "data-scientist")
    tip = bench.head()
    bench.commit({MODEL_FILE: old}, by="manager", parents=(tip, base))
    assert contributors(bench) == frozenset({"data-scientist", "manager"})


def test_who_merges_what_git_gives_contributes_nothing(bench: Bench) -> None:
    bench.promote()
    base = bench.head()
    side = bench.commit(
        {MODEL_FILE: bench.text(MODEL_FILE).encode() + b"# looked at\n"},
        branch="refs/heads/side",
        parents=(base,),
    )
    edit(bench, "README.md", "cto")
    with Repository.open(bench.estate) as repository:
        merged = {MODEL_FILE: repository.read(side, MODEL_FILE)}
    bench.commit(merged, by="manager", parents=(bench.head(), side))
    assert contributors(bench) == frozenset({"data-scientist"})
