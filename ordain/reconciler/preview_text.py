"""A preview for a terminal, in the symbols that people know from terraform.

What stands in a document can move no cursor and hide no line, and a long value is cut: whoever
wants all of it asks for JSON. The line that sums up begins with `Plan:` and can be found by grep.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from ordain.reconciler.preview import change_class
from ordain.specs.diagnostics import cut, cut_apart, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.reconciler.preview import Need, ObjectChange, Preview
    from ordain.specs.differences import Difference

_COLOURS: Final = {"+": "32", "~": "33", "-": "31", "fail": "1;31", "warn": "1;33", "pass": "1;32"}
_LONGEST: Final = 90


def render_text(preview: Preview, *, colour: bool) -> str:
    """The preview, without a line break at its end."""
    lines = [*_head(preview), *_declared(preview, colour=colour), *_production(preview, colour)]
    lines += _validations(preview)
    lines += _loosened(preview)
    lines += _approvals(preview)
    lines += [_paint(_verdict(preview), preview.verdict.value, colour=colour)]
    return "\n".join([*lines, preview.summary])


def _verdict(preview: Preview) -> str:
    """The verdict with the first thing that blocks."""
    line, first = f"Verdict: {preview.verdict_line}", preview.first_error
    return line if first is None else f"{line}; first {first.code}: {value_of(first.message)}"


def value_of(value: Any, longest: int = _LONGEST) -> str:  # noqa: ANN401 - any declared value
    """A value as it would be written in YAML's flow style; a long one is cut."""
    return cut(_whole(value), longest)


def values_of(change: Difference, longest: int = _LONGEST) -> tuple[str, str]:
    """Both values of a field, cut so that what differs can be seen."""
    return cut_apart(_whole(change.before), _whole(change.after), longest)


def _whole(value: Any) -> str:  # noqa: ANN401 - any declared value
    if value is None:
        return "(not set)"
    bare = isinstance(value, str) and value and "\n" not in value
    return one_line(value if bare else json.dumps(value, ensure_ascii=False))


def _paint(text: str, colour_of: str, *, colour: bool) -> str:
    code = _COLOURS.get(colour_of)
    return f"\x1b[{code}m{text}\x1b[0m" if colour and code else text


def _head(preview: Preview) -> Iterator[str]:
    kind = preview.kind.value
    article = "an" if kind[0] in "aeiou" else "a"
    yield f"Merging {preview.head[:12]} into {preview.base[:12]} ({article} {kind}):"
    if not preview.complete:
        yield "  Documents with errors are left out, so this is not all that would change."
    yield ""


def _declared(preview: Preview, *, colour: bool) -> Iterator[str]:
    for one in preview.objects:
        head = f"  {one.symbol} {one.key}"
        yield f"{_paint(head, one.symbol, colour=colour)}  {one_line(str(one.location))}"
        yield from _fields(one)
    for symbol, path in preview.files:
        yield _paint(f"  {symbol} {one_line(path)}", symbol, colour=colour)
    if preview.objects or preview.files:
        yield ""


def _fields(change: ObjectChange) -> Iterator[str]:
    for one in change.fields:
        values = " -> ".join(values_of(one))
        yield f"      {one_line(one.field)}: {values}  ({change_class(one)})"


def _production(preview: Preview, colour: bool) -> Iterator[str]:  # noqa: FBT001 - as above
    if not preview.complete:
        return
    yield "In production:"
    for retrain in preview.retrains:
        reasons = one_line("; ".join(retrain.causes))
        yield _paint(f"  ~ {retrain.model} is trained: {reasons}", "~", colour=colour)
        yield from (f"      {kept}" for kept in retrain.keeps)
    for effect in preview.effects:
        text = one_line(f"  {effect.symbol} {effect.subject} {effect.text}")
        yield _paint(text, effect.symbol, colour=colour)
    if not preview.retrains and not preview.effects:
        yield "  nothing is trained, served or watched otherwise"
    yield ""


def _validations(preview: Preview) -> list[str]:
    """One line for each validation, and one for each group that is decided otherwise."""
    lines = []
    for one in preview.validations:
        lines.append(one_line(f"  {one.line}"))
        for _, who, rows, gain, lose, before, now, change, p, p_holm in one.shifts():
            chance = f"p {p}, over all groups {p_holm}" if p_holm else f"p {p}"
            told = f"{gain} gain and {lose} lose of {rows}, {before} -> {now}, {change} ({chance})"
            lines.append(one_line(f"      {who}: {told}"))
    return ["Validated:", *lines, ""] if lines else []


def _loosened(preview: Preview) -> list[str]:
    if not preview.loosened:
        return []
    lines = [one_line(f"  {one.subject}: {one.before} -> {one.after}") for one in preview.loosened]
    return ["Loosened limits:", *lines, ""]


def _approvals(preview: Preview) -> list[str]:
    lines = [one_line(f"  {need_of(one)}") for one in preview.needs]
    lines += [f"  given by {person} as {role}" for person, role in preview.approvals]
    lines += [
        one_line(f"  not counted: {one.approval.person}, because {one.reason}")
        for one in preview.refused
    ]
    return ["Approvals:", *lines, ""] if lines else []


def need_of(need: Need) -> str:
    """What is asked for, whether it is there, and who could give it."""
    if not need.missing:
        return f"met: {' and '.join(need.roles)}, because {need.reason}"
    empty = [f"{role} ({', '.join(people) or 'nobody can'})" for role, people in need.candidates]
    return f"missing: {' and '.join(empty)}, because {need.reason}"
