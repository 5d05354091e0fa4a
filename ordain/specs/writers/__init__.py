"""What a check has found, in the languages of those who read it: one result, many small writers.

Every writer is a pure function from one `Checked` to a text, in a module of its own that is
imported when somebody asks for its format: a plain `check` must not pay for SARIF. The table below
is the whole registry. Plug-ins were refused: a format that a forge reads is a contract, and a
contract is tested here, against the schema of whoever reads it.

Limits are those of the readers (GitHub shows 10 annotations of a kind, code scanning takes 25,000
results, a comment holds 65,536 characters). Whatever is cut is said to be cut, and what blocks is
never cut before what does not.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from ordain.specs.writers.checked import Checked

# Half of a pair that UTF-16 would need: no text in UTF-8 can hold one, so no reader accepts it.
_HALVES = re.compile(r"[\ud800-\udfff]")


def readable(text: str) -> str:
    """A text that can be written in UTF-8, whatever names of files it holds."""
    return text if text.isascii() else _HALVES.sub("\ufffd", text)


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the module that writes it, and who reads it.

    `pages` says that the writer shows what `ordain explain` says about a code.
    """

    module: str
    reader: str
    pages: bool = False

    def write(self, checked: Checked) -> bytes:
        """The whole file, in UTF-8, with a line break at its end."""
        module = importlib.import_module(f"ordain.specs.writers.{self.module}")
        render = cast("Callable[[Checked], str]", module.render)
        text = render(checked)
        text = readable(text)
        return (text if not text or text.endswith("\n") else f"{text}\n").encode()


FORMATS: Final = {
    "text": Format("texts", "people at a terminal"),
    "json": Format("documents", "programs; its schema is published"),
    "sarif": Format("sarif", "code scanning (SARIF 2.1.0)", pages=True),
    "junit": Format("junit", "test reports of CI (JUnit XML)"),
    "github": Format("annotations", "GitHub Actions, as annotations"),
    "github-summary": Format("summaries", "GitHub Actions, as summary of the job"),
    "gitlab": Format("code_quality", "GitLab, as code quality report"),
    "openreports": Format("openreports", "Kubernetes (OpenReports v1alpha1)"),
    "markdown": Format("markdown", "a comment on a pull request"),
}
