"""Near-duplicates: the estimate against the real similarity, and what the index finds."""

from random import Random

import pytest

from writ.dataset.near import PLACES, band_names, band_width, shingles, similarity, sketch

WORDS = [f"{first}{second}" for first in "bcdfghjklm" for second in ("an", "el", "is", "ot", "uk")]


def pairs(share, number, words=150):
    """Texts, and the same with a share of their words changed."""
    rng = Random(7)
    for _ in range(number):
        text = [rng.choice(WORDS) for _ in range(words)]
        other = [rng.choice(WORDS) if rng.random() < share else word for word in text]
        yield " ".join(text), " ".join(other)


def jaccard(one, other):
    return len(shingles(one) & shingles(other)) / len(shingles(one) | shingles(other))


@pytest.mark.parametrize("words", [30, 150, 600])
def test_the_estimate_of_similarity_is_unbiased_and_near_the_real_one(words):
    errors = [similarity(sketch(one), sketch(other)) - jaccard(one, other) for share in (0.01, 0.05, 0.2) for one, other in pairs(share, 40, words)]
    assert abs(sum(errors) / len(errors)) < 0.02
    assert max(map(abs, errors)) < 0.3


@pytest.mark.parametrize("text", ["", "no", "one two three four", "3"])
def test_a_text_of_a_few_words_equals_itself_alone(text):
    assert similarity(sketch(text), sketch(text)) == 1.0
    assert similarity(sketch(text), sketch("something else that nobody said before")) == 0.0


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9, 1.0])
def test_texts_as_alike_as_the_threshold_share_a_band(threshold):
    width = band_width(threshold)
    alike = [(sketch(one), sketch(other)) for one, other in pairs(0.012 if threshold < 1 else 0.0, 150)]
    alike = [(one, other) for one, other in alike if similarity(one, other) >= threshold]
    assert len(alike) > 30
    missed = [1 for one, other in alike if not set(band_names(one, width)) & set(band_names(other, width))]
    assert len(missed) <= 0.03 * len(alike)


def test_a_stricter_threshold_has_wider_bands():
    widths = [band_width(threshold) for threshold in (0.1, 0.3, 0.5, 0.7, 0.9, 1.0)]
    assert widths == sorted(widths)
    assert all(PLACES % width == 0 for width in widths)
    assert widths[0] == 1
    assert widths[-1] > 4


def test_equal_bands_in_different_places_have_different_names():
    assert len(set(band_names(sketch("one word"), 8))) == 8
