"""A validator's record on one artifact."""

from __future__ import annotations

from typing import Annotated, Literal

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Date, Digest, Name, about


@declared
class Issue:
    """Something that the validator found."""

    id: Annotated[Name, about("name of the issue")]
    severity: Annotated[Literal["high", "medium", "low"], about("weight")]
    text: Annotated[str, about("what was found", min_length=1)]
    due: Annotated[Date | None, about("when it must be mended")] = None
    status: Annotated[Literal["open", "closed"], about("state")] = "open"


@declared
class Validation:
    """Effective challenge, bound to a digest."""

    model: Annotated[Name, about("the Model")]
    artifact: Annotated[Digest, about("the artifact that was looked at")]
    validator: Annotated[Name, about("person; never of the developers' team")]
    outcome: Annotated[Literal["approved", "approved-with-findings", "rejected"], about("outcome")]
    performed_on: Annotated[Date, about("day of the record")]
    evidence: Annotated[
        Digest | None,
        about("digest of the validation in `evidence/` that the record rests on"),
    ] = None
    findings: Annotated[tuple[Issue, ...], about("what was found")] = ()
