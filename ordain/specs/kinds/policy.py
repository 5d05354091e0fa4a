"""A rule of the gate, written in CEL and shaped like a Kubernetes ValidatingAdmissionPolicy."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Bool, Digest, Name, about


@declared
class Match:
    """Which objects the rule looks at."""

    kinds: Annotated[tuple[str, ...], about("kinds; empty means every kind")] = ()
    when: Annotated[str, about("CEL condition; the rule is silent where it is false")] = ""


@declared
class MatchCondition:
    """A further condition, with a name."""

    name: Annotated[Name, about("name")]
    expression: Annotated[str, about("CEL condition")]


@declared
class Variable:
    """A named expression that validations can use as variables.NAME."""

    name: Annotated[str, about("name", pattern=r"^[a-zA-Z_][a-zA-Z0-9_]*$")]
    expression: Annotated[str, about("CEL expression")]


@declared
class PolicyValidation:
    """One thing that must be true."""

    expression: Annotated[str, about("CEL expression; anything but true is not a pass")]
    message: Annotated[str, about("what is wrong when it is not true")]
    message_expression: Annotated[str, about("CEL expression that gives a better message")] = ""
    name: Annotated[Name | None, about("name; its position otherwise")] = None
    severity: Annotated[
        Literal["error", "warning", "note"] | None,
        about("weight; the policy's enforcement decides otherwise"),
    ] = None
    remedy: Annotated[str, about("how to mend it")] = ""
    controls: Annotated[tuple[str, ...], about("ids of the control catalogue")] = ()


@declared
class PythonRule:
    """A function of an installed package, for what CEL cannot say; not portable to the cluster."""

    rule: Annotated[
        str,
        about(
            "name of the rule, as the package registers it under the entry points `ordain.rules`",
            pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
            max_length=100,
        ),
    ]
    package: Annotated[
        str,
        about(
            "package that brings the rule",
            pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$",
            max_length=100,
        ),
    ]
    version: Annotated[
        str,
        about(
            "version of the package; with another one installed the rule cannot be asked",
            pattern=r"^[0-9A-Za-z][0-9A-Za-z.!+_-]*$",
            max_length=100,
        ),
    ]
    digest: Annotated[Digest | None, about("digest of the package's files; any if absent")] = None
    reads: Annotated[
        tuple[
            Literal[
                "object",
                "oldObject",
                "model",
                "compliance",
                "evidence",
                "linked",
                "facts",
                "estate",
                "change",
                "approvals",
            ],
            ...,
        ],
        about("values that the rule is given beside `params` and `now`", min_length=1),
    ] = ("object",)
    timeout: Annotated[
        str,
        about(
            "time for all objects of one check, from 1s to 60s",
            pattern=r"^([1-9]|[1-5][0-9]|60)s$",
        ),
    ] = "10s"
    severity: Annotated[
        Literal["error", "warning", "note"] | None,
        about("weight; the policy's enforcement decides otherwise"),
    ] = None
    remedy: Annotated[str, about("how to mend what the rule finds")] = ""
    controls: Annotated[tuple[str, ...], about("ids of the control catalogue")] = ()


@declared
class Policy:
    """A rule of the gate: validations in CEL, or one rule in Python."""

    validations: Annotated[
        tuple[PolicyValidation, ...], about("what must be true", min_length=1)
    ] = ()
    transitions: Annotated[
        tuple[PolicyValidation, ...],
        about("what must be true of a change from oldObject, in the base of the change, to object"),
    ] = ()
    python: Annotated[
        PythonRule | None, about("a rule of an installed package, in the place of validations")
    ] = None
    match: Annotated[Match, about("which objects the rule looks at")] = Match()
    match_conditions: Annotated[tuple[MatchCondition, ...], about("further conditions")] = ()
    params: Annotated[
        dict[str, Any],
        about("values that expressions see as params"),
    ] = field(default_factory=dict)
    variables: Annotated[tuple[Variable, ...], about("named expressions")] = ()
    enforcement: Annotated[
        Literal["block", "review", "advise"],
        about("what a violation does"),
    ] = "block"
    waivable: Annotated[
        Bool, about("whether a Waiver may accept what the rule finds for a time")
    ] = True
    rationale: Annotated[str, about("why the rule exists", change="metadata")] = ""

    def __post_init__(self) -> None:
        """Refuse a policy that says nothing, and one that says it twice."""
        if bool(self.validations or self.transitions) == (self.python is not None):
            message = "a policy has validations, transitions or both, or else python"
            raise ValueError(message)
        if self.python is not None and self.variables:
            message = "variables are for validations; a Python rule cannot see them"
            raise ValueError(message)
