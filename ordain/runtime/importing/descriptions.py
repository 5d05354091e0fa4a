"""What can be said of a fitted pipeline by looking at it: its task, its inputs, its steps."""

from __future__ import annotations

from typing import Any

from ordain.runtime.errors import ImportRefused


def describe(found: Any) -> dict[str, Any]:  # noqa: ANN401 - a fitted estimator
    """Plain values; `inputs` are names where it was fitted on named columns, else empty.

    Raises:
        ImportRefused: it was never fitted.
    """
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(found)
    except NotFittedError:
        message = f"the {type(found).__name__} in the file was never fitted"
        raise ImportRefused(message, remedy="fit it before it is stored") from None
    names = getattr(found, "feature_names_in_", ())
    classes = getattr(found, "classes_", ())
    return {
        "task": _task(found),
        "inputs": [str(name) for name in names],
        "width": int(getattr(found, "n_features_in_", len(names))),
        "classes": [str(one) for one in classes],
        "steps": [type(step).__name__ for step in _steps(found)],
    }


def _task(found: Any) -> str:  # noqa: ANN401 - a fitted estimator
    from sklearn.base import is_classifier, is_clusterer, is_regressor

    if is_classifier(found):
        return "classification"
    if is_regressor(found):
        return "regression"
    # A mixture of Gaussians says of itself that it estimates a density.
    if is_clusterer(found) or hasattr(found, "predict"):
        return "clustering"
    message = f"the {type(found).__name__} in the file predicts nothing"
    raise ImportRefused(message, remedy="store the whole pipeline, with its last step")


def _steps(found: Any) -> list[Any]:  # noqa: ANN401 - a fitted estimator
    return [step for _, step in found.steps] if hasattr(found, "steps") else [found]
