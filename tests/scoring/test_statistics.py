"""The statistics of evaluations, against brute force."""

from itertools import combinations, product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writ.errors import ConfigError
from writ.scoring.statistics import Tally, bootstrap, paired_bootstrap, pass_hat_k, sign_test

tallies = st.integers(1, 7).flatmap(lambda trials: st.builds(Tally, st.integers(0, trials), st.just(trials)))
rates = st.lists(st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), min_size=2, max_size=12)


@given(tallies)
def test_pass_hat_k_equals_the_share_of_all_draws_of_k_trials_that_all_succeed(tally):
    trials = [1] * tally.successes + [0] * (tally.trials - tally.successes)
    for k in range(1, tally.trials + 1):
        draws = list(combinations(trials, k))
        assert pass_hat_k(tally, k) == pytest.approx(sum(all(draw) for draw in draws) / len(draws))


@given(tallies)
def test_pass_hat_k_of_one_is_the_success_rate_and_it_never_rises_with_k(tally):
    figures = [pass_hat_k(tally, k) for k in range(1, tally.trials + 1)]
    assert figures[0] == pytest.approx(tally.rate)
    assert figures == sorted(figures, reverse=True)


def test_pass_hat_k_is_unbiased_for_a_coin():
    chance, trials, k = 0.6, 5, 3
    expected = sum(comb(trials, c) * chance**c * (1 - chance) ** (trials - c) * pass_hat_k(Tally(c, trials), k) for c in range(trials + 1))
    assert expected == pytest.approx(chance**k)


@pytest.mark.parametrize("k", [0, 4])
def test_pass_hat_k_beyond_the_trials_of_a_task_is_refused(k):
    with pytest.raises(ConfigError, match="one has 3"):
        pass_hat_k(Tally(2, 3), k)


@given(rates, st.integers(0, 9))
def test_bootstrap_holds_the_mean_stays_in_range_and_repeats_with_its_seed(values, seed):
    found = bootstrap(values, seed=seed, resamples=200)
    assert found == bootstrap(values, seed=seed, resamples=200)
    assert min(values) <= found.low <= found.high <= max(values)
    assert found.value == pytest.approx(sum(values) / len(values))


def test_bootstrap_interval_narrows_as_tasks_grow_and_covers_a_known_spread():
    few, many = bootstrap([0.0, 1.0] * 10, seed=1), bootstrap([0.0, 1.0] * 500, seed=1)
    assert many.high - many.low < (few.high - few.low) / 3
    assert few.low == pytest.approx(0.5 - 1.96 * 0.5 / 20**0.5, abs=0.06)


def test_paired_bootstrap_of_equal_models_is_exactly_zero_although_each_alone_is_uncertain():
    values = [0.0, 1.0, 0.5, 1.0, 0.0]
    assert paired_bootstrap(values, values, seed=3) == (0, 0, 0)
    assert bootstrap(values, seed=3).high > bootstrap(values, seed=3).low


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=9))
def test_sign_test_with_one_trial_per_task_is_mcnemars_exact_test(pairs):
    ours, theirs = [float(one) for one, _ in pairs], [float(other) for _, other in pairs]
    better = sum(one and not other for one, other in pairs)
    worse = sum(other and not one for one, other in pairs)
    flips = list(product((0, 1), repeat=better + worse))
    extreme = sum(abs(2 * sum(flip) - len(flip)) >= abs(better - worse) for flip in flips)
    assert sign_test(ours, theirs) == pytest.approx(extreme / len(flips))
    assert sign_test(ours, theirs) == sign_test(theirs, ours)
