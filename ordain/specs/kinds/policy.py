"""A rule of the gate, written in CEL and shaped like a Kubernetes ValidatingAdmissionPolicy."""

from __future__ import annotations

from dataclasses import field
from typing import Annotated, Any, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Name, about


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
class Policy:
    """A rule of the gate."""

    validations: Annotated[tuple[PolicyValidation, ...], about("what must be true")] = ()
    transitions: Annotated[
        tuple[PolicyValidation, ...],
        about("what must be true of a change from oldObject, in the base of the change, to object"),
    ] = ()
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
    rationale: Annotated[str, about("why the rule exists", change="metadata")] = ""
