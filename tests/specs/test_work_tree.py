from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from ordain.specs.errors import SpecError
from ordain.specs.estates import load_estate
from ordain.specs.trees import _content, work_tree

if TYPE_CHECKING:
    from pathlib import Path


def write(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text of {name}")


def test_only_what_the_language_knows_is_listed(tmp_path: Path) -> None:
    write(
        tmp_path,
        "ordain.yaml",
        "environment.lock",
        "README.md",
        "data/applications.csv",
        "specs/a/b.yaml",
        "specs/a/b.txt",
        "evidence/1.json",
        "reasons/credit.yaml",
        ".git/config.yaml",
    )
    assert list(work_tree(tmp_path)) == [
        "environment.lock",
        "evidence/1.json",
        "ordain.yaml",
        "reasons/credit.yaml",
        "specs/a/b.yaml",
    ]


def test_files_are_read_when_they_are_asked_for(tmp_path: Path) -> None:
    write(tmp_path, "ordain.yaml", "specs/a.yaml")
    tree = work_tree(tmp_path)
    (tmp_path / "specs/a.yaml").write_text("changed")
    assert tree["specs/a.yaml"] == b"changed"
    assert "specs/b.yaml" not in tree
    with pytest.raises(KeyError):
        tree["data/x.csv"]


def test_a_link_that_leads_out_is_a_finding(tmp_path: Path) -> None:
    estate = tmp_path / "estate"
    write(tmp_path, "estate/ordain.yaml", "secret.yaml")
    (estate / "specs").mkdir()
    (estate / "specs/model.yaml").symlink_to(tmp_path / "secret.yaml")
    findings = load_estate(work_tree(estate)).findings
    assert [
        (finding.code, f"{finding.location}", finding.message, finding.remedy)
        for finding in findings
        if finding.code == "SPEC021"
    ] == [
        (
            "SPEC021",
            "specs/model.yaml",
            "the link leads out of the estate",
            "put the content of specs/model.yaml here",
        )
    ]


def test_a_link_inside_of_the_estate_is_read(tmp_path: Path) -> None:
    write(tmp_path, "ordain.yaml", "specs/a.yaml")
    (tmp_path / "specs/b.yaml").symlink_to("a.yaml")
    assert work_tree(tmp_path)["specs/b.yaml"] == b"text of specs/a.yaml"


def test_a_linked_directory_is_not_followed(tmp_path: Path) -> None:
    write(tmp_path, "ordain.yaml", "specs/a.yaml")
    (tmp_path / "specs/loop").symlink_to(tmp_path / "specs", target_is_directory=True)
    assert list(work_tree(tmp_path)) == ["ordain.yaml", "specs/a.yaml"]


def test_a_link_that_leads_nowhere_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, "ordain.yaml")
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/a.yaml").symlink_to("gone.yaml")
    findings = load_estate(work_tree(tmp_path)).findings
    assert "the file cannot be read: No such file or directory" in [
        finding.message for finding in findings
    ]


def test_a_directory_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        work_tree(tmp_path / "nowhere")
    assert caught.value.message == f"{tmp_path}/nowhere cannot be read: No such file or directory"
    assert caught.value.remedy == (
        "name the directory that holds `ordain.yaml`, and make it readable"
    )


def test_a_pipe_in_the_place_of_a_file_does_not_block(tmp_path: Path) -> None:
    write(tmp_path, "ordain.yaml")
    (tmp_path / "specs").mkdir()
    os.mkfifo(tmp_path / "specs/a.yaml")
    findings = load_estate(work_tree(tmp_path)).findings
    assert "SPEC020" in [finding.code for finding in findings]


def test_what_has_become_a_link_since_it_was_listed_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/model.yaml").write_text("a: 1\n")
    (tmp_path / "elsewhere").write_text("b: 2\n")
    tree = work_tree(tmp_path)
    (tmp_path / "specs/model.yaml").unlink()
    (tmp_path / "specs/model.yaml").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        _ = tree["specs/model.yaml"]


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")  # noqa: PTH110
def test_a_file_that_has_more_bytes_than_it_says_is_read_whole() -> None:
    handle = os.open("/proc/self/status", os.O_RDONLY)
    try:
        data = _content(handle)
    finally:
        os.close(handle)
    assert data.startswith(b"Name:")
    assert data.count(b"\n") > 20


def test_below_a_linked_directory_every_link_is_followed_to_its_end(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/model.yaml").write_text("a: 1\n")
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate/specs").symlink_to(tmp_path / "outside")
    with pytest.raises(SpecError, match="leads out of the estate"):
        _ = work_tree(tmp_path / "estate")["specs/model.yaml"]
