"""What every code means, and what every field is for: the pages behind `ordain explain`.

A code is stable for ever: it stands in waivers, in CI logs and in old reports. Each room registers
the codes of its own findings; those of the language are in `codes`. Fields are explained by the
descriptions that stand beside them in the kinds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, is_dataclass
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, Literal, get_args, get_origin

from ordain.specs.diagnostics import cut
from ordain.specs.errors import OrdainError
from ordain.specs.kinds import API_VERSION, kind_names, kind_type
from ordain.specs.plain import to_plain
from ordain.specs.problems import pattern_words
from ordain.specs.shapes import UNSET, Shape, alternatives, shapes
from ordain.specs.spelling import did_you_mean, listed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ordain.specs.kinds.fields import About


class UnknownTopicError(OrdainError):
    """Neither a code nor a field has this name."""

    code = "SPEC003"


@dataclass(frozen=True, slots=True)
class Explanation:
    """One code: what it says, why it is so, an example that has it, and how to mend it.

    `sections` are what else there is to say, as (heading, text); a text that ends in a newline is a
    block.
    """

    title: str
    why: str
    example: str
    remedy: str
    sections: tuple[tuple[str, str], ...] = ()


_REGISTERED: Final[dict[str, Explanation]] = {}
_ENVELOPE: Final = {
    "apiVersion": f"the version of the language: `{API_VERSION}`",
    "kind": "what the document declares; `ordain explain KIND` says what stands in its spec",
    "metadata": "the name of the document (`name`), and what people and tools note about it",
    "metadata.name": "its name, once for each kind: small letters, digits and hyphens",
    "metadata.labels": "texts by key, by which policies may tell documents apart",
    "metadata.annotations": "texts by key, for tools",
}
# Items as findings write them: `validations[0]`.
_INDEX: Final = re.compile(r"\[[^\[\]]*\]")
_LONGEST: Final = 80
# The kinds whose material fields are part of a model's recipe.
_TRAINS: Final = ("Dataset", "Model")
_WORDS: Final[dict[Any, str]] = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "true or false",
    Any: "anything",
}


def register(codes: Mapping[str, Explanation]) -> None:
    """Add the codes of a room; adding the same page again changes nothing.

    Raises:
        ValueError: when a code already means something else.
    """
    for code, page in codes.items():
        if _REGISTERED.setdefault(code, page) != page:
            raise ValueError(f"the code {code} has two explanations")


def explanations() -> dict[str, Explanation]:
    """Every code that has been registered, and those of the language, sorted."""
    from ordain.specs.codes import CODES

    register(CODES)
    return dict(sorted(_REGISTERED.items()))


def explain(topic: str, others: Iterable[str] = ()) -> str:
    """The page of a code (`SPEC104`), of a kind (`Model`) or of a field (`Model.spec.tier`).

    A field may be written as findings write it, with the numbers of items and the keys of entries.
    The beginning of several codes (`SPEC`) gives their list.

    `others` are topics that somebody else explains, for a hint to whoever misspells them.

    Raises:
        UnknownTopicError: when there is no such code, kind or field.
    """
    named, *steps = _INDEX.sub("", topic).split(".")
    kinds = {name.casefold(): name for name in kind_names()}
    kind = kinds.get(named.casefold())
    if kind is not None and ".".join(steps) in _ENVELOPE:
        return f"{kind}.{'.'.join(steps)}: {_ENVELOPE['.'.join(steps)]}\n"
    if kind is not None:
        return explain_field(kind, steps[1:] if steps[:1] == ["spec"] else steps)
    pages = explanations()
    code = next((code for code in pages if code.casefold() == topic.casefold()), None)
    if code is not None:
        return _page(code, pages[code])
    begun = [code for code in pages if code.casefold().startswith(topic.casefold())]
    if len(begun) > 1:
        return "\n".join(f"{code}: {pages[code].title}" for code in begun) + "\n"
    shown = cut(topic, _LONGEST)
    known = (*pages, *kind_names(), *others)
    beginnings = sorted({code.rstrip("0123456789").partition("-")[0] for code in pages})
    remedy = f"kinds: {', '.join(kind_names())}; beginnings of codes: {', '.join(beginnings)}"
    raise UnknownTopicError(
        f"there is neither a code nor a kind `{shown}`",
        remedy=did_you_mean(shown, known) or remedy,
    )


def _page(code: str, page: Explanation) -> str:
    example = f"Example:\n\n{_indented(page.example)}\n\n" if page.example else ""
    head = f"{code}: {page.title}\n\n{page.why}\n\n{example}Remedy: {page.remedy}\n"
    return head + "".join(f"\n{_section(name, text)}" for name, text in page.sections)


def _section(name: str, text: str) -> str:
    return f"{name}:\n\n{_indented(text)}\n" if text.endswith("\n") else f"{name}: {text}\n"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" if line else "" for line in text.splitlines())


def explain_field(kind: str, steps: list[str]) -> str:
    """The page of a kind (no steps), or of a field below its `spec`.

    Items of lists and entries of mappings are passed through: `acceptance.metrics.min`.

    Raises:
        UnknownTopicError: when the kind has no such field.
    """
    hint: Any = kind_type(kind)
    shape: Shape | None = None
    name = f"{kind}.spec"
    for at, step in enumerate(steps):
        fields = fields_of(hint)
        if step.isdecimal() or _is_key(step, hint, steps[at + 1 :]):
            continue
        if step not in fields:
            message = f"{name} has no field `{cut(step, _LONGEST)}`"
            remedy = did_you_mean(step, fields) or f"known here: {listed(fields, 'and')}"
            raise UnknownTopicError(message, remedy=remedy if fields else "this is a plain value")
        shape, name = fields[step], f"{name}.{step}"
        hint = shape.type
    head = [f"{name}: {shape.description}"] if shape else [f"{kind}: {doc_of(hint)}"]
    if shape is not None:
        head += ["", *_facts(shape, trains=kind in _TRAINS)]
    rows = [f"  {field.name:<18} {field.description}" for field in fields_of(hint).values()]
    return "\n".join([*head, *(["", "Fields:", "", *rows] if rows else [])]) + "\n"


def _is_key(step: str, hint: Any, rest: list[str]) -> bool:  # noqa: ANN401 - a type expression
    """Whether a step names an entry of a mapping, which `rest` goes on into."""
    mapping = any(get_origin(member) is dict for member in alternatives(hint))
    fields = fields_of(hint)
    return mapping and step not in fields and bool(rest) and rest[0] in fields


def _facts(shape: Shape, *, trains: bool) -> list[str]:
    facts = [f"type: {type_words(shape.type)}"]
    limits = constraint_words(shape.type)
    if limits:
        facts.append(f"limits: {limits}")
    facts.append(f"default: {default_words(shape)}")
    effect = "a new version is trained" if shape.change == "material" else "nothing is trained"
    if trains:
        facts.append(f"change class: {shape.change}; when it changes, {effect}")
    return facts


def doc_of(hint: Any) -> str:  # noqa: ANN401 - a dataclass
    """The first sentence of a class."""
    return (hint.__doc__ or "").strip().partition("\n")[0]


def fields_of(hint: Any) -> dict[str, Shape]:  # noqa: ANN401 - a type expression
    """The fields of a type, of the items of a list, or of the entries of a mapping."""
    for member in alternatives(hint):
        if is_dataclass(member) and isinstance(member, type):
            return shapes(member)
        if get_origin(member) in (tuple, dict):
            return fields_of(get_args(member)[0 if get_origin(member) is tuple else 1])
    return {}


def default_words(shape: Shape) -> str:
    """A default as it would stand in YAML."""
    if shape.default is UNSET:
        return "none, the field is required"
    plain = to_plain(shape.default)
    if is_dataclass(shape.default):
        return "its own defaults" if not plain else str(plain)
    words = {None: "absent", True: "true", False: "false", "": "empty"}
    if isinstance(plain, list | dict):
        return "empty" if not plain else ", ".join(str(item) for item in plain)
    return words[plain] if plain in (None, "") or isinstance(plain, bool) else str(plain)


def type_words(hint: Any) -> str:  # noqa: ANN401 - a type expression
    """A type in words: `list of text`, `one of a, b`."""
    return " or ".join(_type_word(member) for member in alternatives(hint))


def _type_word(member: Any) -> str:  # noqa: ANN401 - a type expression
    origin, inner = get_origin(member), get_args(member)
    if origin is Literal:
        return f"one of {', '.join(str(value) for value in inner)}"
    if origin is tuple:
        return f"list of {type_words(inner[0])}"
    if origin is dict:
        return f"mapping of {type_words(inner[1])}"
    return _WORDS.get(member, "mapping")


def constraint_words(hint: Any) -> str:  # noqa: ANN401 - a type expression
    """The limits of a type in words, outermost first."""
    words: list[str] = []
    names = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}
    for about in abouts(hint):
        if about.change is None:
            words.append(about.description)
        for limit, value in about.constraints.items():
            if limit in names:
                words.append(f"{names[limit]} {value}")
            elif limit == "pattern" and about.change is not None:
                words.append(pattern_words(str(value)))
            elif limit == "min_length":
                words.append("not empty" if value == 1 else f"at least {value} long")
    return ", ".join(dict.fromkeys(words))


def abouts(hint: Any) -> list[About]:  # noqa: ANN401 - a type expression
    """What is said about a type and its members, outermost first."""
    if hasattr(hint, "__metadata__"):
        return [*hint.__metadata__, *abouts(hint.__origin__)]
    if get_origin(hint) in (None, Literal, tuple, dict):
        return []
    return [found for part in get_args(hint) if part is not NoneType for found in abouts(part)]
