"""Code owners are printed, written and compared; the digest of a document is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from places import Place

OWNERS = ".github/CODEOWNERS"


@pytest.fixture
def hosted(place: Place) -> Place:
    """An estate on GitHub, where the manager has an account."""
    place.edit("ordain.yaml", "forge: {type: git,", "forge: {type: github,")
    place.edit(
        "specs/organization.yaml",
        "      team: lending\n",
        "      team: lending\n      accounts: [{forge: github, login: lender, id: 7}]\n",
    )
    return place


def test_the_file_is_printed_written_and_compared(hosted: Place) -> None:
    printed = hosted.ordain("codeowners")
    assert "* @lender\n" in printed.stdout
    assert printed.stderr == "Next: ordain codeowners --write\n"
    file = hosted.estate / OWNERS
    assert not file.exists()
    missing = hosted.ordain("codeowners", "--check", expect=1).stdout
    assert missing == f"{OWNERS} is missing\nNext: ordain codeowners --write\n"
    assert f"error[OWN001]: {OWNERS} is missing" in hosted.ordain("check", expect=1).stdout
    written = hosted.ordain("codeowners", "--write").stdout
    assert written == f"~ {OWNERS}\nNext: commit the change, then ordain check\n"
    assert file.read_text() == printed.stdout
    for option in ("--write", "--check"):
        assert hosted.ordain("codeowners", option).stdout == f"= {OWNERS}\nNext: ordain check\n"
    assert "OWN001" not in hosted.ordain("check", expect=None).stdout


def test_the_first_line_that_differs_is_shown(hosted: Place) -> None:
    hosted.ordain("codeowners", "--write")
    file = hosted.estate / OWNERS
    file.write_text(file.read_text().replace("/ordain.yaml", "/else.yaml").replace("* @l", "* @x"))
    shown = hosted.ordain("codeowners", "--check", expect=1).stdout.splitlines()
    assert shown[0] == f"{OWNERS} is not what the documents give"
    assert shown[1].endswith(" = '* @xender'")
    assert shown[2] == "  generated = '* @lender'"


def test_what_is_written_takes_two_words_to_be_wrong(hosted: Place) -> None:
    done = hosted.ordain("codeowners", "--write", "--check", expect=2)
    assert "choose --write or --check" in done.stderr


def test_owners_are_not_made_of_half_an_estate(hosted: Place) -> None:
    hosted.edit("specs/routes/credit.yaml", "kind: Route", "kind: Rout")
    done = hosted.ordain("codeowners", "--write", expect=2)
    assert "some documents cannot be read, and their owners would be left out" in done.stderr
    assert not (hosted.estate / OWNERS).exists()


def test_the_digest_of_a_document_is_that_of_what_it_declares(place: Place) -> None:
    before = place.ordain("digest", "Monitor/credit-default", "Route/credit").stdout.splitlines()
    assert [line.partition(" ")[0] for line in before[:2]] == [
        "Monitor/credit-default",
        "Route/credit",
    ]
    monitor = place.estate / "specs/monitors/credit-default.yaml"
    monitor.write_text(f"# a comment\n{monitor.read_text()}")
    assert place.ordain("digest", "Monitor/credit-default").stdout.splitlines()[0] == before[0]
    place.edit("specs/monitors/credit-default.yaml", "fail: 0.25", "fail: 0.2")
    assert place.ordain("digest", "Monitor/credit-default").stdout.splitlines()[0] != before[0]


def test_a_document_of_a_proposal_has_the_digest_that_it_will_have(place: Place) -> None:
    place.git("switch", "-qc", "proposal")
    place.edit("specs/monitors/credit-default.yaml", "fail: 0.25", "fail: 0.2")
    place.commit("Watch closer")
    proposed = place.ordain("digest", "Monitor/credit-default").stdout
    place.git("switch", "-q", "main")
    assert place.ordain("digest", "Monitor/credit-default").stdout != proposed
    there = place.ordain("digest", "Monitor/credit-default", "--rev", "proposal").stdout
    assert there == proposed


def test_a_document_that_is_not_there_has_no_digest(place: Place) -> None:
    done = place.ordain("digest", "Monitor/credit-defualt", expect=2)
    assert (
        "there is no document 'Monitor/credit-defualt' that can be read; "
        "did you mean Monitor/credit-default?"
    ) in done.stderr
