"""What was done in an emergency is proposed, reviewed and merged on a forge with accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from forges import trouble

from ordain.reconciler.break_glass import BreakGlass, Order
from ordain.reconciler.drivers import LocalDriver
from ordain.reconciler.gating import read_side
from ordain.reconciler.review import Reviewer, review
from ordain.vcs.emergencies import branch_of
from ordain.vcs.git import Repository

if TYPE_CHECKING:
    from ordain.reconciler.break_glass import Acted
    from ordain.reconciler.passes import Reconciler
    from tests.reconciler.hosting import Forged, Hosted

ROUTE = "malignancy"


def ready(hosted: Forged) -> Reconciler:
    """A reconciler whose branch has passed the gate."""
    reconciler = hosted.reconciler()
    reconciler.gate(reconciler.source.head())
    return reconciler


def stop(hosted: Forged, reconciler: Reconciler) -> Acted:
    source = reconciler.source
    driver = LocalDriver(source.home, lambda: hosted.now)
    glass = BreakGlass(source, reconciler.state, reconciler.ledger, driver, lambda: hosted.now)
    return glass.act(Order("stop", ROUTE, "people are harmed", Reviewer("manager")))


def test_an_emergency_is_a_pull_request_that_somebody_else_reviews(hosted: Hosted) -> None:
    reconciler = ready(hosted)
    acted = stop(hosted, reconciler)
    assert acted.warnings == ()
    (pull,) = hosted.site.pulls.values()
    assert (pull.head, pull.base) == (branch_of(acted.emergency.id), "main")
    assert pull.title == "Stop the route malignancy in an emergency"
    hosted.mirror()
    source = hosted.source()
    assert source.forge.proposal(branch_of(acted.emergency.id)).number == pull.number

    assert review(source, str(pull.number), hosted.now).judged.blocked
    hosted.site.review(pull.number, "cleo")
    assert not review(hosted.source(), str(pull.number), hosted.now).judged.blocked
    made = hosted.press(pull)
    reconciler = ready(hosted)
    reconciler.source.fetch()
    assert reconciler.gate(reconciler.source.head()).good == made
    side = read_side(reconciler.source, made)
    (one,) = reconciler.emergencies(side).all
    assert one.approved is not None


def test_a_forge_that_does_not_answer_keeps_no_route_going(hosted: Hosted) -> None:
    reconciler = ready(hosted)
    hosted.site.trouble(trouble.status(403), "/pulls", times=None)
    acted = stop(hosted, reconciler)
    (warning,) = acted.warnings
    assert warning.startswith("the emergencies could not all be proposed on the remote origin yet")
    with Repository.open(hosted.bare) as repository:
        assert repository.refs(f"refs/heads/{branch_of(acted.emergency.id)}")
    assert acted.emergency.in_force
