"""The pipelines that an estate is given: files of a forge, and the name of the check in them.

They are files and no code that writes YAML, so that whoever reviews them reads what will run. Two
words are put in: the version of ordain that wrote them and the protected branch. Actions of others
are named by the commit, because a tag can be moved to another one. The image of GitLab's job is
named by a tag all the same: its digest differs by registry and mirror, and the file says where to
put the one that a project trusts.

`doctor --forge` asks the forge for the check of this name, so both are here.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

# The job of the gate, which is the name of its check on GitHub.
GATE: Final = "ordain gate"
GITHUB_GATE: Final = ".github/workflows/ordain.yml"
GITHUB_REVIEWS: Final = ".github/workflows/ordain-reviews.yml"
GITLAB_GATE: Final = ".gitlab/ordain.gitlab-ci.yml"
GITLAB_ENTRY: Final = ".gitlab-ci.yml"
INCLUDED: Final = f"include:\n  - local: {GITLAB_GATE}\n"
_FILES: Final = {
    "github": {
        GITHUB_GATE: "ordain.yml",
        GITHUB_REVIEWS: "ordain-reviews.yml",
        ".github/workflows/ordain-reconcile.yml": "ordain-reconcile.yml",
    },
    "gitlab": {GITLAB_GATE: "ordain.gitlab-ci.yml"},
}
FORGES: Final = tuple(_FILES)
_EXPRESSION: Final = re.compile(r"(?<=\$\{\{)(.*?)(?=\}\})")


def pipeline_files(forge: str, *, version: str, branch: str) -> Mapping[str, str]:
    """What `ordain init --ci FORGE` writes: text by path."""
    found = {
        path: _filled(name, version=version, branch=branch) for path, name in _FILES[forge].items()
    }
    return found | ({GITLAB_ENTRY: INCLUDED} if forge == "gitlab" else {})


def _filled(name: str, *, version: str, branch: str) -> str:
    text = (resources.files("ordain.reconciler") / "templates" / name).read_text(encoding="utf-8")
    text = text.replace("@VERSION@", version)
    # An expression of a workflow has texts in single quotes, YAML takes those of JSON.
    quoted = "'" + branch.replace("'", "''") + "'"
    text = _EXPRESSION.sub(lambda found: found[1].replace("@BRANCH@", quoted), text)
    return text.replace("@BRANCH@", json.dumps(branch, ensure_ascii=False))
