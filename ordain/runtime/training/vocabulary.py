"""The terms of a text column, and what weighs them.

scikit-learn's own choice of the most frequent terms (`max_features`) was refused: it sorts without
care for ties, so that another processor may keep other terms. Ties go to the term that comes first
in the order of code points.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

from ordain.runtime.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ordain.specs.kinds.model import Texts


def vectorizer(name: str, declared: Texts, documents: Sequence[str]) -> TfidfVectorizer:
    """Not fitted yet, with the terms that these documents give it.

    Raises:
        TrainingError: when no term is left.
    """
    terms = _terms(name, declared, documents)
    return TfidfVectorizer(ngram_range=declared.ngrams, vocabulary=terms)


def _terms(name: str, declared: Texts, documents: Sequence[str]) -> list[str]:
    counter = CountVectorizer(ngram_range=declared.ngrams)
    try:
        table = counter.fit_transform(documents)
    except ValueError:  # There is no word at all.
        found: list[tuple[int, str]] = []
    else:
        rows = np.asarray((table > 0).sum(axis=0)).ravel()
        times = np.asarray(table.sum(axis=0)).ravel()
        names = counter.get_feature_names_out()
        found = [
            (-int(times[place]), str(names[place]))
            for place in np.flatnonzero(rows >= declared.min_rows)
        ]
    if not found:
        message = f"feature {name}: no term is in {declared.min_rows} rows of the training part"
        remedy = f"lower preprocessing.texts.minRows, or add {name} to features.exclude"
        raise TrainingError(message, remedy=remedy)
    return sorted(term for _, term in sorted(found)[: declared.terms])
