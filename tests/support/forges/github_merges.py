"""How GitHub merges, in a bare repository.

Sources: "About merge methods on GitHub", "About pull request merges", "About commit signature
verification" (a merge and a squash are GitHub's commits and carry its signature; a rebase makes new
commits with the merging person as committer, and those are not signed), "Managing a merge queue".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from forges.plumbing import PLATFORM_SIGNATURE, Bare

if TYPE_CHECKING:
    from datetime import datetime

    from forges.github_state import MergeMethod, Pull
    from forges.people import Person

GITHUB = ("GitHub", "noreply@github.com")


def merged_commit(  # noqa: PLR0913 - each is an input of the commit
    bare: Bare,
    pull: Pull,
    *,
    onto: str,
    method: MergeMethod,
    by: Person,
    owner: str,
    time: datetime,
    title: str | None = None,
    message: str | None = None,
) -> str | None:
    """The commit that the base branch would move to, or None where it conflicts."""
    if method == "rebase":
        return _rebased(bare, pull, onto, by, time)
    tree = bare.merged_tree(onto, pull.head_sha)
    if tree is None:
        return None
    squash = method == "squash"
    head = title or (_squash_title(pull) if squash else _merge_title(pull, owner))
    body = message if message is not None else _default_body(bare, pull, squash=squash)
    author = pull.author if squash else by
    return bare.commit(
        tree,
        (onto,) if squash else (onto, pull.head_sha),
        author=(author.name, author.email),
        committer=GITHUB,
        message=f"{head}\n\n{body}" if body else head,
        time=time,
        signature=PLATFORM_SIGNATURE,
    )


def _rebased(bare: Bare, pull: Pull, onto: str, by: Person, time: datetime) -> str | None:
    base = bare.merge_base(onto, pull.head_sha)
    assert base is not None
    tip = onto
    for sha in bare.between(base, pull.head_sha):
        commit = bare.read(sha)
        tree = bare.replayed(commit, tip) if len(commit.parents) == 1 else None
        if tree is None:
            return None
        author, committer = commit.author[:2], (by.name, by.email)
        text = commit.message
        tip = bare.commit(tree, (tip,), author=author, committer=committer, message=text, time=time)
    return tip


def _merge_title(pull: Pull, owner: str) -> str:
    return f"Merge pull request #{pull.number} from {owner}/{pull.head}"


def _squash_title(pull: Pull) -> str:
    return f"{pull.title} (#{pull.number})"


def _default_body(bare: Bare, pull: Pull, *, squash: bool) -> str:
    if not squash:
        return pull.title
    base = bare.merge_base(pull.base_sha, pull.head_sha) or pull.base_sha
    messages = [bare.read(sha).message for sha in bare.between(base, pull.head_sha)]
    return messages[0].partition("\n\n")[2] if len(messages) == 1 else _bullets(messages)


def _bullets(messages: list[str]) -> str:
    return "\n\n".join(f"* {message}" for message in messages)
