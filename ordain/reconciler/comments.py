"""The one comment under a proposal: verdict, findings, what changes in production, what is missing.

Two comments, one of the check and one of the plan, were refused: a reviewer reads one, and a forge
mails each of them. The order is that of a reader who has little time: may it be merged, what is
wrong, what will happen, who still has to say yes, what to do next.

The same change judged alike gives the same bytes. No time, no digest of a record and no link to a
run stands in it, so that a run which has found nothing new edits nothing and mails nobody. What a
stranger wrote is quoted by `specs.writers.markup` alone.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Final

from ordain.policies.separation import APPROVERS
from ordain.reconciler.preview_markdown import render_inside
from ordain.specs.findings import Severity
from ordain.specs.writers.markdown import MOST_BYTES, foot_of, sections
from ordain.specs.writers.markup import code

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.reconciler.preview import Preview
    from ordain.specs.writers.checked import Checked

MARKER: Final = "gate"
_APPROVALS: Final = "SOD-QUORUM"
# Findings may be thousands; what changes must have a place below them.
_SHARE: Final = 0.6
_CUT: Final = "… cut here; everything is in the record that the pipeline keeps.\n"


def render_comment(checked: Checked, preview: Preview | None, *, reviews: bool) -> str:
    """The comment, at most 60,000 bytes of UTF-8; its first line is the hidden mark.

    Without a preview (sides that do not merge) it tells the findings alone. `reviews` says that an
    approval on the forge counts; otherwise only signed statements do.
    """
    head = f"<!-- ordain:{MARKER} sha256:{'0' * 64} -->\n"
    end = f"\n{_next_steps(checked, preview, reviews=reviews)}\n{foot_of(checked)}"
    room = MOST_BYTES - _size(head) - _size(end)
    body = sections(checked, room if preview is None else int(room * _SHARE))
    if preview is not None:
        body += render_inside(preview, limit=room - _size(body))
    text = f"{_fitting(body, room)}{end}".encode("utf-8", "replace")
    return f"{head.replace('0' * 64, sha256(text).hexdigest())}{text.decode()}"


def _fitting(body: str, room: int) -> str:
    """The body, cut behind a line where it is too long, which its parts should not let happen."""
    if _size(body) <= room:
        return body
    lines, left = [], room - _size(_CUT)
    for line in body.splitlines(keepends=True):
        left -= _size(line)
        if left < 0:
            break
        lines.append(line)
    return "".join([*lines, _CUT])


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _next_steps(checked: Checked, preview: Preview | None, *, reviews: bool) -> str:
    return "\n".join(["#### Next", "", *_steps(checked, preview, reviews=reviews), ""])


def _steps(checked: Checked, preview: Preview | None, *, reviews: bool) -> Iterator[str]:
    errors = [one for one in checked.findings if one.severity is Severity.ERROR]
    wrong = next((one for one in errors if one.code != _APPROVALS), None)
    if wrong is not None:
        yield f"- Mend what is wrong, then push: {code(f'ordain explain {wrong.code}')}"
    missing = () if preview is None or not preview.complete else preview.missing
    # Where nobody could compute whose, an approval is missing all the same.
    if missing or (errors and wrong is None):
        how = "approve it here, or sign a statement" if reviews else "sign a statement"
        roles = ", ".join(code(role) for role in missing if role in APPROVERS) or "a reviewer"
        whose = f" ({roles})" if missing else ""
        yield f"- Approvals that are missing{whose}: {how} with {code('ordain approve')}"
    if not errors:
        yield "- Nothing blocks: it may be merged."
