"""A finding that is accepted for a time; shown as suppressed, never hidden."""

from __future__ import annotations

from typing import Annotated

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Date, Digest, Name, about


@declared
class Subject:
    """Exactly one object."""

    kind: Annotated[str, about("kind of the object")]
    name: Annotated[Name, about("its name")]
    digest: Annotated[
        Digest, about("only this content of it, as `ordain digest KIND/NAME` prints it")
    ]


@declared
class Waiver:
    """Who accepted what, why, and until when."""

    finding: Annotated[str, about("code of the finding")]
    object: Annotated[Subject, about("exactly one object")]
    reason: Annotated[str, about("why", min_length=1)]
    requested_by: Annotated[Name, about("person who asked, by the word of whoever wrote it")]
    approved_by: Annotated[Name, about("person who accepted; never the same")]
    expires: Annotated[Date, about("last day on which it counts")]
