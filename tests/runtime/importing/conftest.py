from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture(scope="session")
def fitted() -> Any:  # noqa: ANN401 - a fitted pipeline
    """Numbers and texts, imputed, scaled, spread over columns, and boosted."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(300, 3))
    letters = rng.choice(["a", "b", "c"], (300, 1)).astype(object)
    rows = np.concatenate([numbers.astype(object), letters], axis=1)
    scaled = make_pipeline(SimpleImputer(), StandardScaler())
    columns = make_column_transformer((scaled, [0, 1, 2]), (OneHotEncoder(), [3]))
    boosted = HistGradientBoostingClassifier(max_iter=5, random_state=7)
    return make_pipeline(columns, boosted).fit(rows, (numbers[:, 0] > 0).astype(int))
