"""Reading a pickle that can look up nothing but the names of `allowed_globals`.

This runs in the sandboxed child of `conversion` and nowhere else. It is strict for its own sake: a
name that is not listed stops the reading before anything was called with it.

joblib writes the bytes of arrays between the instructions, and a pickle of its own inside for
arrays of objects; both are read by the same rules. Compressed files are unpacked up to a limit
first, so that the limit holds for what they become.
"""

from __future__ import annotations

import _compat_pickle
import bz2
import gzip
import io
import lzma
import pickle
import zlib
from typing import TYPE_CHECKING, Any, Final, cast

from joblib import numpy_pickle  # type: ignore[import-untyped]

from ordain.runtime.errors import ImportRefused
from ordain.runtime.importing.allowed_globals import GLOBALS
from ordain.runtime.importing.instructions import check_call, check_state, refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

MAXIMUM_BYTES: Final = 1 << 30
_WRAPPER: Final = ("joblib.numpy_pickle", "NumpyArrayWrapper")
_CHUNK: Final = 1 << 20


class _Array(numpy_pickle.NumpyArrayWrapper):  # type: ignore[misc]
    """An array between the instructions; one of objects is one more pickle, read as this one is."""

    def read_array(self, unpickler: Any, ensure_native_byte_order: bool) -> Any:  # noqa: ANN401, FBT001
        if self.dtype.hasobject:
            return Reader(unpickler.file_handle).load()
        return super().read_array(unpickler, ensure_native_byte_order)


class Reader(numpy_pickle.NumpyUnpickler):  # type: ignore[misc]
    """Reads pickles and joblib files alike."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__("", file, ensure_native_byte_order=True)

    # How the reader finds the method of an instruction; the base has a copy of its own as well.
    dispatch = numpy_pickle.NumpyUnpickler.dispatch.copy()

    def load_build(self) -> None:
        check_state(self.stack[-2], self.stack[-1])
        super().load_build()

    def load_reduce(self) -> None:
        check_call(self.stack[-2], self.stack[-1])
        super().load_reduce()

    def load_newobj(self) -> None:
        check_call(self.stack[-2], self.stack[-1])
        super().load_newobj()

    def load_newobj_ex(self) -> None:
        check_call(self.stack[-3], (*self.stack[-2], *self.stack[-1]))
        super().load_newobj_ex()

    def load_old(self) -> None:
        """OBJ and INST, which no Python 3 writes."""
        raise refused("makes objects as only Python 2 did")

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex
    dispatch[pickle.OBJ[0]] = load_old
    dispatch[pickle.INST[0]] = load_old

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - whatever it names
        """What a listed name stands for.

        Raises:
            ImportRefused: the name is not listed.
        """
        module, name = _current(module, name)
        if (module, name) == _WRAPPER:
            return _Array
        if (module, name) not in GLOBALS:
            message = f"the file names {module}.{name}, which no imported model may use"
            remedy = "train it again with what docs/training.md lists, or export it to ONNX"
            raise ImportRefused(message, remedy=remedy)
        # The unpickler of the standard library would follow dots in the name.
        return super().find_class(module, name)

    def persistent_load(self, _pid: object) -> Any:  # noqa: ANN401 - never returns
        raise ImportRefused("the file refers to objects outside of it", remedy="export it to ONNX")


def _current(module: str, name: str) -> tuple[str, str]:
    """What a name of Python 2, as old protocols write them, is called today."""
    module, name = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


def read_model(data: bytes) -> Any:  # noqa: ANN401 - a fitted estimator
    """The object in a pickle or joblib file.

    Raises:
        ImportRefused: it names what is not listed, is too large, or is no pickle.
    """
    file = io.BytesIO(_unpacked(data))
    try:
        return Reader(file).load()
    except ImportRefused:
        raise
    except MemoryError:
        message = "the file asks for more memory than an import may use"
        raise ImportRefused(message, remedy="export it to ONNX") from None
    except Exception as error:
        # Whatever a crafted file makes the reader fail with, it is the file that is wrong.
        message = f"this is no pickle of a fitted model that can be read: {type(error).__name__}"
        raise ImportRefused(message, remedy="write the file again, or export it to ONNX") from error


def _unpacked(data: bytes) -> bytes:
    """The bytes behind any compression that joblib writes."""
    openers: dict[bytes, Callable[[io.BytesIO], Any]] = {
        b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
        b"BZh": bz2.BZ2File,
        b"\xfd7zXZ": lzma.LZMAFile,
        b"\x5d\x00": lzma.LZMAFile,
        b"\x78": _Inflated,
    }
    for magic, opener in openers.items():
        if data.startswith(magic):
            return _within(opener(io.BytesIO(data)))
    return data


class _Inflated:
    """A zlib stream as a file."""

    def __init__(self, file: io.BytesIO) -> None:
        self._rest, self._inflate = file.read(), zlib.decompressobj()

    def read(self, size: int) -> bytes:
        data = self._inflate.decompress(self._rest, size)
        self._rest = self._inflate.unconsumed_tail
        return data


def _within(file: Any) -> bytes:  # noqa: ANN401 - any compressed file
    found = bytearray()
    try:
        while chunk := cast("bytes", file.read(_CHUNK)):
            found += chunk
            if len(found) > MAXIMUM_BYTES:
                message = f"the file unpacks to more than {MAXIMUM_BYTES >> 20} MiB"
                raise ImportRefused(message, remedy="store the model without its training data")
    except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError) as error:
        message = "the file is compressed, and damaged"
        raise ImportRefused(message, remedy="copy the file again") from error
    return bytes(found)
