"""Texts of an estate inside of Markdown: shown as they are, and meaning nothing there.

Whoever opens a pull request writes what the comment below it quotes, and must not be able to draw
with it: no markup, picture, table or link, no mention that calls somebody, no command of the forge,
no verdict. Marks of Markdown are escaped; what a forge would link without a mark is parted by a
space of no width, because forges look for it after all escapes are read. Inside of `<code>` they
look for mail addresses alone, so nearly everything that is copied from there is what stands in the
file. Every comment takes these two functions: two ways to escape would have to be attacked twice.
"""

from __future__ import annotations

import re
from typing import Final

from ordain.specs.diagnostics import cut, one_line

_LONGEST: Final = 400
_MARKS = re.compile(r"[\\`*_\[\]|~$]")
# Where GitHub and GitLab make a link or a mention of plain text.
_LINKS = re.compile(
    r"(?<=[@#!&%~])(?=\w)|(?<=\w)(?=@)|(?<=:)(?=//)|(?<=www)(?=\.)|(?<=\bGH)(?=-\d)", re.IGNORECASE
)
_MAIL = re.compile(r"(?<=[^\s@])(?=@)")
_BREAK: Final = "\u200b"
_HTML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
# What may stay in code; not the colon and the dot of which links are made while Markdown is read.
_ACTIVE = re.compile(r"[^\w \-/=+,%.?;:\u200b]|_|:(?=/)|(?<=w)\.", re.IGNORECASE)


def plain(text: str) -> str:
    """A text that is only a text, on one line of at most 400 characters."""
    broken = _LINKS.sub(_BREAK, one_line(cut(text, _LONGEST)))
    return _MARKS.sub(r"\\\g<0>", broken).translate(_HTML)


def code(text: str) -> str:
    """A text in the letters of code, on one line of at most 400 characters; empty for a blank."""
    broken = _MAIL.sub(_BREAK, one_line(cut(text, _LONGEST)))
    safe = _ACTIVE.sub(lambda found: f"&#{ord(found[0])};", broken)
    return f"<code>{safe}</code>" if safe.strip() else ""
