"""What was probably meant by a misspelt word.

One edit apart first (a letter too many, too few, another one, or two swapped), because that is what
fingers do; `difflib` only for what is further away, and loaded only then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SIMILAR = 0.6


def meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that `word` most probably stands for, or None where nothing is near."""
    candidates = sorted(set(known))
    near = [name for name in candidates if one_edit(word.lower(), name.lower())]
    if len(near) == 1:
        return near[0]
    if near:
        return max(near, key=lambda name: _same_start(word, name))
    from difflib import get_close_matches

    folded = {_folded(name): name for name in candidates}
    close = get_close_matches(_folded(word), folded, n=1, cutoff=_SIMILAR)
    return folded[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`did you mean `...`?`, or nothing."""
    guess = meant(word, known)
    return f"did you mean `{guess}`?" if guess else ""


def one_edit(one: str, other: str) -> bool:
    """Whether two words are equal but for one letter, or for two neighbours that are swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    short, long = sorted((one, other), key=len)
    at = next((i for i, letter in enumerate(short) if letter != long[i]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at + 1 : at + 2] + short[at : at + 1] + short[at + 2 :]
    return short[at + 1 :] == long[at + 1 :] or swapped == long[at:]


def _same_start(one: str, other: str) -> int:
    """How many letters two words have in common before they part."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


def _folded(word: str) -> str:
    """Snake case, kebab case and camel case of one word are the same."""
    return word.replace("_", "").replace("-", "").lower()


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a`, `b` or `c`."""
    quoted = [f"`{word}`" for word in words]
    if len(quoted) < 2:  # noqa: PLR2004 - one word needs no conjunction
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"
