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
    CategoryBins,
    NumberBins,
    different_bins,
    freeze,
    freeze_category,
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
    """Counts of every feature and of the model's output over the same rows.

    `decisions` are the classes or clusters that were chosen, where the model chooses among several:
    the output is then the probability, or the distance, of whichever was chosen, and can stand
    still while the classes change places.
    """

    rows: int
    features: dict[str, Bins]
    output: NumberBins
    decisions: CategoryBins | None = None

    def to_json(self) -> bytes:
        """Canonical bytes; `read` gives back an equal profile."""
        return canonical_json({"format": FORMAT, **self._plain()})

    def _plain(self) -> dict[str, Any]:
        plain: dict[str, Any] = {
            "rows": self.rows,
            "features": {name: bins.to_plain() for name, bins in self.features.items()},
            "output": self.output.to_plain(),
        }
        if self.decisions is not None:
            plain["decisions"] = self.decisions.to_plain()
        return plain

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
            decisions = read_bins(raw["decisions"]) if "decisions" in raw else None
            if isinstance(decisions, NumberBins):
                raise ProfileError("the decisions of a profile are a category", remedy=REMEDY)
            profile = cls(whole(raw["rows"]), features, output, decisions)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            message = f"the profile is not readable: {type(error).__name__}: {error}"
            raise ProfileError(message, remedy=REMEDY) from error
        _check(profile)
        return profile


def profile_rows(
    rows: Iterable[Mapping[str, object]],
    inputs: Sequence[tuple[str, str]],
    outputs: Iterable[float],
    decisions: Iterable[str | None] | None = None,
) -> Profile:
    """Freeze the reference of a version.

    `inputs` are (name, type) with the types float, int, bool, category, date and text; a key that a
    row lacks is missing. `outputs` are the model's outputs on the same rows, in any order, and
    `decisions` the classes or clusters that it chose, where there are several.

    Raises:
        ProfileError: a value does not fit its type, an unknown type, or as many outputs or
            decisions as rows are not given.
    """
    table = list(rows)
    scores = list(outputs)
    chosen = None if decisions is None else list(decisions)
    _refuse_other_length(len(table), scores, chosen, "score every row of the reference")
    features: dict[str, Bins] = {
        name: _named(name, freeze, type_, [row.get(name) for row in table])
        for name, type_ in inputs
    }
    frozen = None if chosen is None else freeze_category(chosen)
    return Profile(len(table), features, freeze_number(scores), frozen)


def count_window(
    profile: Profile,
    rows: Iterable[Mapping[str, object]],
    outputs: Iterable[float],
    decisions: Iterable[str | None] | None = None,
) -> Profile:
    """Other rows in the bins of `profile`; what the profile does not know is ignored.

    Raises:
        ProfileError: a value does not fit the feature's bins, or as many outputs (or decisions,
            where the profile has them) as rows are not given.
    """
    table = list(rows)
    scores = list(outputs)
    chosen = None if profile.decisions is None else list(decisions or ())
    _refuse_other_length(len(table), scores, chosen, "give the output of every row of the window")
    features: dict[str, Bins] = {
        name: _named(name, bins.count, [row.get(name) for row in table])
        for name, bins in profile.features.items()
    }
    output = _named("output", profile.output.count, scores)
    if profile.decisions is None:
        return Profile(len(table), features, output)
    return Profile(len(table), features, output, profile.decisions.count(chosen or ()))


def _refuse_other_length(
    rows: int, outputs: Sequence[object], decisions: Sequence[object] | None, remedy: str
) -> None:
    if rows != len(outputs):
        raise ProfileError(f"{rows} rows have {len(outputs)} outputs", remedy=remedy)
    if decisions is not None and rows != len(decisions):
        raise ProfileError(f"{rows} rows have {len(decisions)} decisions", remedy=remedy)


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
    return replace(
        a,
        rows=a.rows + b.rows,
        features=features,
        output=a.output.add(b.output),
        decisions=_both(a.decisions, b.decisions),
    )


def _both(a: CategoryBins | None, b: CategoryBins | None) -> CategoryBins | None:
    if a is None or b is None:
        if a is not b:
            raise different_bins()
        return None
    return a.add(b)


def _named(name: str, function: Callable[..., Any], *arguments: object) -> Any:  # noqa: ANN401 - what the function returns
    """Call the function; its complaint then says which feature it is about."""
    try:
        return function(*arguments)
    except ProfileError as error:
        raise ProfileError(f"{name}: {error.message}", remedy=error.remedy) from error


def _check(profile: Profile) -> None:
    everything = [*profile.features.items(), ("output", profile.output)]
    if profile.decisions is not None:
        everything.append(("decisions", profile.decisions))
    for name, bins in everything:
        total = sum(bins.all_counts)
        if total != profile.rows:
            message = f"{name}: the bins hold {total} rows, the profile {profile.rows}"
            raise ProfileError(message, remedy=REMEDY)
