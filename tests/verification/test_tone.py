"""The optional judge of tone: it loses what it finds unfit, and nothing where it fails itself."""

import pytest

from writ.jobs.thread import served
from writ.llm import EndpointSettings
from writ.llm.pool import open_endpoint
from writ.llm.server import chat_reply, error_reply
from writ.schema import Message, Trajectory, Verdict
from writ.verification.stage import CHECKS
from writ.verification.tone import ToneJudge


def conversation(number, kept=True):
    said = [Message(role="assistant", content=f"Hello {number}."), Message(role="user", content="Hi.")]
    trajectory = Trajectory(
        id=f"t{number}",
        task_id="k",
        instruction_id="i",
        domain="d",
        rollout=0,
        source="model",
        agent="a",
        user="u",
        messages=said,
        termination="user_stop",
    )
    checks = [CHECKS["tone"](None)]
    return trajectory, Verdict(trajectory_id=f"t{number}", task_id="k", kept=kept, reward=1.0 if kept else 0.0, checks=checks)


ANSWERS = {"Hello 0.": '{"why": "polite", "fit": true}', "Hello 1.": '{"why": "mocks", "fit": false}', "Hello 2.": "I would say it is fine."}


@pytest.fixture
def judged():
    """Verdicts after a judge on loopback that answers by what the agent said, and refuses what it does not know."""

    def run(conversations, *, required=True):
        asked = []

        async def answer(body):
            asked.append(body["messages"][1]["content"])
            said = asked[-1].split("\n")[0].removeprefix("agent: ")
            if said not in ANSWERS:
                return error_reply(400, "too long")
            return chat_reply(ANSWERS[said], (), model="judge")

        with served(answer, models=("judge",)) as url:
            settings = EndpointSettings(model="judge", base_url=url, retries=0)
            return list(ToneJudge(open_endpoint(settings), settings).applied(conversations, required=required)), asked

    return run


def tone(verdict):
    return next(check for check in verdict.checks if check.name == "tone")


def test_an_unfit_tone_loses_the_conversation_and_leaves_the_reward(judged):
    (fit, unfit), _ = judged([conversation(0), conversation(1)])
    assert (fit.kept, tone(fit).result) == (True, "pass")
    assert (unfit.kept, unfit.cause, unfit.owner, unfit.reward, tone(unfit).detail) == (False, "tone", "agent", 1.0, "mocks")


def test_an_unfit_tone_costs_nothing_where_the_check_is_not_required(judged):
    (unfit,), _ = judged([conversation(1)], required=False)
    assert (unfit.kept, tone(unfit).result) == (True, "fail")


def test_a_judge_that_cannot_be_read_or_gives_no_answer_is_unclear_and_loses_nothing(judged):
    made, _ = judged([conversation(2), conversation(3)])
    assert [(verdict.kept, verdict.reward, tone(verdict).result) for verdict in made] == [(True, 1.0, "unclear")] * 2


def test_a_conversation_that_is_lost_already_is_not_asked_about(judged):
    (lost,), asked = judged([conversation(0, kept=False)])
    assert (asked, tone(lost).result) == ([], "not_applicable")
