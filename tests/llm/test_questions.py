"""Many questions to one model: answers in order, no answer is data, and the model is closed behind the last."""

import pytest

from writ.llm import Cause, ChatReply, ChatRequest, ModelFault
from writ.llm.questions import ask_each, json_object


class Parrot:
    """Answers a request with its user; refuses the one that is named `mute`."""

    def __init__(self):
        self.asked, self.closed = [], False

    async def complete(self, request):
        self.asked.append(request.user)
        if request.user == "mute":
            raise ModelFault(Cause.TIMEOUT, "no answer")
        return ChatReply(request.user, (), "stop", 1, 1, "parrot")

    async def close(self):
        self.closed = True


def question(user):
    return ChatRequest(b'{"model":"parrot"}', [], user)


def test_answers_come_in_order_with_the_cause_where_none_came_and_none_where_nothing_was_asked():
    parrot = Parrot()
    things = [(1, question("one")), (2, None), (3, question("mute")), (4, question("four"))]
    assert list(ask_each(parrot, iter(things), at_once=2)) == [(1, "one"), (2, None), (3, Cause.TIMEOUT), (4, "four")]
    assert parrot.asked == ["one", "mute", "four"]
    assert parrot.closed


def test_no_more_than_the_stated_number_is_read_ahead_and_the_model_is_closed_where_the_reader_stops():
    parrot, read = Parrot(), []
    answers = ask_each(parrot, ((read.append(number), question(str(number))) for number in range(9)), at_once=3)
    next(answers)
    assert len(read) == 3
    answers.close()
    assert parrot.closed


@pytest.mark.parametrize(
    ("answer", "found"),
    [('{"a": 1}', {"a": 1}), ('Sure:\n```json\n{"a": {"b": 2}}\n```', {"a": {"b": 2}}), ("[1]", None), ("{", None), ("", None), ("} {", None)],
)
def test_the_outermost_object_of_an_answer_is_found_in_what_stands_around_it(answer, found):
    assert json_object(answer) == found
