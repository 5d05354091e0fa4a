"""Every code that the gate can give has a page."""

from __future__ import annotations

import re
from pathlib import Path

import ordain.policies
from ordain.policies.codes import CODES, pack_pages
from ordain.specs.explanations import explanations, register

ROOM = Path(ordain.policies.__file__).parent
CODE = re.compile(r'"((?:POL|CHG|PRO|WVR|LINT|TEST)\d{3}|(?:ACC|SOD)-[A-Z]+)"')


def test_every_code_in_the_room_is_explained_and_no_other() -> None:
    used = {
        code
        for path in ROOM.rglob("*.py")
        if path.name != "codes.py"
        for code in CODE.findall(path.read_text())
    }
    assert used == set(CODES)


def test_every_validation_of_a_pack_has_a_page_with_its_example() -> None:
    pages = pack_pages()
    assert len(pages) > 15
    page = pages["POL-drift-limit.acceptance"]
    assert page.title == "the acceptance limit of drift is above the largest that is allowed"
    assert page.example == "Model/credit spec.acceptance.drift.psi.max = 0.4"
    assert "Controls: SR262-MON, CBUAE-9.5. Pack: baseline 1.0.0." in page.why
    assert all(one.example and one.remedy for one in pages.values())


def test_the_pages_go_beside_those_of_the_language() -> None:
    register(CODES)
    register(pack_pages())
    assert "POL002" in explanations()
