"""What the reconciler finds in commits, for `ordain explain`."""

from __future__ import annotations

from typing import Final

from ordain.specs.explanations import Explanation

CODES: Final = {
    "GATE001": Explanation(
        "a commit is not signed by anybody in the Organization",
        "Without a signer there is no contributor, and without contributors nobody can say that an "
        "approver is independent. The author that a commit names is a claim, not an identity.",
        "git commit --no-gpg-sign",
        "sign it: git commit --amend -S, with a key that specs/organization.yaml lists",
    ),
    "GATE002": Explanation(
        "a merge holds something else than its two parents give",
        "A merge commit can carry changes that stand in neither parent, and that nobody reviewed.",
        "git merge --no-commit topic && edit a file && git commit",
        "merge with ordain proposals merge, or make the change in a commit of its own",
    ),
    "GATE003": Explanation(
        "the branch does not go on from the last good commit",
        "The history was rewritten, or the branch was moved to a merge whose first parent is "
        "another line. Production stays where it is.",
        "git push --force",
        "put the branch back, or let it be judged anew with ordain reconcile --trust-again",
    ),
    "GATE004": Explanation(
        "there is not exactly one Organization",
        "Keys count because the Organization lists them. After a commit without one, or with two, "
        "nobody could sign the change that mends it.",
        "git rm specs/organization.yaml",
        "keep one Organization document, with the keys of people and of the reconciler",
    ),
    "GATE005": Explanation(
        "a key or an account is to change hands",
        "What was signed with a key was made by its holder, and what an account brought in, by "
        "whose it was. Listed for somebody else, they would name another contributor, and the one "
        "who did the work could approve it.",
        "list the key of one person under the name of another",
        "give every person keys and accounts of their own: ssh-keygen -t ed25519",
    ),
    "GATE006": Explanation(
        "a commit is in the name of somebody else than its signer",
        "The author is a claim. Where it means another person of the Organization, by name or "
        "address, either the claim is false or somebody applied the work of somebody else in a way "
        "that hides who signed for it.",
        "git commit --author='manager <manager@example.org>'",
        "commit it as yourself (--reset-author) and name the other one in a line Co-authored-by",
    ),
}
