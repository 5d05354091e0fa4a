"""Findings made readable: the way rustc shows what is wrong.

    error[SPEC104]: unknown field `teir`
      --> specs/models/credit.yaml:12:3
       |
    12 |   teir: 1
       |   ^^^^
       = help: did you mean `tier`?

A finding carries no formatted line; everything here is made from the tree that was checked. Colour
only where it is asked for, because a log is read by grep. Nothing that stands in a file can move
the cursor or hide a line: control characters are shown, not sent.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

from ordain.specs.errors import OrdainError
from ordain.specs.findings import Finding, Location, Severity
from ordain.specs.secrets import masked
from ordain.specs.trees import is_document_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_COLOURS: Final = {"error": "1;31", "warning": "1;33", "note": "1;36", "frame": "1;34", "bold": "1"}
_TAB: Final = "    "
_WIDEST: Final = 160
_AROUND: Final = 40
_CUT: Final = "…"
_HIDDEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    r"\ud800-\udfff]"
)


class Sources:
    """The lines of the files that findings point into, read once each; passwords are masked."""

    def __init__(self, tree: Mapping[str, bytes]) -> None:
        self._tree = tree
        self._lines: dict[str, list[str]] = {}

    def line(self, place: Location) -> str | None:
        """The line of a place, without its end; None where the file cannot be shown."""
        if place.line < 1:
            return None
        if place.path not in self._lines:
            self._lines[place.path] = self._read(place.path)
        lines = self._lines[place.path]
        return lines[place.line - 1] if place.line <= len(lines) else None

    def _read(self, path: str) -> list[str]:
        # A file that could not be read is itself the finding; it has no line to show.
        try:
            data = self._tree[path]
        except (KeyError, OSError, OrdainError):
            return []
        text = masked(data.decode("utf-8", "replace").removeprefix("\ufeff"))
        return re.split(r"\r\n|\n|\r", text)


class _Painter:
    def __init__(self, *, colour: bool) -> None:
        self._colour = colour

    def __call__(self, text: str, colour: str) -> str:
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if self._colour and text else text


def render_text(
    findings: Sequence[Finding],
    tree: Mapping[str, bytes],
    *,
    colour: bool,
    waived: Sequence[tuple[Finding, str]] = (),
) -> str:
    """Every finding with its source line, in the order given, and one line that sums up.

    `waived` are the findings that are accepted, each with a word on why; they are listed in one
    line each. The last line has no line break, so that it can be printed or joined.
    """
    sources, paint = Sources(tree), _Painter(colour=colour)
    blocks = [_block(finding, sources, paint) + "\n" for finding in findings]
    accepted = [_accepted(finding, why, paint) for finding, why in waived]
    files = sum(is_document_path(path) for path in tree)
    return "".join([*blocks, *accepted, summary_line(findings, files, len(waived))])


def waiver_words(waiver: str, expires: str, approved_by: str, reason: str) -> str:
    """A waiver in one line: its name, its last day, who answers for it, and why."""
    return f"{waiver} until {expires}, by {approved_by}: {reason}"


def _accepted(finding: Finding, why: str, paint: _Painter) -> str:
    place = "" if finding.location is None else f"{one_line(str(finding.location))}: "
    return (
        f"{paint(f'waived[{finding.code}]', 'note')}: {place}{one_line(finding.message)}\n"
        f"  {paint('=', 'frame')} {paint('note', 'bold')}: {one_line(why)}\n\n"
    )


def summary_line(findings: Iterable[Finding], files: int, waived: int = 0) -> str:
    """One line that says it all: `2 errors, 1 warning in 14 files, 1 waived`."""
    said = count_words(counts(findings)) or "no findings"
    more = f", {waived:,} waived" if waived else ""
    return f"{said} in {plural(files, 'file')}{more}"


def plural(count: int, word: str) -> str:
    """`1 error`, `2,000 errors`."""
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"


def count_words(counted: Mapping[str, int]) -> str:
    """`2 errors, 1 warning`; empty where there is nothing."""
    return ", ".join(plural(number, word) for word, number in counted.items() if number)


def counts(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings there are of each weight, by its name."""
    found = {severity.value: 0 for severity in Severity}
    for finding in findings:
        found[finding.severity.value] += 1
    return found


def _block(finding: Finding, sources: Sources, paint: _Painter) -> str:
    severity = finding.severity.value
    head = paint(f"{severity}[{finding.code}]", severity)
    lines = [f"{head}: {paint(one_line(finding.message), 'bold')}"]
    places = (finding.location, *(where for where, _ in finding.related))
    width = max((len(str(place.line)) for place in places if place is not None), default=1)
    gutter = " " * width
    if finding.location is not None:
        lines += _excerpt(finding.location, "", sources, paint, gutter, severity)
    for place, label in finding.related:
        lines += _excerpt(place, one_line(label), sources, paint, gutter, "frame")
    notes = [("note", text) for text in finding.evidence]
    if finding.controls:
        notes.append(("controls", ", ".join(finding.controls)))
    if finding.remedy:
        notes.append(("help", finding.remedy))
    mark = paint("=", "frame")
    lines += [f"{gutter} {mark} {paint(kind, 'bold')}: {one_line(text)}" for kind, text in notes]
    return "\n".join(lines) + "\n"


def _excerpt(
    place: Location, label: str, sources: Sources, paint: _Painter, gutter: str, colour: str
) -> list[str]:
    """A place with its line, underlined."""
    bar = paint("|", "frame")
    arrow = paint("-->" if not label else ":::", "frame")
    head = f"{gutter}{arrow} {one_line(str(place))}"
    line = sources.line(place)
    if line is None:
        return [f"{head} {label}".rstrip()]
    text, before, caret = _underline(line, place)
    number = paint(str(place.line).rjust(len(gutter)), "frame")
    under = paint(("^" if not label else "-") * caret, colour)
    note = f" {label}" if label else ""
    return [
        head,
        f"{gutter} {bar}",
        f"{number} {bar} {text}".rstrip(),
        f"{gutter} {bar} {' ' * before}{under}{note}",
    ]


def _underline(line: str, place: Location) -> tuple[str, int, int]:
    """The line as it is shown, the cells before the place, and the cells of the place.

    Of a line that is too long to be read, only what surrounds the place is shown.
    """
    start, end = place.column - 1, place.column - 1 + place.length
    first = 0 if end <= _WIDEST else max(0, start - _AROUND)
    left = _CUT if first else ""
    right = _CUT if len(line) > first + _WIDEST else ""
    end = min(end, first + _WIDEST)
    before = left + shown(line[first:start])
    inside = shown(line[start:end])
    text = before + inside + shown(line[end : first + _WIDEST]) + right
    return text.replace("\t", _TAB), _cells(before), max(1, _cells(inside))


def _cells(text: str) -> int:
    """How many cells of a terminal a text takes (UAX 11: wide characters take two)."""
    if text.isascii():
        return len(text.replace("\t", _TAB))
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    marks = sum(unicodedata.combining(letter) > 0 for letter in text)
    return len(text.replace("\t", _TAB)) + wide - marks


def shown(text: str) -> str:
    """A text without anything that a terminal would obey or hide; tabs stay."""
    return _HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def cut(text: str, longest: int) -> str:
    """A text of at most so many code points; where it was longer, the last one says so."""
    return text if len(text) <= longest else f"{text[: longest - 1]}{_CUT}"


def cut_apart(one: str, other: str, longest: int) -> tuple[str, str]:
    """Two texts of at most so many code points each, cut so that what differs can be seen.

    What both begin with is left out but for a few words, and so is what stands too far behind.
    """
    # Before anything is cut: a password is known by the address around it.
    one, other = masked(one), masked(other)
    if max(len(one), len(other)) <= longest:
        return one, other
    pairs = enumerate(zip(one, other, strict=False))
    differ = next((at for at, pair in pairs if pair[0] != pair[1]), min(len(one), len(other)))
    # Half for what stands before it, so that it can be recognized, and half for what differs.
    start = differ - longest // 2
    if differ < longest * 2 // 3:
        return cut(one, longest), cut(other, longest)
    # A word is not cut in two where one begins close by.
    blank = one.find(" ", start, differ)
    start = blank + 1 if blank >= 0 else start
    return cut(_CUT + one[start:], longest), cut(_CUT + other[start:], longest)


def one_line(text: str) -> str:
    """A message that cannot pretend to be two findings."""
    return shown(text).replace("\n", "\\u000a")
