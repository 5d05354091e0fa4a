"""The summary of a job of GitHub Actions: the comment's page with more room and without its mark.

A step may add 1 MiB to the summary; what is longer is refused as a whole, so it is cut before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ordain.specs.writers.markdown import as_of, compose

if TYPE_CHECKING:
    from ordain.specs.writers.checked import Checked

MOST_BYTES: Final = 1024 * 1024


def render(checked: Checked) -> str:
    """The page, not more than 1 MiB."""
    foot = as_of(checked)
    return compose(checked, MOST_BYTES - len(foot.encode())) + foot
