"""A verdict as one document: what was judged, by which rules, what was found, and who approved.

An examiner asks years later why a change was let through. The answer must not depend on a log that
was thrown away, so everything that the verdict rests on stands in one JSON object: commits, trees
and blobs by their git ids, the policies by digest, findings in full, every approval with its proof,
those that did not count with the reason. It is canonical JSON, and its own digest is its last word:
the same inputs at the same instant give the same bytes, in CI, on a laptop and in the reconciler.

The time is an argument and is part of the record, because expiry of keys and waivers is judged by
it. Refused: a record that only points at a log or an artifact, and one that quotes the documents,
which git keeps already under the tree's id.

`essentials` is the short form for the ledger: a chain is read record by record, so a change with
5,000 findings must not make a line of megabytes. It holds the digest of the whole record, the
counts, and the heaviest findings up to a limit.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ordain.policies.errors import RecordDamaged
from ordain.policies.gate import verdict_of
from ordain.policies.separation import Counted, missing
from ordain.specs.canonical import canonical_json, digest
from ordain.specs.diagnostics import counts, cut
from ordain.specs.findings import Severity, blocking
from ordain.specs.trees import is_document_path
from ordain.specs.writers import readable
from ordain.specs.writers.checked import Checked, Waived
from ordain.specs.writers.documents import plain_findings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from ordain.policies.changes import ChangeFacts
    from ordain.policies.gate import Judgement
    from ordain.policies.separation import Refused
    from ordain.specs.explanations import Explanation
    from ordain.specs.findings import Finding
    from ordain.vcs.approvals import Approval, RejectedApproval

FORMAT: Final = "ordain.verdict/1"
# What one line of the ledger holds of a verdict; the rest is counted there and in the record.
MOST_IN_LEDGER: Final = 50
_LONGEST: Final = 300
_WEIGHTS: Final = tuple(Severity)


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a verdict was given besides the rules: trees by their ids, the change, its people.

    `tree` is what was judged, for a merge that is not made yet the tree that it would give. Both
    trees are ids of git; `base_tree` is empty for the first commit. `evidence` holds (path, blob)
    of every file of evidence in the tree. `rejected` are approvals that were none before anybody's
    role was asked. What could not be judged as a change has no `facts`.
    """

    tree: str
    base_tree: str = ""
    facts: ChangeFacts | None = None
    evidence: tuple[tuple[str, str], ...] = ()
    rejected: tuple[RejectedApproval, ...] = ()


def described(  # noqa: PLR0913 - all that a writer may say
    judgement: Judgement,
    now: datetime,
    tree: Mapping[str, bytes],
    *,
    findings: tuple[Finding, ...] | None = None,
    revision: str = "",
    base: str = "",
    fail_on: Severity = Severity.ERROR,
    command: tuple[str, ...] = ("ordain", "check"),
    pages: Mapping[str, Explanation] | None = None,
) -> Checked:
    """What the gate said, for the writers; `findings` are given where there are more than its."""
    found = judgement.findings if findings is None else findings
    return Checked(
        verdict_of(found),
        found,
        now,
        tree,
        tuple(
            Waived(one.finding, one.waiver, one.reason, one.approved_by, one.expires, one.subject)
            for one in judgement.suppressed
        ),
        paths=tuple(filter(is_document_path, tree)),
        engine=judgement.engine,
        policies=judgement.policies,
        revision=revision,
        base=base,
        change=judgement.kind.value if judgement.kind is not None else "",
        fail_on=fail_on,
        command=command,
        pages=pages or {},
    )


def verdict_record(checked: Checked, judgement: Judgement, inputs: Inputs) -> dict[str, Any]:
    """The record of a verdict, with its digest as `digest`."""
    stand, suppressed = plain_findings(checked)
    content = {
        "format": FORMAT,
        "tool": {"name": "ordain", "version": checked.tool_version},
        "verdict": checked.verdict.value,
        "blocked": blocking(checked.findings),
        "as_of": checked.instant,
        "revision": checked.revision or None,
        "tree": inputs.tree,
        "base": checked.base or None,
        "base_tree": inputs.base_tree or None,
        "change": None if inputs.facts is None else _change(inputs.facts),
        "evidence": [{"path": path, "blob": blob} for path, blob in inputs.evidence],
        "engine": checked.engine,
        "policies": [{"name": name, "digest": found} for name, found in checked.policies],
        "summary": {**counts(checked.findings), "suppressed": len(checked.suppressed)},
        "findings": stand,
        "suppressed": suppressed,
        "required": list(_required(judgement)),
        "approvals": {
            "counted": [_approval(one) for one in judgement.approvals],
            "refused": [_refused(one) for one in judgement.refused],
            "rejected": [_rejected(one) for one in inputs.rejected],
        },
    }
    whole: dict[str, Any] = _readable(content)
    return {**whole, "digest": digest(whole)}


def _change(facts: ChangeFacts) -> dict[str, Any]:
    """The change with every blob before and after, from which its digest can be made again."""
    change = facts.change
    return {
        "kind": facts.kind.value,
        # What has a name outside of UTF-8 has no digest; a finding says so.
        "digest": None if change.unnameable else change.digest,
        "paths": [
            [one.path, one.old_blob, one.new_blob, one.old_mode, one.new_mode]
            for one in change.paths
        ],
        "added": list(facts.added),
        "changed": list(facts.changed),
        "removed": list(facts.removed),
        "loosened": [one.to_plain() for one in facts.loosened],
        "contributors": sorted(facts.contributors),
        "pusher": facts.pusher,
        "signers": list(facts.signers),
    }


def _required(judgement: Judgement) -> Iterator[dict[str, Any]]:
    counted = Counted(judgement.approvals, judgement.refused)
    for one in judgement.required:
        empty = missing(one, counted)
        yield {"roles": list(one.roles), "reason": one.reason, "missing": list(empty)}


def _approval(one: Approval) -> dict[str, Any]:
    from datetime import UTC

    return {
        "person": one.person,
        "role": one.role,
        "change": one.change,
        "base": one.base,
        "time": one.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "key": one.key,
        "proof": one.proof,
    }


def _refused(one: Refused) -> dict[str, Any]:
    return {**_approval(one.approval), "code": one.code, "reason": one.reason}


def _rejected(one: RejectedApproval) -> dict[str, Any]:
    return {"person": one.person, "change": one.change, "reason": one.reason, "proof": one.proof}


def _readable(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """The value with every text such that UTF-8 can hold it, whatever files are called."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, dict):
        return {key: _readable(one) for key, one in value.items()}
    return [_readable(one) for one in value] if isinstance(value, list) else value


def record_bytes(record: Mapping[str, Any]) -> bytes:
    """The bytes of a record: canonical JSON and a line break."""
    return canonical_json(record) + b"\n"


def read_record(data: bytes) -> dict[str, Any]:
    """A record as it was written, if nobody has changed it since.

    Raises:
        RecordDamaged: it is no record of this format, or not what its digest says.
    """
    try:
        record = json.loads(data)
        written = canonical_json(record)
    except (ValueError, TypeError, RecursionError) as error:
        raise _damaged("it is not JSON") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise _damaged(f"its format is not {FORMAT}")
    if written != data.removesuffix(b"\n"):
        raise _damaged("it is not as it was written")
    rest = {key: value for key, value in record.items() if key != "digest"}
    if record.get("digest") != digest(rest):
        raise _damaged("its content is not what its digest says")
    return record


def _damaged(reason: str) -> RecordDamaged:
    remedy = "judge the commit again: ordain check --base BASE --rev COMMIT --record FILE"
    return RecordDamaged(f"this is no verdict that can be believed: {reason}", remedy=remedy)


def essentials(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the ledger keeps of a record in one line of bounded length."""
    heaviest = sorted(record["findings"], key=lambda one: _WEIGHTS.index(one["severity"]))
    change = record["change"] or {}
    names = ("verdict", "as_of", "tree", "base", "base_tree", "engine", "summary")
    return {
        "record": record["digest"],
        "tool": record["tool"]["version"],
        **{name: record[name] for name in names},
        "kind": change.get("kind"),
        "change": change.get("digest"),
        "contributors": change.get("contributors", []),
        "policies": digest(record["policies"]),
        "findings": [
            [one["code"], one["severity"], cut(one["message"], _LONGEST)]
            for one in heaviest[:MOST_IN_LEDGER]
        ],
        "more": max(0, len(heaviest) - MOST_IN_LEDGER),
        "waivers": sorted({one["waiver"]["name"] for one in record["suppressed"]}),
        "approvals": [
            [one["person"], one["role"], one["key"], one["proof"]]
            for one in record["approvals"]["counted"]
        ],
    }
