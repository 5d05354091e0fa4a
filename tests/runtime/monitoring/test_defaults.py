from __future__ import annotations

import pytest

from ordain.runtime.monitoring.defaults import default_monitor


def test_a_more_material_model_is_never_watched_less() -> None:
    strict, middle, lenient = (default_monitor("credit", tier) for tier in (1, 2, 3))
    assert [one.psi.fail for one in (strict, middle, lenient)] == [0.2, 0.25, 0.25]
    assert [one.hysteresis.breaches for one in (strict, middle, lenient)] == [1, 1, 2]
    assert strict.prediction_psi == strict.psi


@pytest.mark.parametrize("tier", [1, 2, 3])
def test_everything_is_watched_and_a_breach_alerts(tier: int) -> None:
    monitor = default_monitor("credit", tier)
    assert (monitor.deployment, monitor.features, monitor.on_breach) == ("credit", (), ("alert",))
    assert monitor.psi.warn < monitor.psi.fail
    assert monitor.hysteresis.breaches <= monitor.hysteresis.of
    assert monitor.window.min_rows <= monitor.window.rows


def test_there_is_no_default_for_a_tier_that_does_not_exist() -> None:
    with pytest.raises(KeyError):
        default_monitor("credit", 4)
