"""Files that are no documents and decide as much as one.

What a model learns with (the lock), how a refusal is worded (the reasons), what a version must
answer (edge cases), which rows are selected (a query) and what tests a policy are files that
documents name. Data that its Dataset pins by digest needs nobody: other bytes are another digest,
which is a change of the Dataset. What tells a forge whom to ask and what runs before a merge
decides over every later change, like a policy.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Final

from ordain.specs.trees import is_document_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ordain.specs.documents import LoadedEstate

# By forge: where it looks for code owners first, so that no other file can hide this one.
OWNERS_FILE: Final = {"github": ".github/CODEOWNERS", "gitlab": "CODEOWNERS"}
_PLACES: Final = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
PIPELINES: Final = (".github/", ".gitlab/")
PIPELINE: Final = ".gitlab-ci.yml"
RULES: Final = "policies/"


def file_roles(paths: Iterable[str], *estates: LoadedEstate) -> Iterator[tuple[str, str]]:
    """(path, role that approves it) of every file that needs somebody, by what any estate names."""
    named = frozenset[tuple[str, str]]().union(*map(named_files, estates))
    for path in paths:
        roles = {role for name, role in named if name == path}
        if decides_merges(path) or _is_rule(path):
            roles.add("cto")
        yield from ((path, role) for role in sorted(roles))


def named_files(estate: LoadedEstate) -> frozenset[tuple[str, str]]:
    """(path, role that approves it) of every file that the documents of an estate name."""
    found = {(one.spec.environment_lock, "manager") for one in estate.all("Estate")}
    for dataset in estate.all("Dataset"):
        source = dataset.spec.source
        if source.query:
            found.add((source.query, "manager"))
        if source.uri and dataset.spec.digest is None and "://" not in source.uri:
            found.add((posixpath.normpath(source.uri), "manager"))
    for model in estate.all("Model"):
        if model.spec.explanation.reasons:
            found.add((model.spec.explanation.reasons, "compliance-manager"))
        if model.spec.validation.edge_cases:
            found.add((model.spec.validation.edge_cases, "manager"))
    return frozenset((path, role) for path, role in found if not is_document_path(path))


def decides_merges(path: str) -> bool:
    """Whether a file says whom a forge asks, or what runs there before a merge."""
    return path in _PLACES or path == PIPELINE or path.startswith(PIPELINES)


def _is_rule(path: str) -> bool:
    return path.startswith(RULES) and not is_document_path(path)
