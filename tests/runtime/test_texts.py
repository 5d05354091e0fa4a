"""Words and their weights are those of scikit-learn's TfidfVectorizer, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import TfidfVectorizer

from ordain.runtime.texts import terms_of, weights_of

pytestmark = pytest.mark.training

DOCUMENTS = [
    "The loan is for a car, a used car",
    "Loan to pay back another loan",
    "İstanbul'da ev; straße STRASSE ﬁnance naïve",
    "дом и машина и ещё дом",
    "家を買う 家 snake_case 42 4x4 x",
    "used-car e-mail: a.b@example.org",
]
WORDS = "".join(DOCUMENTS)


def fitted(ngrams: tuple[int, int]) -> TfidfVectorizer:
    return TfidfVectorizer(ngram_range=ngrams).fit(DOCUMENTS)


VECTORIZERS = {ngrams: fitted(ngrams) for ngrams in [(1, 1), (1, 2), (2, 3)]}


@given(st.sampled_from(sorted(VECTORIZERS)), st.text() | st.text(alphabet=WORDS, max_size=200))
@example((1, 2), "loan loan car İ straße Ⅷ ǅ ß 家 家家")
@example((2, 3), "car")
@example((1, 1), "")
def test_a_text_weighs_what_scikit_learn_says(ngrams: tuple[int, int], text: str) -> None:
    vectorizer = VECTORIZERS[ngrams]
    assert terms_of(text, *ngrams) == vectorizer.build_analyzer()(text)
    terms = vectorizer.get_feature_names_out().tolist()
    places = {term: place for place, term in enumerate(terms)}
    found = np.zeros(len(terms))
    for place, weight in weights_of(
        terms_of(text, *ngrams), places, vectorizer.idf_.tolist()
    ).items():
        found[place] = weight
    expected = vectorizer.transform([text]).toarray()[0]
    assert found.tolist() == expected.tolist()


def test_a_text_without_a_known_word_weighs_nothing() -> None:
    assert weights_of(["boat"], {"car": 0}, [1.5]) == {}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_weights_have_the_length_one(document: str) -> None:
    vectorizer = VECTORIZERS[1, 2]
    places = {term: place for place, term in enumerate(vectorizer.get_feature_names_out())}
    weights = weights_of(terms_of(document, 1, 2), places, vectorizer.idf_.tolist())
    assert sum(weight * weight for weight in weights.values()) == pytest.approx(1.0)
