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
    """Whether a document may hold this address: it has a host or a path, and lets nobody in.

    Of what kind it has to be is for the policies of an estate.
    """
    from urllib.parse import urlsplit

    if not text:
        return True
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    plain = all(one.isprintable() and not one.isspace() for one in text)
    return bool(host) and plain and not set("@?#") & set(text)
