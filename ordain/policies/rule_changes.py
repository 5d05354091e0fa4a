"""Changes of rules that are already in force.

Whether one expression asks for less than another cannot be decided, so every change of a Policy or
a PolicySet counts as a loosening, a stricter enforcement too. What only speaks to people does not:
messages, remedies, the rationale and the names of controls. The name of a validation does, because
it is in the code of its findings, and a waiver is found by that code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.specs.canonical import canonical_json, same
from ordain.specs.diagnostics import cut_apart
from ordain.specs.plain import to_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.policies.gate_limits import Pair
    from ordain.specs.kinds.policy import Policy
    from ordain.specs.kinds.policy_set import PolicySet
    from ordain.specs.paths import Path

_WORDS: Final = frozenset(("message", "messageExpression", "remedy", "controls"))
_ABSENT: Final = object()
_LONGEST: Final = 80


def policy_changes(old: Policy, new: Policy) -> Iterator[Pair]:
    """Every place at which two policies differ in more than what they say to people."""
    yield from _differences(_acting(old), _acting(new), ())


def policy_set_changes(old: PolicySet, new: PolicySet) -> Iterator[Pair]:
    """Every place at which two sets of packs differ."""
    yield from _differences(to_plain(old), to_plain(new), ())


def _acting(spec: Policy) -> dict[str, Any]:
    """The spec without its words, and with its enforcement where that is the default."""
    plain: dict[str, Any] = to_plain(spec)
    plain.pop("rationale", None)
    plain["enforcement"] = spec.enforcement
    for field in ("validations", "transitions"):
        if field in plain:
            plain[field] = [_wordless(one) for one in plain[field]]
    if "python" in plain:
        plain["python"] = _wordless(plain["python"])
    return plain


def _wordless(rule: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in rule.items() if name not in _WORDS}


def _differences(old: Any, new: Any, path: Path) -> Iterator[Pair]:  # noqa: ANN401 - JSON values
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(old.get(name, _ABSENT), new.get(name, _ABSENT), (*path, name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(before, after, (*path, index))
    else:
        yield path, *_texts(old, new)


def _texts(old: Any, new: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON values
    """Both values in a line each, in which whoever approves can see what differs."""
    before, after = (" ".join(_text(value).split()) for value in (old, new))
    if before == after:
        # They differ in blanks, which mean something inside of a quoted text.
        before, after = (canonical_json(value).decode() for value in (old, new))
    return cut_apart(before, after, _LONGEST)


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if value is _ABSENT:
        return "its default"
    return value if isinstance(value, str) else canonical_json(value).decode()
