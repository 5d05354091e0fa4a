"""A result replaces no document, and nothing of git."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from places import Place

TAKEN = {
    "check -o sarif=ordain.yaml": "ordain.yaml belongs to the estate; name another file",
    "check -o json=environment.lock": "environment.lock belongs to the estate; name another file",
    "check -o json=specs/../specs/organization.yaml": (
        "specs/../specs/organization.yaml belongs to the estate; name another file"
    ),
    "check -o text -o json=.git/HEAD": ".git/HEAD belongs to git; name another file",
    "plan --out specs/organization.yaml": (
        "specs/organization.yaml belongs to the estate; name another file"
    ),
    "plan --out .git/index": ".git/index belongs to git; name another file",
    "report credit-default --out policies/house-rules.yaml": (
        "policies/house-rules.yaml belongs to the estate; name another file"
    ),
    "report credit-default --out .git/new": ".git/new belongs to git; name another file",
    "check -o json=specs/out.yaml": (
        "specs/out.yaml would be read as a document of the estate; name a file outside of specs/"
    ),
    "check -o json=policies/new.test.yaml": (
        "policies/new.test.yaml would be read as a document of the estate;"
        " name a file outside of policies/"
    ),
    "plan --out compliance/plan.yml": (
        "compliance/plan.yml would be read as a document of the estate;"
        " name a file outside of compliance/"
    ),
}


@pytest.mark.parametrize(("command", "message"), TAKEN.items(), ids=TAKEN)
def test_what_people_wrote_is_not_the_place_of_a_result(
    founded: Place, command: str, message: str
) -> None:
    head = (founded.estate / ".git/HEAD").read_bytes()
    done = founded.ordain(*command.split(), expect=2)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == f"Error: {message}"
    assert (founded.estate / ".git/HEAD").read_bytes() == head
    assert founded.git("status", "--porcelain") == ""


def test_a_link_is_no_way_around(place: Place) -> None:
    (place.root / "in").symlink_to(place.estate / "ordain.yaml")
    place.ordain("check", "-o", f"json={place.root / 'in'}", expect=2)
    (place.root / "target").touch()
    (place.estate / "specs/out.yaml").symlink_to(place.root / "target")
    place.ordain("plan", "--out", "specs/out.yaml", expect=2)
    assert (place.root / "target").read_bytes() == b""


def test_documents_of_another_estate_and_a_bare_repository_are_refused_too(place: Place) -> None:
    place.git("clone", "-q", "--bare", ".", "../bare")
    (place.root / "other").mkdir()
    (place.root / "other/ordain.yaml").touch()
    for file in ("bare/HEAD", "bare/hooks/new", "other/ordain.yaml", "other/specs/new.yaml"):
        done = place.ordain("check", "-o", f"json=../{file}", expect=2)
        assert f"Error: ../{file} " in done.stderr


@pytest.mark.parametrize("file", ["report.yaml", "specs/report.json", "data/new.yaml"])
def test_what_is_not_read_as_a_document_may_be_written_twice(place: Place, file: str) -> None:
    for _ in range(2):
        place.ordain("check", "-o", f"openreports={file}")
        place.ordain("check")
