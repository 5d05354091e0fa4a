"""What an address of a vendor's model may look like where it stands in a document.

Documents are in git, where everybody who may look reads them and nothing is ever gone. So an
address says where a model answers, and nothing that lets somebody in. What is wrong with one is
said without repeating it.
"""

from __future__ import annotations


def address_problem(text: str, *, allow_http: bool = False) -> str:
    """What is wrong with an address, as a sentence without it; empty where nothing is."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "this is no address: its host or its port cannot be read"
    if any(one.isspace() or not one.isprintable() for one in text):
        return "the address holds white space or control characters"
    if parts.scheme not in {"https", "http"} or not host:
        return "the address is none of the form https://HOST/PATH"
    if "@" in parts.netloc or "?" in text or "#" in text:
        return "the address holds credentials or a query; leave them out"
    if parts.scheme == "http" and not allow_http:
        return "the address has no TLS; write https"
    return ""


def host_of(address: str) -> str:
    """The host of an address in which nothing is wrong."""
    from urllib.parse import urlsplit

    return urlsplit(address).hostname or ""


def is_address(text: str) -> bool:
    """Whether a document may hold this address; without TLS it may, which is for its author."""
    return not text or not address_problem(text, allow_http=True)
