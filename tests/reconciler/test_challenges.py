"""A validation is written by its validator, who is of no team that ever shaped the model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ordain.reconciler.gating import judge_commit, read_side
from ordain.reconciler.review import judge_sides
from ordain.specs.findings import Severity
from ordain.vcs.keys import Signer, generate_key, parse_signer

if TYPE_CHECKING:
    from tests.reconciler.conftest import Bench

RECORD = """\
apiVersion: ordain.dev/v1
kind: Validation
metadata: {name: malignancy-1}
spec:
  model: malignancy
  artifact: sha256:%s
  validator: validator
  outcome: approved
  performedOn: 2026-11-19
""" % ("1" * 64)
PATH = "specs/validations/malignancy-1.yaml"
ORGANIZATION = "specs/organization.yaml"


def appointed(bench: Bench, team: str) -> tuple[str, Signer]:
    """A commit in which there is a validator of that team, and their key."""
    pem, line = generate_key("validator")
    person = (
        f"    - name: validator\n      roles: [validator]\n      team: {team}\n"
        f"      keys: [{{public: {line!r}}}]\n"
    )
    files = bench.edited(ORGANIZATION, "    - name: manager\n", person + "    - name: manager\n")
    return bench.commit(files), parse_signer(pem, "validator")


def errors(bench: Bench, base: str) -> list[tuple[str, str]]:
    """What blocks the step from a commit to the tip, which nobody has approved."""
    source = bench.source()
    judged = judge_commit(
        source, read_side(source, base), read_side(source, source.head()), bench.now
    )
    found = (one for one in judged.findings if one.severity is Severity.ERROR)
    return [(one.code, one.message) for one in found]


def test_a_validator_of_another_team_writes_a_record(bench: Bench) -> None:
    base, signer = appointed(bench, "model-validation")
    bench.commit({PATH: RECORD.encode()}, by=signer)
    assert errors(bench, base) == []


@pytest.mark.parametrize("versions", [0, 1])
def test_a_validator_of_the_team_that_built_the_model_does_not(bench: Bench, versions: int) -> None:
    """Nor once a version runs, from which on nobody has changed anything."""
    for number in range(versions):
        bench.promote(bench.version(number + 1))
    base, signer = appointed(bench, "pathology")
    bench.commit({PATH: RECORD.encode()}, by=signer)
    assert errors(bench, base) == [
        (
            "SOD-TEAM",
            (
                "Validation/malignancy-1 is by validator of the team pathology, "
                "which contributed to malignancy"
            ),
        )
    ]


def test_a_record_in_the_name_of_the_validator_by_somebody_else_is_refused(bench: Bench) -> None:
    base, signer = appointed(bench, "model-validation")
    bench.commit({PATH: RECORD.replace("approved", "rejected").encode()}, by=signer)
    bench.commit({PATH: RECORD.encode()}, by="data-scientist")
    # What else the data scientist signs in the change does not matter.
    bench.owner("histology", by="data-scientist")
    said = "Validation/malignancy-1 is in the name of validator and was written by data-scientist"
    assert errors(bench, base) == [("SOD-VALIDATOR", said)]


def test_a_record_beside_the_work_of_others_is_still_the_validators(bench: Bench) -> None:
    base, signer = appointed(bench, "model-validation")
    bench.owner("histology", by="data-scientist")
    bench.commit({PATH: RECORD.encode()}, by=signer)
    assert errors(bench, base) == []


def test_who_shapes_the_model_in_the_same_change_is_no_outsider(bench: Bench) -> None:
    base, signer = appointed(bench, "model-validation")
    bench.owner("histology", by=signer)
    bench.commit({PATH: RECORD.encode()}, by=signer)
    assert errors(bench, base) == [
        (
            "SOD-TEAM",
            "Validation/malignancy-1 is by validator, who contributed to malignancy",
        )
    ]


def test_what_came_to_the_branch_meanwhile_counts_as_well(bench: Bench) -> None:
    base, signer = appointed(bench, "model-validation")
    branch = "refs/heads/record"
    head = bench.commit({PATH: RECORD.encode()}, by=signer, branch=branch, parents=(base,))
    onto = bench.owner("histology", by=signer)
    _, _, judged = judge_sides(bench.source(), onto, head, bench.now)
    assert [one.code for one in judged.findings if one.code.startswith("SOD-")] == ["SOD-TEAM"]


def test_who_takes_a_draft_back_by_a_merge_has_written_the_record(bench: Bench) -> None:
    """It is as in one parent, which is the validator's, and not what merging the two gives."""
    base, signer = appointed(bench, "model-validation")
    record, branch = {PATH: RECORD.encode()}, "refs/heads/record"
    draft = bench.commit(record, by=signer, branch=branch, parents=(base,))
    rejected = {PATH: RECORD.replace("outcome: approved", "outcome: rejected").encode()}
    later = bench.commit(rejected, by=signer, branch=branch)
    taken = bench.commit(record, by="data-scientist", branch=branch, parents=(later, draft))
    bench.commit(record, by="manager", parents=(base, taken))
    said = "Validation/malignancy-1 is in the name of validator and was written by data-scientist"
    assert errors(bench, base) == [("SOD-VALIDATOR", said)]


def test_a_record_is_removed_by_its_validator_and_by_nobody_else(bench: Bench) -> None:
    _, signer = appointed(bench, "model-validation")
    base = bench.commit({PATH: RECORD.encode()}, by=signer)
    bench.commit({PATH: None}, by="manager")
    said = "Validation/malignancy-1 is in the name of validator and was removed by"
    found = dict(errors(bench, base))
    assert found["SOD-VALIDATOR"] == f"{said} manager"
    bench.commit({PATH: RECORD.encode()}, by=signer)
    base = bench.source().head()
    bench.commit({PATH: None}, by=signer)
    assert "SOD-VALIDATOR" not in dict(errors(bench, base))
