"""Words of a text and what they weigh: exactly what scikit-learn's TfidfVectorizer does.

A word is two or more letters, digits or underscores of any script, in lower case. Nothing depends
on a language or on the locale of a machine. Words of one letter are left out, as they are there.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WORD = re.compile(r"\b\w\w+\b")


def terms_of(text: str, fewest: int, most: int) -> list[str]:
    """All runs of `fewest` to `most` words, each as often as it occurs."""
    words = _WORD.findall(text.lower())
    if (fewest, most) == (1, 1):
        return words
    sizes = range(fewest, min(most, len(words)) + 1)
    return [
        " ".join(words[start : start + size])
        for size in sizes
        for start in range(len(words) - size + 1)
    ]


def weights_of(
    terms: Sequence[str], places: Mapping[str, int], idf: Sequence[float]
) -> dict[int, float]:
    """Term frequency times inverse document frequency by place, of length 1 together.

    The squares are added in the order of places and one after the other, as the sparse matrices of
    scikit-learn do it, so that both agree to the last bit.
    """
    counts: dict[int, int] = {}
    for term in terms:
        place = places.get(term)
        if place is not None:
            counts[place] = counts.get(place, 0) + 1
    weights = {place: counts[place] * idf[place] for place in sorted(counts)}
    total = 0.0
    for weight in weights.values():
        total += weight * weight
    length = math.sqrt(total)
    return {place: weight / length for place, weight in weights.items()} if length else {}
