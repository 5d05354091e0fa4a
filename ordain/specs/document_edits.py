"""Changing one value of a document that was loaded, in the bytes of its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ordain.specs.edits import EditError, set_value
from ordain.specs.loader import parse

if TYPE_CHECKING:
    from ordain.specs.documents import Document, Step


def set_in_document(
    data: bytes,
    document: Document,
    path: tuple[Step, ...],
    value: Any,  # noqa: ANN401 - a YAML value
) -> bytes:
    """The file's bytes with one value of the document set and every other byte kept.

    Raises:
        EditError: the file does not hold the document, or the edit would change more.
    """
    for number, node in enumerate(parse(data, document.path).nodes):
        found = node.value
        if isinstance(found, dict) and found.get("kind") == document.kind:
            metadata = found.get("metadata")
            if isinstance(metadata, dict) and metadata.get("name") == document.name:
                return set_value(data.decode("utf-8"), number, path, value).encode("utf-8")
    message = f"{document.path} does not hold {document.key}"
    raise EditError(message, remedy="load the estate again")
