"""The vocabulary that every kind is written in.

Scalars are strict (`"3"` is no number, `1` is no truth value), because a gate that guesses what was
meant is a gate that can be talked round. `about` carries the description that becomes the editor's
hover text, and the change class of a field:

- *material*: it changes what is trained or served, so that a model version made before it is out of
  sync;
- *metadata*: it does not (owner, purpose, labels), so that editing it never retrains anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal, TypedDict, Unpack

from ordain.specs.kinds.checks import DAY_EXISTS, INSTANT_EXISTS

if TYPE_CHECKING:
    from ordain.specs.kinds.checks import Check

ChangeClass = Literal["material", "metadata"]


class Constraints(TypedDict, total=False):
    """What a value must be beyond its type; sizes count characters, items or entries."""

    pattern: str
    min_length: int
    max_length: int
    ge: float
    gt: float
    le: float
    lt: float


@dataclass(frozen=True, slots=True, eq=False)
class About:
    """What an annotation says about a field, or about every value of a type.

    Compared by identity, because the type expressions that hold it are hashed.
    """

    description: str
    constraints: Constraints
    change: ChangeClass | None = None
    alias: str | None = None
    check: Check | None = None


def about(
    description: str,
    *,
    change: ChangeClass = "material",
    alias: str | None = None,
    check: Check | None = None,
    **constraints: Unpack[Constraints],
) -> About:
    """Describe a field: hover text, change class, its YAML name where that is not the camel-cased
    attribute, constraints, and a check of what no constraint can say.
    """
    return About(description, constraints, change, alias, check)


def value(
    description: str, *, check: Check | None = None, **constraints: Unpack[Constraints]
) -> About:
    """Describe a type of value that several fields have."""
    return About(description, constraints, check=check)


Int = int
Float = float
Bool = bool
Scalar = bool | int | float | str

_NAME = r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"
Name = Annotated[str, value("lower-case letters, digits and hyphens", pattern=_NAME)]
Digest = Annotated[str, value("a SHA-256 digest", pattern=r"^sha256:[0-9a-f]{64}$")]
Duration = Annotated[
    str, value("a duration such as 15m or 30d", pattern=r"^[1-9][0-9]{0,8}(ms|s|m|h|d)$")
]
Percent = Annotated[str, value("a share such as 5%", pattern=r"^(100|[1-9]?[0-9])(\.[0-9]+)?%$")]
Date = Annotated[
    str,
    value(
        "a day such as 2026-11-20",
        pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]$",
        check=DAY_EXISTS,
    ),
]
Instant = Annotated[
    str,
    value(
        "an instant in UTC such as 2026-11-20T09:30:00Z",
        pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?Z$",
        check=INSTANT_EXISTS,
    ),
]
EstatePath = Annotated[
    str,
    value(
        "a path inside the estate, relative to its root",
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_. -]*(/[A-Za-z0-9_-][A-Za-z0-9_. -]*)*$",
    ),
]


def yaml_name(attribute: str) -> str:
    """The camel-cased name that an attribute has in YAML."""
    first, *rest = attribute.split("_")
    return first + "".join(word.capitalize() for word in rest)
