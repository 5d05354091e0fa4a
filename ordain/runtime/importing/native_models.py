"""Files that LightGBM and XGBoost write themselves: text and JSON, which hold no code.

They are looked at and not loaded: their readers are C++ and trust what they read.
"""

from __future__ import annotations

import json
from typing import Final

from ordain.runtime.errors import ImportRefused

MAXIMUM_BYTES: Final = 256 << 20
_REMEDY: Final = "save it again with the library's own save_model"


def check_native(flavour: str, data: bytes, path: str) -> None:
    """Refuse what is not the format of the flavour.

    Raises:
        ImportRefused: saying what it should have been.
    """
    if flavour == "lightgbm":
        fits = data.startswith(b"tree\n") and b"\nend of trees" in data and b"\0" not in data
    else:
        fits = _is_xgboost(data)
    if not fits:
        form = "text" if flavour == "lightgbm" else "JSON"
        message = f"{path} is no model that {flavour} saved as {form}"
        raise ImportRefused(message, remedy=_REMEDY)


def _is_xgboost(data: bytes) -> bool:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and {"learner", "version"} <= found.keys()
