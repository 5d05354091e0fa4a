"""What the instructions of a pickle may do with the names that it may look up.

A list of names is not enough. Libraries take what a pickle hands them at its word: NumPy an element
type whose flags say that numbers are no objects, a class or a function new attributes, a Booster
the path of a file that it then reads. None of that stands in a pickle of a fitted model, so each of
these instructions is held here against what the libraries themselves write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ordain.runtime.errors import ImportRefused

if TYPE_CHECKING:
    import numpy as np

_BOOSTERS: Final = frozenset({("lightgbm.basic", "Booster"), ("xgboost.core", "Booster")})
_SIMPLE: Final = 8  # Version, order, base, names, fields, size, alignment, flags.


def refused(what: str) -> ImportRefused:
    return ImportRefused(f"the file {what}", remedy="export the model to ONNX")


def check_call(called: object, arguments: object) -> None:
    """Refuse to make a Booster from anything.

    Raises:
        ImportRefused: it is given arguments.
    """
    if isinstance(called, type) and _is_booster(called) and arguments != ():
        raise refused(f"makes a {called.__name__} from arguments, which may name other files")


def _is_booster(called: type) -> bool:
    return (called.__module__, called.__name__) in _BOOSTERS


def check_state(target: object, state: object) -> None:
    """Refuse a state that only a crafted file gives to this object.

    Raises:
        ImportRefused: naming what it would change.
    """
    import numpy as np

    if hasattr(target, "__qualname__") or hasattr(target, "__name__"):
        raise refused("changes a class, a function or a module")
    if isinstance(target, np.dtype) and not _is_written(target, state):
        raise refused("holds an element type that NumPy does not write")


def _is_written(target: np.dtype[Any], state: object) -> bool:
    """Whether a type that NumPy builds itself has this state; the size never changes."""
    import numpy as np

    if not isinstance(state, tuple) or len(state) != _SIMPLE or target.names is not None:
        return False
    _, order, base, names, fields, size, _, _ = state
    if base is not None or (names is None) != (fields is None):
        return False
    try:
        if names is None:
            return _state(np.dtype(target.str).newbyteorder(order)) == state
        kinds, offsets = zip(*(fields[name] for name in names), strict=True)
        if size != target.itemsize or any(kind.hasobject for kind in kinds):
            return False
        said: Any = {"names": names, "formats": kinds, "offsets": offsets, "itemsize": size}
        return any(_state(np.dtype(said, align=align)) == state for align in (False, True))
    except (TypeError, ValueError, KeyError, AttributeError):
        return False


def _state(kind: np.dtype[Any]) -> object:
    reduced = kind.__reduce__()
    return reduced[2] if len(reduced) > 2 else None  # noqa: PLR2004 - the third is the state
