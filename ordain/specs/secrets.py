"""Passwords that somebody has written into an address, kept out of everything that is printed.

A document has no place for a secret, and a policy finds one that stands there all the same. What is
said of it goes to terminals, logs and comments that more people read than the file; there the
password is masked. The rest of the text stays, in its columns.
"""

from __future__ import annotations

import re
from typing import Any, Final

# What stands before the last `@` of an address: a password, or a token in the place of a user.
_PASSWORD: Final = re.compile(r"(://[^/\s:@'\"]*:)([^/\s'\"]+)(?=@)")
_TOKEN: Final = re.compile(r"(://)([^/\s:@'\"]{12,})(?=@)")
_WORDS: Final = r"pass(?:word|wd)?|pwd|secret|token|signature|sig|api_?key|access_?key|account_?key"
# `password=...`, in a query, a connection string or anywhere; `token == 'x'` is a comparison.
_PARAMETER: Final = re.compile(
    rf"((?:\b|(?<=_))[\w-]*(?:{_WORDS})=)(?![=~])([^&\s'\"#;,]+)", re.IGNORECASE
)


def masked(text: str) -> str:
    """The text with every password of an address as stars, and as long as before."""
    if "@" not in text and "=" not in text:
        return text
    for pattern in (_PASSWORD, _TOKEN, _PARAMETER):
        text = pattern.sub(lambda match: match[1] + "*" * len(match[2]), text)
    return text


def without_secrets(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value with every text in it masked."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [without_secrets(one) for one in value]
    if isinstance(value, dict):
        return {key: without_secrets(one) for key, one in value.items()}
    return value
