"""Every code that the gate can give has a page."""

from __future__ import annotations

import re
from pathlib import Path

import ordain.policies
from ordain.policies.codes import CODES

ROOM = Path(ordain.policies.__file__).parent
CODE = re.compile(r'"((?:POL|CHG|DAT|PRO|VAL|WVR|OWN|EMG|LINT|TEST)\d{3}|(?:ACC|SOD)-[A-Z]+)"')


def test_every_code_in_the_room_is_explained_and_no_other() -> None:
    used = {
        code
        for path in ROOM.rglob("*.py")
        if path.name != "codes.py"
        for code in CODE.findall(path.read_text())
    }
    assert used == set(CODES)
