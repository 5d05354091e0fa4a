"""What the inputs of the artifact say of protected columns, alone and together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordain.runtime.fairness.proxies import scan
from ordain.runtime.validation.checks import untold
from ordain.runtime.validation.scene import protected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

SECTION = "proxies"


def examine(scene: Scene) -> Iterator[Check]:
    """A check for each pair and each protected column; they decide where a limit is declared."""
    limits = scene.order.spec.acceptance.proxies
    if not protected(scene):
        return
    if scene.unreadable or not len(scene.rows):
        reason = scene.unreadable or "there are no rows"
        yield untold(SECTION, "joint_auc", reason, limit="acceptance.proxies" if limits else "")
        return
    order, names = scene.order, scene.served.names
    yield from scan(order.data, scene.table, scene.rows, names, limits=limits, seed=order.seed)
