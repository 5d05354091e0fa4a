"""The reference that windows are compared with, frozen when the version is trained.

A profile holds integers only besides its edges, therefore `merge(profile(A), profile(B))` equals
the profile of A and B together to the bit, in any order: windows add up to days and days to months
without reading a row again. Quantile sketches merge as well, but their error (0.026 of the index)
reaches a quarter of the limit that is judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ordain.runtime.monitoring.bins import (
    REMEDY,
    Bins,
    NumberBins,
    different_bins,
    freeze,
    freeze_number,
    read_bins,
    whole,
)
from ordain.runtime.monitoring.errors import ProfileError
from ordain.specs.canonical import canonical_json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

FORMAT = "ordain.profile/1"


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts of every feature and of the model's output over the same rows."""

    rows: int
    features: dict[str, Bins]
    output: NumberBins

    def to_json(self) -> bytes:
        """Canonical bytes; `read` gives back an equal profile."""
        return canonical_json({"format": FORMAT, **self._plain()})

    def _plain(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "features": {name: bins.to_plain() for name, bins in self.features.items()},
            "output": self.output.to_plain(),
        }

    @classmethod
    def read(cls, data: bytes) -> Profile:
        """A profile from its bytes.

        Raises:
            ProfileError: the bytes are no profile of this format, or its counts do not add up.
        """
        try:
            raw = json.loads(data)
            if raw["format"] != FORMAT:
                raise ProfileError(f"the format is {raw['format']!r}, not {FORMAT}", remedy=REMEDY)
            features = {str(name): read_bins(bins) for name, bins in raw["features"].items()}
            output = read_bins(raw["output"])
            if not isinstance(output, NumberBins):
                raise ProfileError("the output of a profile is a number", remedy=REMEDY)
            profile = cls(whole(raw["rows"]), features, output)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the profile is not readable: {type(error).__name__}: {error}"
            raise ProfileError(message, remedy=REMEDY) from error
        _check(profile)
        return profile


def profile_rows(
    rows: Iterable[Mapping[str, object]],
    inputs: Sequence[tuple[str, str]],
    outputs: Iterable[float],
) -> Profile:
    """Freeze the reference of a version.

    `inputs` are (name, type) with the types of a plan's inputs; a key that a row lacks is missing.
    Of a date its day is counted, of a text its length. `outputs` are the model's outputs on the
    same rows, in any order.

    Raises:
        ProfileError: a value does not fit its type, an unknown type, or as many outputs as rows
            are not given.
    """
    table = list(rows)
    scores = list(outputs)
    if len(table) != len(scores):
        raise ProfileError(
            f"{len(table)} rows have {len(scores)} outputs",
            remedy="score every row of the reference",
        )
    features: dict[str, Bins] = {
        name: _named(name, freeze, type_, [row.get(name) for row in table])
        for name, type_ in inputs
    }
    return Profile(len(table), features, freeze_number(scores))


def count_window(
    profile: Profile, rows: Iterable[Mapping[str, object]], outputs: Iterable[float]
) -> Profile:
    """Other rows in the bins of `profile`; keys that the profile does not know are ignored.

    Raises:
        ProfileError: a value does not fit the feature's bins, or as many outputs as rows are not
            given.
    """
    table = list(rows)
    scores = list(outputs)
    if len(table) != len(scores):
        raise ProfileError(
            f"{len(table)} rows have {len(scores)} outputs",
            remedy="give the output of every row of the window",
        )
    features: dict[str, Bins] = {
        name: _named(name, bins.count, [row.get(name) for row in table])
        for name, bins in profile.features.items()
    }
    return Profile(len(table), features, _named("output", profile.output.count, scores))


def merge(a: Profile, b: Profile) -> Profile:
    """The profile of the rows of both.

    Raises:
        ProfileError: their features or bins differ.
    """
    if a.features.keys() != b.features.keys():
        raise different_bins()
    features: dict[str, Bins] = {
        name: bins.add(b.features[name]) for name, bins in a.features.items()
    }
    return replace(a, rows=a.rows + b.rows, features=features, output=a.output.add(b.output))


def _named(name: str, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - what the function returns
    """Call the function; its complaint then says which feature it is about."""
    try:
        return function(*arguments)
    except ProfileError as error:
        raise ProfileError(f"{name}: {error.message}", remedy=error.remedy) from error


def _check(profile: Profile) -> None:
    everything = [*profile.features.items(), ("output", profile.output)]
    for name, bins in everything:
        total = sum(bins.all_counts)
        if total != profile.rows:
            message = f"{name}: the bins hold {total} rows, the profile {profile.rows}"
            raise ProfileError(message, remedy=REMEDY)
