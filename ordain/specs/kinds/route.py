"""One endpoint and the rules that choose a deployment for each request."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Int, Name, Scalar, about

Operator = Literal["eq", "ne", "lt", "le", "gt", "ge", "in", "exists"]


@declared
class Condition:
    """All, any, not, or one comparison of a request field."""

    all: Annotated[tuple[Condition, ...] | None, about("every one holds", min_length=1)] = None
    any: Annotated[tuple[Condition, ...] | None, about("at least one holds", min_length=1)] = None
    not_: Annotated[Condition | None, about("it does not hold", alias="not")] = None
    field: Annotated[
        str | None,
        about("request field; a missing field makes every comparison but exists false"),
    ] = None
    op: Annotated[Operator | None, about("comparison")] = None
    value: Annotated[
        Scalar | tuple[Scalar, ...] | None,
        about("what the field is compared with"),
    ] = None

    def __post_init__(self) -> None:
        """Refuse a condition that is none or several of its forms at once."""
        forms = [self.all, self.any, self.not_, self.field]
        if sum(form is not None for form in forms) != 1:
            message = "a condition is exactly one of all, any, not, or field with op and value"
            raise ValueError(message)
        if (self.field is None) != (self.op is None):
            message = "field and op go together"
            raise ValueError(message)
        if self.op == "in" and not isinstance(self.value, tuple):
            message = "op in takes a list"
            raise ValueError(message)
        if self.op not in (None, "in", "exists") and (
            self.value is None or isinstance(self.value, tuple)
        ):
            message = f"op {self.op} takes one value"
            raise ValueError(message)


@declared
class Share:
    """A deployment and its part of the traffic."""

    deployment: Annotated[Name, about("the Deployment")]
    weight: Annotated[Int, about("percent of the traffic", ge=0, le=100)] = 100


@declared
class Rule:
    """The first rule whose condition holds decides."""

    when: Annotated[Condition, about("condition on the request")]
    to: Annotated[tuple[Share, ...], about("deployments; weights sum to 100", min_length=1)]
    name: Annotated[
        Name | None,
        about("what the ledger calls the rule; its position otherwise"),
    ] = None
    sticky: Annotated[
        str | None,
        about("request field whose value always draws the same deployment"),
    ] = None


@declared
class Default:
    """Where a request goes that no rule takes."""

    deployment: Annotated[Name, about("the Deployment")]


@declared
class Fallback:
    """The answer when no model can give one."""

    decision: Annotated[str, about("decision that is returned")]


@declared
class Access:
    """Who may call."""

    keys: Annotated[
        Literal["required", "none"],
        about("whether a request needs a routing key"),
    ] = "required"


@declared
class Route:
    """One endpoint."""

    endpoint: Annotated[str, about("path of the endpoint", pattern=r"^/v1/[a-z0-9][a-z0-9/_-]*$")]
    default: Annotated[Default, about("where a request goes that no rule takes")]
    environment: Annotated[Name | None, about("environment; needed when there are several")] = None
    rules: Annotated[tuple[Rule, ...], about("tried in order")] = ()
    shadow: Annotated[
        tuple[Default, ...],
        about("deployments that see the traffic and never answer"),
    ] = ()
    fallback: Annotated[Fallback | None, about("the answer when no model can give one")] = None
    access: Annotated[Access, about("who may call")] = Access()
