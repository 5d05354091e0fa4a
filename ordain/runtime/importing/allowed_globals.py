"""Every name that a pickle of a fitted model may look up.

A pickle is a program: what it can do is decided by the names that it may look up, and by nothing
else. The estimators are those that a stored pipeline may name (`formats.allowed_types`), because
what cannot be stored need not be read; the rest is what their pickles need besides: the functions
that NumPy rebuilds arrays and generators with, and the compiled parts of trees and losses. None of
these opens a file, starts a process or calls what it is given.

Refused: a list of what is dangerous. It would be complete until somebody finds one more.
"""

from __future__ import annotations

from typing import Final

from ordain.runtime.formats.allowed_types import FUNCTIONS, LOSSES, OBJECTS

_SCALARS: Final = ("bool_", "float32", "float64", "int32", "int64", "uint8", "uint32", "uint64")

_PLAIN: Final[dict[str, tuple[str, ...]]] = {
    "builtins": ("bytearray", "bytes", "complex", "frozenset", "object", "range", "set", "slice"),
    "collections": ("OrderedDict", "defaultdict"),
    "copyreg": ("_reconstructor",),
    "_codecs": ("encode",),
    "numpy": ("dtype", "ndarray", *_SCALARS),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy.random._mt19937": ("MT19937",),
    "numpy.random._pcg64": ("PCG64",),
    "numpy.random._pickle": ("__bit_generator_ctor", "__generator_ctor", "__randomstate_ctor"),
    "numpy.random.bit_generator": ("SeedSequence", "__pyx_unpickle_SeedSequence"),
    "sklearn._loss._loss": LOSSES,
    "sklearn.tree._tree": ("Tree",),
    "sklearn.utils._bunch": ("Bunch",),
}

GLOBALS: Final[frozenset[tuple[str, str]]] = frozenset(
    {
        (module, name)
        for table in (_PLAIN, OBJECTS)
        for module, names in table.items()
        for name in names
    }
    | FUNCTIONS
)
