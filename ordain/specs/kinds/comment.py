"""The explanation of a breach by the person who looked at it."""

from __future__ import annotations

from typing import Annotated

from ordain.specs.kinds.declared import declared
from ordain.specs.kinds.fields import Name, about


@declared
class Comment:
    """Why a breach happened and what follows."""

    model: Annotated[Name, about("the Model")]
    breach: Annotated[str, about("id of the breach in the ledger")]
    author: Annotated[Name, about("person")]
    text: Annotated[str, about("the explanation", min_length=1)]
