"""Errors of the gate.

    PolicyError              the gate could not do its work
    ├── ExpressionError      a CEL expression that does not compile
    ├── PackError            a pack of policies that ordain does not ship, or not in this version
    ├── PackageError         a Python rule that is not installed as its policy names it
    ├── NoAnswerError        a Python rule that was asked and gave no answer
    ├── RecordDamaged        a record of a verdict that is not as it was written
    └── NoTestsError         there are no tests of policies where they were looked for

What a policy finds is no error but a `Finding`; an expression that fails to compile becomes one at
its place in the file.
"""

from __future__ import annotations

from typing import Literal

from ordain.specs.errors import OrdainError


class PolicyError(OrdainError):
    """The gate could not do its work."""

    code = "POL000"


class ExpressionError(PolicyError):
    """A CEL expression that does not compile; line and column count from 1 inside it."""

    code = "POL001"

    def __init__(self, message: str, *, line: int = 1, column: int = 1) -> None:
        super().__init__(message, remedy="mend the expression")
        self.line = line
        self.column = column


class PackError(PolicyError):
    """A pack of policies that ordain does not ship, or not in this version.

    `field` is the field of a PolicySet's entry that names what does not exist.
    """

    code = "POL003"

    def __init__(
        self, message: str, *, remedy: str = "", field: Literal["name", "version"] = "name"
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field


class PackageError(PolicyError):
    """A Python rule that is not installed as its policy names it.

    `field` is the field of the policy's `python` that names what is not there.
    """

    code = "POL010"

    def __init__(
        self,
        message: str,
        *,
        remedy: str,
        field: Literal["rule", "package", "version", "digest"] = "package",
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.field = field


class NoAnswerError(PolicyError):
    """A Python rule that was asked and gave no answer."""

    code = "POL002"


class RecordDamaged(PolicyError):
    """A record of a verdict that is not as it was written.

    Nothing in it is believed; the commit can be judged again from git.
    """

    code = "VDT001"


class NoTestsError(PolicyError):
    """There are no tests of policies where they were looked for.

    A test run that runs nothing is not green.
    """

    code = "TEST005"
