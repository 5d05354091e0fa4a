"""What a schema refuses, said in the words of the language.

The validator knows everything that is wrong with a document at once, in the words of Python.
Here each of its errors becomes one finding with a stable code, at the key or the value that is to
blame. The members of a union that all refused a value are one problem, not five.
"""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, Final

from ordain.specs.findings import Finding, Severity
from ordain.specs.secrets import masked
from ordain.specs.shapes import choices_at, names_at, shapes
from ordain.specs.spelling import did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from ordain.specs.documents import Marks, Step
    from ordain.specs.findings import Location

Path = tuple["Step", ...]
Writer = Any

_TYPES: Final = {
    "bool_type": "true or false",
    "int_type": "an integer",
    "float_type": "a number",
    "string_type": "text",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "none_required": "empty",
}
_LIMITS: Final = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_SIZES: Final = {
    "too_short": ("min_length", "at least"),
    "too_long": ("max_length", "at most"),
    "string_too_short": ("min_length", "at least"),
    "string_too_long": ("max_length", "at most"),
}
_CHECKED: Final = "SPEC"
# So many mistakes of one document are told; behind them is another cause.
_MOST: Final = 100
# What a pattern wants; the patterns of the shared types are described where they are declared.
PATTERNS: Final = {
    r"^/v1/[a-z0-9][a-z0-9/_-]*$": "a path below /v1/ such as /v1/credit",
    r"^(ssh-|ecdsa-|sk-)": "a public SSH key line such as `ssh-ed25519 AAAA...`",
    r"^[a-zA-Z_][a-zA-Z0-9_]*$": "a CEL identifier: letters, digits and underscores",
    r"^([1-9]|[1-5][0-9]|60)s$": "a number of seconds from 1s to 60s",
    r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$": "the name of an entry point such as reason-codes",
    r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$": "the name of a package such as bank-rules",
    r"^[0-9A-Za-z][0-9A-Za-z.!+_-]*$": "the version of a package such as 1.4.2",
    r"^[A-Za-z0-9][A-Za-z0-9_.@+-]*$": "the name of an account: letters, digits and . _ @ + -",
}


def pattern_words(pattern: str) -> str:
    """What a pattern asks for, in words."""
    from ordain.specs.kinds import fields

    for name in ("Name", "Digest", "Duration", "Percent", "Date", "Instant", "EstatePath"):
        about: fields.About = getattr(fields, name).__metadata__[0]
        if about.constraints.get("pattern") == pattern:
            return about.description
    return PATTERNS.get(pattern, f"text that matches {pattern}")


class Translator:
    """Findings for the errors of one document; `root` is the path of what was validated."""

    def __init__(self, cls: Any, value: Any, marks: Marks, root: Path) -> None:  # noqa: ANN401
        self._cls = cls
        self._value = value
        self._marks = marks
        self._root = root

    def findings(self, errors: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
        """One finding per place and problem."""
        placed = [(self._path(error), error) for error in errors if not _follows(error)]
        # Where an item of a list is wrong, the other members of the union that refused the list as
        # a whole have nothing to say.
        deeper = {path[:length] for path, _ in placed for length in range(len(path))}
        placed = [
            (path, error)
            for path, error in placed
            if error["type"] not in _TYPES or path not in deeper
        ]
        grouped = groupby(placed, key=lambda pair: (pair[0], pair[1]["type"] in _TYPES))
        shown = islice(grouped, _MOST)
        found = [self._finding(path, [error for _, error in group]) for (path, _), group in shown]
        if rest := sum(1 for _ in grouped):
            found.append(self._many(rest))
        return tuple(found)

    def _many(self, rest: int) -> Finding:
        message = f"{rest:,} more places of this document are wrong"
        place = self._marks.key(*self._root)
        return Finding("SPEC024", Severity.ERROR, message, place, remedy="mend those above first")

    def _path(self, error: Mapping[str, Any]) -> Path:
        """The error's path without the steps that name members of a union."""
        value, path, steps = self._value, [], error["loc"]
        for last, step in enumerate(steps, 1 - len(steps)):
            holds = step in value if isinstance(value, dict) else _item(value, step)
            if holds:
                value = value[step]
            elif last or error["type"] != "missing":
                continue
            path.append(step)
        return tuple(path)

    def _finding(self, path: Path, errors: list[Mapping[str, Any]]) -> Finding:
        error = errors[0]
        kind = error["type"]
        if kind in _TYPES:
            return self._wrong_type(path, errors)
        for kinds, write in self._writers:
            if kind in kinds:
                finding: Finding = write(path, error)
                return finding
        if kind.startswith(_CHECKED):
            return self._checked(path, error)
        problem = str(error.get("ctx", {}).get("error", error["msg"]))
        return self._at_value("SPEC107", problem, path, remedy=self._means(path))

    @property
    def _writers(self) -> tuple[tuple[Collection[str], Writer], ...]:
        return (
            (("missing",), self._missing),
            (("unexpected_keyword_argument",), self._unknown),
            (("literal_error",), self._not_a_choice),
            (("string_pattern_mismatch",), self._malformed),
            (_LIMITS, self._limit),
            (_SIZES, self._size),
        )

    def _malformed(self, path: Path, error: Mapping[str, Any]) -> Finding:
        wanted = pattern_words(error["ctx"]["pattern"])
        message = f"{_name(path)} cannot be `{_short(error['input'])}`"
        return self._at_value("SPEC106", message, path, remedy=f"write {wanted}")

    def _checked(self, path: Path, error: Mapping[str, Any]) -> Finding:
        """The error of a check of ours, which brings its own code and words."""
        context = error["ctx"]
        message = f"{_name(path)}: `{_short(error['input'])}` {context['problem']}"
        return self._at_value(error["type"], message, path, remedy=context["remedy"])

    def _limit(self, path: Path, error: Mapping[str, Any]) -> Finding:
        limit, words = _LIMITS[error["type"]]
        message = f"{_name(path)} is {error['input']}; it must be {words} {error['ctx'][limit]}"
        return self._at_value("SPEC105", message, path, remedy=self._means(path))

    def _missing(self, path: Path, _: Mapping[str, Any]) -> Finding:
        *parent, field = path
        if isinstance(field, int):
            message = f"{_name(tuple(parent))} has {field} items; more are needed"
            return self._at_value("SPEC105", message, tuple(parent), remedy=self._means(path[:-1]))
        shape = names_at(self._cls, tuple(parent)).get(field)
        where = f" in {_name(tuple(parent))}" if parent else ""
        about = f" ({shape.description})" if shape else ""
        return Finding(
            "SPEC101",
            Severity.ERROR,
            f"the field `{field}` is missing{where}",
            self._marks.key(*self._root, *parent),
            remedy=f"add `{field}:`{about}",
        )

    def _unknown(self, path: Path, _: Mapping[str, Any]) -> Finding:
        known = names_at(self._cls, path[:-1])
        field = str(path[-1])
        remedy = did_you_mean(field, known) or f"known here: {listed(known, 'and')}"
        message = f"unknown field `{field}`"
        return Finding(
            "SPEC104", Severity.ERROR, message, self._key(path), self._elsewhere(field), remedy
        )

    def _elsewhere(self, field: str) -> tuple[str, ...]:
        """Evidence that the field exists one level deeper, where it was probably meant to be."""
        for outer in shapes(self._cls):
            inner = names_at(self._cls, (outer,)).get(field)
            if inner is not None:
                return (f"`{field}` is a field of `{outer}`: {inner.description}",)
        return ()

    def _not_a_choice(self, path: Path, error: Mapping[str, Any]) -> Finding:
        choices = choices_at(self._cls, path)
        given = error["input"]
        message = f"{_name(path)} cannot be `{_short(given)}`"
        remedy = did_you_mean(given, choices) if isinstance(given, str) else ""
        allowed = (f"allowed: {', '.join(choices)}",)
        remedy = remedy or f"write {listed(choices)}"
        return self._at_value("SPEC103", message, path, evidence=allowed, remedy=remedy)

    def _wrong_type(self, path: Path, errors: list[Mapping[str, Any]]) -> Finding:
        wanted = list(dict.fromkeys(_TYPES.get(error["type"], "") for error in errors))
        if "a number" in wanted and "an integer" in wanted:
            wanted.remove("an integer")
        expected = " or ".join(filter(None, [", ".join(wanted[:-1]), wanted[-1]]))
        given = errors[0]["input"]
        message = f"{_name(path)} must be {expected}, not {_kind_of(given)}"
        return self._at_value("SPEC102", message, path, remedy=_mend(path, given, wanted))

    def _size(self, path: Path, error: Mapping[str, Any]) -> Finding:
        limit, words = _SIZES[error["type"]]
        unit = "characters" if isinstance(error["input"], str) else "items"
        found = len(error["input"])
        message = f"{_name(path)} has {found} {unit}; it needs {words} {error['ctx'][limit]}"
        return self._at_value("SPEC105", message, path, remedy=self._means(path))

    def _means(self, path: Path) -> str:
        """What the field is for, as the remedy of a value that cannot be right."""
        while path and not isinstance(path[-1], str):
            path = path[:-1]
        shape = names_at(self._cls, path[:-1]).get(str(path[-1])) if path else None
        return f"`{shape.name}`: {shape.description}" if shape else ""

    def _key(self, path: Path) -> Location:
        return self._marks.key(*self._root, *path)

    def _at_value(
        self, code: str, message: str, path: Path, *, evidence: tuple[str, ...] = (), remedy: str
    ) -> Finding:
        place = self._marks.value(*self._root, *path)
        return Finding(code, Severity.ERROR, message, place, evidence, remedy)


def _follows(error: Mapping[str, Any]) -> bool:
    """Whether the error only follows from others: a list too short because its items were bad."""
    if error["type"] not in _SIZES or isinstance(error["input"], str):
        return False
    return bool(len(error["input"]) != error["ctx"].get("actual_length"))


def _item(value: Any, step: Step) -> bool:  # noqa: ANN401 - any YAML value
    return isinstance(value, list) and isinstance(step, int) and step < len(value)


def _name(path: Path) -> str:
    """How a message calls a place: its last key, with the items below it counted from 1."""
    items = ""
    for step in reversed(path):
        if isinstance(step, str):
            return f"`{step}`{items}"
        items = f", item {step + 1}{items}"
    return f"`spec`{items}"


def _short(value: Any) -> str:  # noqa: ANN401 - any YAML value
    # Masked before it is cut: a password without its `@` looks like any text.
    text = masked(str(value))
    return text if len(text) <= 60 else text[:57] + "..."  # noqa: PLR2004 - half a line


def _kind_of(value: Any) -> str:  # noqa: ANN401 - any YAML value
    """A YAML value by the name of its type, with the value where it is short."""
    match value:
        case None:
            return "empty"
        case bool():
            return "true" if value else "false"
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case str():
            return f"the text `{_short(value)}`"
        case _:
            return f"the number {_short(value)}"


def _mend(path: Path, value: Any, wanted: list[str]) -> str:  # noqa: ANN401 - any YAML value
    """The one thing that is most often wrong with such a value."""
    if "split" in path and isinstance(value, int | float) and not isinstance(value, bool):
        return f"write a share: {value * 100 if value <= 1 else value:g}%"
    if value is None:
        return "give it a value; a field that is left out has its default, if there is one"
    if wanted == ["text"] and not isinstance(value, dict | list):
        return "put it into quotes"
    if wanted == ["a list"] and not isinstance(value, dict):
        return f"write it as a list: [{_short(value)}]"
    if isinstance(value, str) and wanted in (["true or false"], ["a number"], ["an integer"]):
        return "write it without quotes; true and false are the only truth values"
    return f"write {' or '.join(wanted)}"
