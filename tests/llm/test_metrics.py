"""Counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writ.llm.metrics import Histogram


@given(st.lists(st.floats(0.001, 600), min_size=1), st.sampled_from([0.1, 0.5, 0.9, 0.99, 1.0]))
def test_quantile_is_right_within_a_bucket(seconds: list[float], share: float) -> None:
    histogram = Histogram()
    for value in seconds:
        histogram.add(value)
    exact = sorted(seconds)[max(0, -int(-share * len(seconds) // 1) - 1)]
    assert exact * 0.999 <= histogram.quantile_s(share) <= exact * 1.4143
    assert histogram.total_s == pytest.approx(sum(seconds))


def test_quantile_of_nothing_is_zero() -> None:
    assert Histogram().quantile_s(0.5) == 0


def test_latency_above_the_last_bound_counts() -> None:
    histogram = Histogram()
    histogram.add(1e6)
    assert histogram.count == 1
    assert histogram.quantile_s(0.5) > 700


def test_cumulative_counts_end_with_all_and_hold_every_bucket_below_their_bound():
    histogram = Histogram()
    for seconds in (0.0001, 0.002, 0.5, 1e6):
        histogram.add(seconds)
    found = histogram.cumulative()
    assert found[-1] == (float("inf"), 4)
    assert all(count == sum(seconds <= bound for seconds in (0.0001, 0.002, 0.5, 1e6)) for bound, count in found)
