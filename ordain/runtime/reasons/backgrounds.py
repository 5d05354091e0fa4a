"""The background of an artifact: the rows that its explanations compare with.

They are a member of the artifact, drawn once when it was made, and never drawn again: other rows
give other reasons. The digest is that of the member, which the manifest lists and every read
proves, so that an explanation can say what it compared with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ordain.runtime.reasons.errors import ReasonsError
from ordain.specs.canonical import sha256

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ordain.runtime.artifacts import Artifact

MEMBER = "background.json"


@dataclass(frozen=True, slots=True)
class Background:
    """Raw rows, of whom they are (`all`, or those decided favourably), and their digest."""

    rows: tuple[Mapping[str, Any], ...]
    of: str
    digest: str


def background_of(artifact: Artifact) -> Background:
    """The background of an artifact.

    Raises:
        ReasonsError: when the member is no list of rows.
        ArtifactError: when the artifact has none.
    """
    try:
        raw = json.loads(artifact.member(MEMBER))
        rows = tuple(dict(row) for row in raw["rows"])
        of = str(raw.get("of", "all"))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ReasonsError(
            f"{MEMBER} of artifact {artifact.digest} cannot be read",
            remedy="train the recipe again with this version",
        ) from error
    return Background(rows, of, background_digest(artifact))


def background_digest(artifact: Artifact) -> str:
    """The digest of the background, as the manifest of the artifact lists it.

    Raises:
        ArtifactError: when the artifact has none.
    """
    return sha256(artifact.member(MEMBER))
