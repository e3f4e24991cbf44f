"""What a user's answer says: yes, no, or neither. Answers of the kind that a real model gave, in other words."""

import pytest

from writ.domains.speech import assents, dissents

YES = [
    "Yes.",
    "YES - please go on with sending back the lamp from my second order.\n\nRefund to the card I paid with.\n\nHow long is the return window?",
    "Yes, please cancel both of them. The reason is “no longer needed”. Leave the other two orders as they are.",
    "Yes—please proceed exactly as you described, there are no other changes. Don't touch the boots.",
    "Sure, sounds right to me. I don't have the e-mail with the receipt at hand.",
    "Thank you, that is all very clear!\n- Yes, please do the exchange of the mug.\n- Yes, please also return the towels.",
    "Ugh, not thrilled about the delay. Please proceed.",
    "Go ahead. No need to transfer me to anybody.",
    "yes, that works for me, no rush",
]

NO = [
    "No, leave it.",
    "Wait, is that the blue one?",
    "Hold on - I would like the cheaper one instead.",
    "Yes, but use the other card.",
    "Yes, please proceed. Actually, keep the lamp.",
    "Please don't do that yet.",
    "Yes to the address. However, I never got the tablet, so please check that.",
    "I changed my mind, do not proceed.",
]

NEITHER = ["What would the refund be?", "My zip code is 10023.", "I see.", "Hmm, let me think about it for a moment."]


@pytest.mark.parametrize("text", YES)
def test_plain_yes_with_remarks_around_it_is_an_assent(text):
    assert assents(text)
    assert not dissents(text)


@pytest.mark.parametrize("text", NO)
def test_no_and_yes_that_is_taken_back_are_no_assent(text):
    assert not assents(text)


@pytest.mark.parametrize("text", [text for text in NO if ", but " not in text])
def test_no_and_yes_that_is_taken_back_are_dissents(text):
    assert dissents(text)


@pytest.mark.parametrize("text", NEITHER)
def test_answer_to_something_else_is_neither(text):
    assert not assents(text)
    assert not dissents(text)
