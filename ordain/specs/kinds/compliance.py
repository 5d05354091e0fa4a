"""The sections of one model that people write; six more are derived from evidence."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Bool, Duration, Name, about


@declared
class ModelInfo:
    """What the model is and who answers for it."""

    is_model: Annotated[Bool, about("whether the definition of a model is met")]
    rationale: Annotated[str, about("why it is, or is not")]
    tier_rationale: Annotated[str, about("exposure and purpose that give the tier")]
    accountable: Annotated[Name, about("accountable executive")]
    developers: Annotated[tuple[Name, ...], about("people who built it", min_length=1)]
    validator: Annotated[Name, about("person who challenges it")]
    users: Annotated[tuple[str, ...], about("who uses the output")] = ()
    vendor: Annotated[str, about("provider of a model that was bought")] = ""


@declared
class DomainContext:
    """The decision that the model serves."""

    decision: Annotated[str, about("the decision")]
    allowed_uses: Annotated[tuple[str, ...], about("uses that are allowed", min_length=1)]
    prohibited_uses: Annotated[tuple[str, ...], about("uses that are not", min_length=1)]
    affected_people: Annotated[str, about("who is affected")]
    jurisdictions: Annotated[tuple[str, ...], about("where", min_length=1)]
    automation: Annotated[
        Literal["advisory", "human_in_loop", "automatic"],
        about("how much the machine decides"),
    ]
    human_oversight: Annotated[str, about("who can stop it, and how")]
    appeal: Annotated[str, about("how a person appeals")] = ""


@declared
class Assumption:
    """Something that is taken to be true, and the test of it."""

    text: Annotated[str, about("the assumption")]
    test: Annotated[str, about("how it is tested")]


@declared
class Limitation:
    """Something that the model cannot do, and what makes up for it."""

    text: Annotated[str, about("the limitation")]
    control: Annotated[str, about("what makes up for it")]


@declared
class MethodologyLimitations:
    """Why this method, and where it ends."""

    theory: Annotated[str, about("why the method fits")]
    target_definition: Annotated[str, about("what exactly is predicted")]
    alternatives: Annotated[tuple[str, ...], about("what else was considered", min_length=1)]
    assumptions: Annotated[tuple[Assumption, ...], about("assumptions")] = ()
    limitations: Annotated[tuple[Limitation, ...], about("limitations", min_length=1)]


@declared
class ProxyUse:
    """A declared proxy that is a feature all the same."""

    feature: Annotated[str, about("the column")]
    reason: Annotated[str, about("what it says of the outcome that nothing else does")]


@declared
class SmallGroups:
    """An attribute with groups that are too small to say anything of."""

    attribute: Annotated[str, about("protected attribute")]
    reason: Annotated[str, about("why they are so few, and what is done until they are more")]


@declared
class FairnessBias:
    """The fairness policy, set before any result."""

    attributes: Annotated[tuple[str, ...], about("protected attributes that are tested")] = ()
    rationale: Annotated[str, about("why these metrics and limits")]
    legal_basis: Annotated[str, about("legal basis per jurisdiction")]
    prohibited_features: Annotated[
        tuple[str, ...],
        about("columns that must never be features"),
    ] = ()
    proxies: Annotated[
        tuple[ProxyUse, ...],
        about("declared proxies that are features, each with the reason"),
    ] = ()
    small_groups: Annotated[
        tuple[SmallGroups, ...],
        about("attributes of which some groups are too small, each with the reason"),
    ] = ()
    alternatives: Annotated[
        str,
        about("what was searched for less discriminatory alternatives, or why nothing was"),
    ] = ""


@declared
class ConsentPrivacy:
    """Why the data may be used and how long it is kept."""

    lawful_basis: Annotated[str, about("lawful basis")]
    licence: Annotated[str, about("licence of the data")]
    retention: Annotated[Duration, about("how long predictions are kept")]
    erasure: Annotated[str, about("how a person's data is erased")]
    minimisation: Annotated[str, about("why no more data is used than needed")] = ""


@declared
class Risk:
    """What can go wrong."""

    cause: Annotated[str, about("cause")]
    harm: Annotated[str, about("harm")]
    control: Annotated[str, about("what keeps it small")]
    owner: Annotated[Name, about("who watches it")]


@declared
class RiskMonitoringPlan:
    """What is watched, and what happens then."""

    risks: Annotated[tuple[Risk, ...], about("risks", min_length=1)]
    escalation: Annotated[str, about("who is told how soon")]
    fallback: Annotated[str, about("what happens when the model is stopped")]
    revalidation: Annotated[Duration, about("longest time between two validations")]
    kill_criteria: Annotated[tuple[str, ...], about("when the model is stopped", min_length=1)]


@declared
class Compliance:
    """The sections of one model; an absent section is incomplete, never an error."""

    model: Annotated[Name, about("the Model")]
    model_info: Annotated[ModelInfo | None, about("what the model is", alias="model_info")] = None
    domain_context: Annotated[
        DomainContext | None,
        about("the decision that it serves", alias="domain_context"),
    ] = None
    methodology_limitations: Annotated[
        MethodologyLimitations | None,
        about("why this method", alias="methodology_limitations"),
    ] = None
    fairness_bias: Annotated[
        FairnessBias | None,
        about("the fairness policy", alias="fairness_bias"),
    ] = None
    consent_privacy: Annotated[
        ConsentPrivacy | None,
        about("why the data may be used", alias="consent_privacy"),
    ] = None
    risk_monitoring_plan: Annotated[
        RiskMonitoringPlan | None,
        about("what is watched", alias="risk_monitoring_plan"),
    ] = None
