"""Values in text: what states an amount, and what a whole word is."""

import pytest

from writ.verification.values import occurs, states


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("You will get $1,200.50 back.", "1200.50"),
        ("That comes to 50 dollars.", "50.00"),
        ("The total is 1296.00.", "1296.00"),
        ("It is USD 75 in all", "75"),
        ("There is no charge for that.", "0.00"),
        ("The second bag is free of charge.", "0.00"),
        ("Your fee would be $0.", "0.00"),
    ],
)
def test_amount_in_any_spelling_is_stated(text, value):
    assert states(text, "money", value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("I set the bags to 3 in total, 0 of them paid.", "0.00"),
        ("There are 50 seats left on flight 50.", "50.00"),
        ("You will get $1,200.50 back.", "1200.00"),
        ("It is on May 24, 2024.", "24.00"),
    ],
)
def test_number_that_is_no_amount_states_none(text, value):
    assert not states(text, "money", value)


@pytest.mark.parametrize(
    ("form", "text", "found"),
    [
        ("#W123", "order #W123.", True),
        ("#W123", "order #W1234", False),
        ("5", "for $5.50 today", False),
        ("5", "that makes 5.", True),
        ("5", "that makes 1.5 and 5, really", True),
        ("economy", "in basic_economy", False),
        ("Economy", "in ECONOMY class", True),
        ("no", "I know nothing", False),
        ("é", "café é", True),
    ],
)
def test_form_stands_in_a_text_only_as_a_whole_word(form, text, found):
    assert occurs(form.lower(), text.lower()) is found
