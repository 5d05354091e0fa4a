"""A commit as files: what is there, and what is refused."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.gating import read_side
from ordain.reconciler.trees import CommitTree
from ordain.specs.findings import Finding, Location, Severity
from ordain.vcs.git import Repository
from ordain.vcs.objects import Identity

if TYPE_CHECKING:
    from tests.reconciler.conftest import Bench

GITLINK = "160000"
SYMLINK = "120000"


def with_entry(bench: Bench, mode: str, path: str) -> str:
    """A signed commit on main whose tree holds a link or a submodule."""
    with Repository.open(bench.estate) as repository:
        head = repository.resolve("main")
        target = head if mode == GITLINK else repository.write_blob(b"../../elsewhere.yaml")
        index = {"GIT_INDEX_FILE": str(bench.root / "index"), "PATH": "/usr/bin:/bin"}
        for command in (
            ["read-tree", head],
            ["update-index", "--add", "--cacheinfo", f"{mode},{target},{path}"],
        ):
            subprocess.run(["git", *command], cwd=bench.estate, env=index, check=True)
        written = subprocess.run(
            ["git", "write-tree"], cwd=bench.estate, env=index, check=True, capture_output=True
        )
        commit = repository.write_commit(
            written.stdout.decode().strip(),
            (head,),
            "A link",
            Identity("data-scientist", "data-scientist@example.org"),
            bench.now,
            bench.signer("data-scientist"),
        )
        repository.update_ref("refs/heads/main", commit, head)
    return commit


@pytest.mark.parametrize("mode", [SYMLINK, GITLINK])
@pytest.mark.parametrize(
    "path", ["specs/models/other.yaml", "policies/other.yaml", "specs/vendored"]
)
def test_a_link_or_submodule_among_the_documents_is_refused(
    bench: Bench, mode: str, path: str
) -> None:
    root = bench.head()
    bad = with_entry(bench, mode, path)
    source = bench.source()
    side = read_side(source, bad)
    assert path not in side.tree
    assert side.estate.findings == (
        Finding(
            "SPEC021",
            Severity.ERROR,
            f"{path} is a symbolic link or submodule, not a file",
            Location(path),
            remedy="commit the file itself",
        ),
    )
    gated = bench.gate(root)
    assert gated.good == root
    assert [one.code for one in gated.refused[0].findings] == ["SPEC021"]


@pytest.mark.parametrize("mode", [SYMLINK, GITLINK])
def test_a_link_in_the_place_of_the_estate_is_the_only_finding_about_it(
    bench: Bench, mode: str
) -> None:
    root = bench.head()
    bad = with_entry(bench, mode, "ordain.yaml")
    findings = read_side(bench.source(), bad).estate.findings
    assert [(one.code, str(one.location)) for one in findings] == [("SPEC021", "ordain.yaml")]
    gated = bench.gate(root)
    assert (gated.good, [one.revision for one in gated.refused]) == (root, [bad])


def test_a_link_elsewhere_is_no_file_and_refused_as_a_change(bench: Bench) -> None:
    root = bench.head()
    bad = with_entry(bench, SYMLINK, "data/more.csv")
    assert "data/more.csv" not in bench.source().tree(bad)
    gated = bench.gate(root)
    assert gated.good == root
    assert "CHG001" in {one.code for one in gated.refused[0].findings}


def test_a_link_on_the_checked_out_branch_does_not_keep_the_estate_from_being_opened(
    bench: Bench,
) -> None:
    bad = with_entry(bench, SYMLINK, "specs/models/other.yaml")
    with Repository.open(bench.estate) as repository:
        repository.update_ref("refs/heads/desk", bad, repository.resolve("refs/heads/desk"))
    assert bench.source().head() == bad


def test_a_tree_is_a_mapping_of_its_files(bench: Bench) -> None:
    source = bench.source()
    tree = CommitTree(source.repository, source.head())
    assert "ordain.yaml" in tree
    assert "absent.yaml" not in tree
    assert len(tree) == len(list(tree))
    assert tree["data/biopsies.csv"].startswith(b"mean_radius,")
    with pytest.raises(KeyError):
        tree["absent.yaml"]
