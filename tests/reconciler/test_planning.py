"""From desired and observed to a list of stages; nothing here touches a disk or a process."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ordain.compilers.resources import Waiting
from ordain.reconciler.outcomes import Outcome, Validated
from ordain.reconciler.planning import (
    Desired,
    Observed,
    Plan,
    Running,
    SeenProposal,
    SeenServer,
    Wanted,
    make_plan,
    validation_key,
)
from ordain.reconciler.stages import (
    Enrol,
    Propose,
    Rebuild,
    Retire,
    Serve,
    Stage,
    StopServing,
    Train,
    Validate,
    Withdraw,
)
from ordain.specs.canonical import digest

RECIPE = "sha256:" + "1" * 64
OTHER = "sha256:" + "2" * 64
ARTIFACT = "sha256:" + "a" * 64
BASIS = "sha256:" + "b" * 64
VALIDATED = {validation_key(BASIS, ARTIFACT): Validated("validation pass", "passed", "{}")}
PASSED = Outcome("evidence pass", "proposable", ARTIFACT)
FAILED = Outcome.failure("no rows", "look at the data")
REJECTED = Outcome("the evidence fails: roc_auc 0.51", "rejected", ARTIFACT)
CONFIG: dict[str, Any] = {
    "routes": [{"endpoint": "/v1/credit"}],
    "deployments": {"credit": {"model": "credit", "version": 1}},
}


def wanted(made: int | None = None, newest: int = 0, recipe: str | None = RECIPE) -> Wanted:
    return Wanted("credit", recipe, made, newest, BASIS)


def desired(*models: Wanted, **more: Any) -> Desired:  # noqa: ANN401 - fields of Desired
    fields: dict[str, Any] = {"running": (), "servers": {}, **more}
    return Desired("c" * 40, models, **fields)


def seen(**more: Any) -> Observed:  # noqa: ANN401 - fields of Observed
    return Observed(**{"inventory": {"credit": "active"}, **more})


def reasons(plan: Plan) -> list[tuple[str, str]]:
    return [(one.key, one.reason) for one in plan.waiting]


# Models


def test_a_new_model_is_enrolled_trained_validated_and_proposed_in_this_order() -> None:
    plan = make_plan(desired(wanted()), Observed())
    assert plan.stages == (
        Enrol("credit"),
        Train("credit", RECIPE),
        Validate("credit", RECIPE),
        Propose("credit", 1, RECIPE),
    )


def test_a_trained_recipe_is_validated_and_not_trained_again() -> None:
    plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: PASSED}))
    assert plan.stages == (Validate("credit", RECIPE, ARTIFACT), Propose("credit", 1, RECIPE))
    assert plan.stages[0].explain() == "validate credit (artifact aaaaaaaaaaaa)"
    assert Validate("credit", RECIPE).explain() == "validate credit (what that makes)"


def test_a_validated_artifact_is_proposed_and_not_validated_again() -> None:
    plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: PASSED}, validations=VALIDATED))
    assert plan.stages == (Propose("credit", 1, RECIPE),)


@pytest.mark.parametrize("key", ["sha256:" + "c" * 64, validation_key(BASIS, OTHER)])
def test_a_validation_of_something_else_is_none(key: str) -> None:
    passed = {key: Validated("validation pass", "passed", "{}")}
    plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: PASSED}, validations=passed))
    assert plan.stages[0] == Validate("credit", RECIPE, ARTIFACT)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (Validated.failure("the artifact is gone", "restore it"), "ValidationBroken"),
        (Validated("the validation does not pass: edge-cases", "rejected"), "ValidationFails"),
    ],
)
def test_what_did_not_pass_its_validation_waits_with_its_reason(
    found: Validated, reason: str
) -> None:
    validations = {validation_key(BASIS, ARTIFACT): found}
    plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: PASSED}, validations=validations))
    assert plan.stages == ()
    assert plan.waiting == (Waiting("Model/credit", reason, found.summary),)


def test_what_cannot_be_validated_yet_is_trained_and_not_proposed() -> None:
    unpinned = replace(wanted(), basis=None)
    assert make_plan(desired(unpinned), seen()).stages == (Train("credit", RECIPE),)


def test_a_proposal_that_was_validated_otherwise_is_withdrawn_and_made_again() -> None:
    for basis in ("", "sha256:" + "c" * 64):
        old = SeenProposal("credit-1", "credit", RECIPE, basis)
        plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: PASSED}, proposals=(old,)))
        assert plan.stages == (
            Withdraw("credit-1", "credit"),
            Validate("credit", RECIPE, ARTIFACT),
            Propose("credit", 1, RECIPE),
        )


def test_an_open_proposal_is_waited_for_and_not_made_twice() -> None:
    open_one = SeenProposal("credit-1", "credit", RECIPE, BASIS)
    plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: PASSED}, proposals=(open_one,)))
    assert plan.stages == ()
    (waiting,) = plan.waiting
    assert waiting == Waiting(
        "Model/credit",
        "ApprovalPending",
        "credit-1 waits for approval: ordain proposals show credit-1",
    )


def test_an_open_proposal_is_enough_even_when_the_outcome_was_lost() -> None:
    open_one = SeenProposal("credit-1", "credit", RECIPE, BASIS)
    plan = make_plan(desired(wanted()), seen(proposals=(open_one,)))
    assert plan.stages == ()
    assert reasons(plan) == [("Model/credit", "ApprovalPending")]


def test_a_proposal_of_another_recipe_is_withdrawn_before_the_new_one_is_made() -> None:
    open_one = SeenProposal("credit-1", "credit", OTHER)
    plan = make_plan(desired(wanted()), seen(proposals=(open_one,)))
    assert plan.stages == (
        Withdraw("credit-1", "credit"),
        Train("credit", RECIPE),
        Validate("credit", RECIPE),
        Propose("credit", 1, RECIPE),
    )


def test_a_proposal_of_a_version_that_was_made_meanwhile_is_withdrawn() -> None:
    open_one = SeenProposal("credit-1", "credit", RECIPE, BASIS)
    plan = make_plan(desired(wanted(made=1, newest=1)), seen(proposals=(open_one,)))
    assert plan.stages == (Withdraw("credit-1", "credit"),)


def test_a_made_version_needs_nothing() -> None:
    assert make_plan(desired(wanted(made=1, newest=1)), seen()).stages == ()


def test_a_changed_recipe_gets_the_next_number() -> None:
    plan = make_plan(desired(wanted(newest=4)), seen())
    assert plan.stages[-1] == Propose("credit", 5, RECIPE)


def test_a_model_without_training_is_only_enrolled() -> None:
    assert make_plan(desired(wanted(recipe=None)), Observed()).stages == (Enrol("credit"),)


@pytest.mark.parametrize(
    ("outcome", "reason", "message"),
    [
        (FAILED, "TrainingFailed", "no rows"),
        (REJECTED, "EvidenceFails", "the evidence fails: roc_auc 0.51"),
    ],
)
def test_what_cannot_be_proposed_waits_with_its_reason(
    outcome: Outcome, reason: str, message: str
) -> None:
    plan = make_plan(desired(wanted()), seen(outcomes={RECIPE: outcome}))
    assert plan.stages == ()
    assert plan.waiting == (Waiting("Model/credit", reason, message),)


# Inventory


def test_a_model_that_is_gone_is_retired_once_and_its_proposal_withdrawn() -> None:
    open_one = SeenProposal("credit-2", "credit", RECIPE)
    plan = make_plan(desired(), seen(proposals=(open_one,)))
    assert plan.stages == (Retire("credit"), Withdraw("credit-2", "credit"))
    assert make_plan(desired(), Observed(inventory={"credit": "retired"})).stages == ()


def test_a_model_that_comes_back_is_enrolled_again() -> None:
    plan = make_plan(desired(wanted(made=1)), Observed(inventory={"credit": "retired"}))
    assert plan.stages == (Enrol("credit"),)


# Artifacts


def test_a_lost_artifact_is_rebuilt_where_the_recipe_is_still_declared() -> None:
    run = Running("credit", 3, RECIPE, ARTIFACT)
    plan = make_plan(
        desired(wanted(made=3, newest=3), running=(run,)), seen(missing=frozenset({ARTIFACT}))
    )
    assert plan.stages == (Rebuild("credit", 3, RECIPE, ARTIFACT),)


def test_a_lost_artifact_of_another_recipe_must_be_restored() -> None:
    run = Running("credit", 3, OTHER, ARTIFACT)
    plan = make_plan(
        desired(wanted(made=4, newest=4), running=(run,)), seen(missing=frozenset({ARTIFACT}))
    )
    assert plan.stages == ()
    assert plan.waiting == (
        Waiting(
            "Model/credit",
            "ArtifactMissing",
            "the artifact of credit@3 is missing from the store or was changed: restore it",
        ),
    )


# Serving


def test_serving_starts_changes_and_stops_with_what_git_declares() -> None:
    declared = desired(servers={"production": CONFIG})
    start = make_plan(declared, Observed())
    assert start.stages == (
        Serve("production", digest(CONFIG), running=False, reason="/v1/credit (credit = credit@1)"),
    )
    running = SeenServer(digest(CONFIG), ready=True)
    assert make_plan(declared, Observed(servers={"production": running})).stages == ()
    (update,) = make_plan(
        declared, Observed(servers={"production": replace(running, config=OTHER)})
    ).stages
    assert isinstance(update, Serve)
    assert update.running
    gone = make_plan(desired(), Observed(servers={"production": running}))
    assert gone.stages == (StopServing("production"),)


def test_a_server_that_is_not_ready_is_served_again_with_what_it_says() -> None:
    ill = SeenServer(digest(CONFIG), ready=False, detail="no blob")
    (stage,) = make_plan(
        desired(servers={"production": CONFIG}), Observed(servers={"production": ill})
    ).stages
    assert stage.explain() == "update serving of production: no blob"


def test_serving_is_touched_last() -> None:
    run = Running("old", 1, OTHER, ARTIFACT)
    declared = desired(
        wanted(),
        Wanted("old", OTHER, 1, 1),
        running=(run,),
        servers={"production": CONFIG},
    )
    plan = make_plan(declared, Observed(missing=frozenset({ARTIFACT}), inventory={"x": "active"}))
    kinds = [type(stage).__name__ for stage in plan.stages]
    made = ["Train", "Validate", "Propose"]
    assert kinds == ["Enrol", "Enrol", "Retire", "Rebuild", *made, "Serve"]


# How stages are told


@pytest.mark.parametrize(
    ("stage", "line"),
    [
        (Train("credit", RECIPE), "+ train credit (recipe 111111111111)"),
        (
            Rebuild("credit", 2, RECIPE, ARTIFACT),
            "~ rebuild credit@2 (aaaaaaaaaaaa is missing from the store or was changed)",
        ),
        (
            Withdraw("credit-1", "credit"),
            "- withdraw the proposal credit-1: credit is declared or validated otherwise now",
        ),
        (Propose("credit", 2, RECIPE), "+ propose credit@2 for approval"),
        (
            Serve("production", RECIPE, running=False, reason="/v1/credit"),
            "~ start serving of production: /v1/credit",
        ),
        (
            StopServing("production"),
            "- stop serving of production: git declares no route there",
        ),
        (Enrol("credit"), "+ enrol credit in the inventory"),
        (
            Retire("credit"),
            "- retire credit: its document is gone; artifacts and records stay",
        ),
    ],
)
def test_a_stage_says_what_it_will_do(stage: Stage, line: str) -> None:
    assert f"{stage.symbol} {stage.explain()}" == line
    assert stage.to_json()["stage"] == type(stage).__name__


def test_the_digest_of_an_observation_ignores_what_no_plan_depends_on() -> None:
    one = seen(outcomes={RECIPE: replace(PASSED, summary="one")})
    two = seen(outcomes={RECIPE: replace(PASSED, summary="two")})
    assert one.digest == two.digest
    assert one.digest != seen(outcomes={RECIPE: REJECTED}).digest
    assert one.digest != replace(one, missing=frozenset({ARTIFACT})).digest


# Property: a plan that was carried out leaves nothing to do


NAMES = st.sampled_from(["credit", "churn", "fraud"])
RECIPES = st.sampled_from(["sha256:" + character * 64 for character in "123"])
ARTIFACTS = st.sampled_from(["sha256:" + character * 64 for character in "abc"])
FATES = st.sampled_from([PASSED, FAILED, REJECTED])
CONFIGS = st.fixed_dictionaries({"port": st.integers(1, 3)})
ENVIRONMENTS = st.sampled_from(["production", "staging"])


@st.composite
def declared(draw: st.DrawFn) -> Desired:
    names = draw(st.lists(NAMES, unique=True))
    models = []
    for name in names:
        newest = draw(st.integers(0, 3))
        made = draw(st.sampled_from([None, newest])) if newest else None
        models.append(Wanted(name, draw(st.none() | RECIPES), made, newest))
    running = [
        Running(one.model, one.newest, draw(RECIPES), draw(ARTIFACTS))
        for one in models
        if one.newest
    ]
    servers = draw(st.dictionaries(ENVIRONMENTS, CONFIGS))
    return Desired("c" * 40, tuple(models), tuple(running), servers)


@st.composite
def observed(draw: st.DrawFn) -> Observed:
    numbered = st.tuples(NAMES, st.integers(1, 4))
    proposals = draw(st.dictionaries(numbered, RECIPES))
    return Observed(
        outcomes=draw(st.dictionaries(RECIPES, FATES)),
        servers=draw(
            st.dictionaries(ENVIRONMENTS, st.builds(SeenServer, CONFIGS.map(digest), st.booleans()))
        ),
        proposals=tuple(
            SeenProposal(f"{model}-{number}", model, recipe)
            for (model, number), recipe in sorted(proposals.items())
        ),
        inventory=draw(st.dictionaries(NAMES, st.sampled_from(["active", "retired"]))),
        missing=draw(st.frozensets(ARTIFACTS)),
    )


def carried_out(plan: Plan, desired: Desired, before: Observed, fate: Outcome) -> Observed:
    """The world after every stage has done what it says; training ends as `fate` says."""
    outcomes, servers = dict(before.outcomes), dict(before.servers)
    proposals, inventory = list(before.proposals), dict(before.inventory)
    missing = set(before.missing)
    for stage in plan.stages:
        match stage:
            case Train():
                outcomes[stage.recipe] = fate
            case Rebuild():
                missing.discard(stage.artifact)
            case Withdraw():
                proposals = [one for one in proposals if one.id != stage.proposal]
            case Propose() if outcomes[stage.recipe].fate == "proposable":
                name = f"{stage.model}-{stage.version}"
                proposals.append(SeenProposal(name, stage.model, stage.recipe))
            case Serve():
                wanted = digest(desired.servers[stage.environment])
                servers[stage.environment] = SeenServer(wanted, ready=True)
            case StopServing():
                del servers[stage.environment]
            case Enrol():
                inventory[stage.model] = "active"
            case Retire():
                inventory[stage.model] = "retired"
    return Observed(outcomes, servers, tuple(proposals), inventory, frozenset(missing))


@pytest.mark.property
@given(declared(), observed(), FATES)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    want: Desired, before: Observed, fate: Outcome
) -> None:
    plan = make_plan(want, before)
    after = carried_out(plan, want, before, fate)
    assert make_plan(want, after).stages == ()


@pytest.mark.property
@given(declared(), observed())
def test_no_plan_does_the_same_thing_twice_or_trains_what_is_trained(
    want: Desired, before: Observed
) -> None:
    plan = make_plan(want, before)
    assert len(set(plan.stages)) == len(plan.stages)
    assert plan == make_plan(want, before)
    for stage in plan.stages:
        if isinstance(stage, Train):
            assert stage.recipe not in before.outcomes
