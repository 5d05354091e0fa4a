"""Reason codes: which inputs make up a reason, and the sentence that an applicant reads.

    reasons:
      - {code: R01, text: Income too low for the amount, features: [income, debt_ratio]}
      - code: R02
        text: Too few years with the present employer
        features: [tenure]
        direction: low
        missing: The time with the present employer was not given

Attributions of correlated inputs trade places from one background to the next, while the sum over a
family of them is steady, so a reason is a family and not an input. Every input that the model
scores belongs to exactly one reason: an input without one could decide a case and never be named.

`direction` says on which side of the usual a value speaks against somebody, as the text does: a
sentence that calls a value too low is wrong where the value is high. A validation looks whether
reasons keep to it (`examining`). A text about a value is also wrong where none was given, so that
`missing` is what is told instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from ordain.runtime.reasons.errors import ReasonCodesError
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ordain.specs.findings import Location

Direction = Literal["high", "low", "either"]
_KEYS: Final = {"code", "text", "features"}
_MAY: Final = {"direction", "missing"}
_SHAPE: Final = "write `reasons:` as a list of {code: R01, text: …, features: [name, …]}"


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One reason and the inputs that it speaks for.

    `missing` is told instead of `text` where the input that contributed most was not given.
    """

    code: str
    text: str
    features: tuple[str, ...]
    direction: Direction = "either"
    missing: str = ""


@dataclass(frozen=True, slots=True)
class ReasonCodes:
    """All reasons of one model."""

    codes: tuple[ReasonCode, ...]

    @classmethod
    def plain(cls, inputs: Iterable[str]) -> ReasonCodes:
        """Every input a reason of its own, named as it is; for a model without reason codes."""
        return cls(tuple(ReasonCode(name, name, (name,)) for name in inputs))

    def check(self, inputs: Iterable[str]) -> None:
        """Every input of the model must have exactly one reason, and no reason any other input.

        Raises:
            ReasonCodesError: naming the inputs.
        """
        wanted = set(inputs)
        mapped = {feature for code in self.codes for feature in code.features}
        if missing := sorted(wanted - mapped):
            message = f"no reason code speaks for {', '.join(missing)}"
            raise ReasonCodesError(message, remedy="add each of them to the features of a reason")
        if unknown := sorted(mapped - wanted):
            message = f"the model has no input {', '.join(unknown)}"
            raise ReasonCodesError(message, remedy="remove it from the reason codes")


def read_reason_codes(data: bytes, path: str) -> ReasonCodes:
    """The reason codes in a file of the estate.

    Raises:
        ReasonCodesError: at the place that is wrong.
    """
    parsed = parse(data, path)
    if parsed.findings:
        first = parsed.findings[0]
        raise ReasonCodesError(first.message, remedy=first.remedy, location=first.location)
    if len(parsed.nodes) != 1:
        message = f"{path} holds {len(parsed.nodes)} documents, not one"
        raise ReasonCodesError(message, remedy=_SHAPE)
    node = parsed.nodes[0]
    value = node.value
    if not isinstance(value, dict) or set(value) != {"reasons"}:
        raise _wrong("reason codes have one key, `reasons`", node.marks.value())
    if not isinstance(value["reasons"], list) or not value["reasons"]:
        raise _wrong("`reasons` is a list of at least one reason", node.marks.value("reasons"))
    codes = tuple(
        _read(item, node.marks.value("reasons", index))
        for index, item in enumerate(value["reasons"])
    )
    seen: set[str] = set()
    for index, code in enumerate(codes):
        where = node.marks.value("reasons", index)
        for what in (f"reason code {code.code}", *(f"feature {name}" for name in code.features)):
            if what in seen:
                raise _wrong(f"{what} is listed twice", where)
            seen.add(what)
    return ReasonCodes(codes)


def _read(item: Any, where: Location) -> ReasonCode:  # noqa: ANN401 - any YAML value
    if not isinstance(item, dict) or not set(item) >= _KEYS or set(item) - _KEYS - _MAY:
        message = (
            "a reason has the keys code, text and features, and may have direction and missing"
        )
        raise _wrong(message, where)
    code, text, features = item["code"], item["text"], item["features"]
    if not _is_text(code) or not _is_text(text):
        raise _wrong("code and text of a reason are text that is not empty", where)
    if not isinstance(features, list) or not features or not all(map(_is_text, features)):
        raise _wrong(f"the features of {code} are a list of at least one name", where)
    direction, missing = item.get("direction", "either"), item.get("missing", "")
    if direction not in get_args(Direction):
        raise _wrong(f"the direction of {code} is high, low or either", where)
    if "missing" in item and not _is_text(missing):
        raise _wrong(f"`missing` of {code} is text that is not empty", where)
    return ReasonCode(code, text, tuple(features), direction, missing)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _wrong(message: str, where: Location) -> ReasonCodesError:
    return ReasonCodesError(message, remedy=_SHAPE, location=where)
