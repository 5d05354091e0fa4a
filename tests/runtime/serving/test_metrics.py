"""The metrics page is what a Prometheus server reads."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ordain.runtime.serving.metrics import Counter, Metrics


def test_prometheus_reads_it() -> None:
    metrics = Metrics()
    metrics.predictions.add("credit", "m", "1", 'say "no"\\\n')
    metrics.latency.observe(0.002, "credit")
    metrics.latency.observe(9.0, "credit")
    families = {one.name: one for one in text_string_to_metric_families(metrics.render().decode())}
    (sample,) = families["ordain_predictions"].samples
    assert sample.labels["decision"] == 'say "no"\\\n'
    assert sample.value == 1
    found = {
        (one.name, one.labels.get("le")): one.value
        for one in families["ordain_prediction_latency_seconds"].samples
    }
    assert found["ordain_prediction_latency_seconds_bucket", "0.001"] == 0
    assert found["ordain_prediction_latency_seconds_bucket", "0.0025"] == 1
    assert found["ordain_prediction_latency_seconds_bucket", "+Inf"] == 2
    assert found["ordain_prediction_latency_seconds_count", None] == 2
    assert found["ordain_prediction_latency_seconds_sum", None] == pytest.approx(9.002)


def test_a_counter_counts_by_label() -> None:
    counter = Counter("c_total", "Text.", ("route",))
    counter.add("a")
    counter.add("a", by=2)
    assert (counter.value("a"), counter.value("b")) == (3, 0)
