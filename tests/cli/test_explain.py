"""`ordain explain` knows codes, fields, packs, and the policies of the estate around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from places import Place


def test_a_pack_is_explained_outside_of_any_estate(founded: Place) -> None:
    page = founded.ordain("explain", "supply-chain", at=founded.root).stdout
    assert page.startswith("supply-chain 1.0.0: 11 policies\n")
    assert "    POL-plain-formats.data: the data is in a format that can hold code\n" in page
    assert page.endswith("Next: ordain explain CODE\n")


def test_a_rule_of_a_pack_is_explained(founded: Place) -> None:
    page = founded.ordain("explain", "POL-signed-commits", at=founded.root).stdout
    assert page.startswith("POL-signed-commits: a commit of this change is not signed")
    assert "\nControls: SC-SIGN, SC-PROV, HR-SOD\n" in page


def test_a_policy_of_the_estate_is_explained_inside_of_it(founded: Place) -> None:
    page = founded.ordain("explain", "POL-psi-limit-not-loosened").stdout
    assert page.startswith("POL-psi-limit-not-loosened: the breach limit of PSI is above 0.25\n")
    assert "\nPolicy: policies/house-rules.yaml:5:9\n" in page
    done = founded.ordain("explain", "POL-psi-limit-not-loosened", at=founded.root, expect=2)
    assert "[SPEC003]: there is neither a code nor a kind `POL-psi-limit-not-loosened`" in (
        done.stderr
    )


def test_a_policy_whose_name_is_no_code_lists_its_codes(founded: Place) -> None:
    page = founded.ordain("explain", "pol-environment-locked").stdout
    assert page.startswith("environment-locked (Estate; it blocks)\n")


def test_a_misspelt_pack_gets_a_hint(founded: Place) -> None:
    done = founded.ordain("explain", "basline", expect=2)
    assert "did you mean `baseline`?" in done.stderr


def test_a_version_that_does_not_ship_is_refused(founded: Place) -> None:
    done = founded.ordain("explain", "baseline@9.0.0", expect=2)
    assert "[POL003]: there is no version 9.0.0 of baseline" in done.stderr
    assert "name one of: 1.1.0, 1.0.0" in done.stderr
