"""What the inputs of the artifact say of protected columns, alone and together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ordain.runtime.fairness.proxies import scan
from ordain.runtime.validation.checks import untold
from ordain.runtime.validation.scene import absent, protected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ordain.runtime.validation.scene import Scene
    from ordain.specs.validations import Check

SECTION = "proxies"


def examine(scene: Scene) -> Iterator[Check]:
    """A check for each pair and each protected column; they decide where a limit is declared."""
    limits = scene.order.spec.acceptance.proxies
    deciding = "acceptance.proxies" if limits else ""
    for name in absent(scene):
        reason = f"the rows have no column {name}"
        yield untold(SECTION, "joint_auc", reason, subject=name, limit=deciding)
    if not protected(scene):
        return
    if scene.unreadable or not len(scene.rows):
        reason = scene.unreadable or "there are no rows"
        yield untold(SECTION, "joint_auc", reason, limit=deciding)
        return
    order, names = scene.order, scene.served.names
    data = order.groups
    known = {name: one for name, one in data.columns.items() if name in scene.table.column_names}
    data = replace(data, columns=known)
    yield from scan(data, scene.table, scene.rows, names, limits=limits, seed=order.seed)
