"""The scripted model plays both sides of the library desk, as the verifier sees it."""

import asyncio
import re
from collections import Counter

import orjson
import pytest
from openai import AsyncOpenAI, NotFoundError
from played import play, scripted_for, transcript

from library_world import library, site, tasks
from writ.errors import ConfigError
from writ.instructions.stage import write_instructions
from writ.llm import PLAIN, EndpointSettings, request_prefix
from writ.settings import InstructionsConfig
from writ.simulation.address import Address
from writ.simulation.scripted.faults import AGENT_FAULTS, USER_FAULTS
from writ.simulation.scripted.server import MODEL, Scripted, serve
from writ.verification.stage import judge

BENIGN = {"extra_read", "failed_read", "unclear_answer"}


@pytest.fixture(scope="module")
def instructions():
    return list(write_instructions(InstructionsConfig(), seed=7, domain=[library()], tasks=tasks()))


@pytest.fixture(scope="module")
def by_task():
    return {task.id: task for task in tasks()}


@pytest.fixture(scope="module")
def played(instructions):
    scripted = scripted_for({"library": site()}, instructions)
    return [play(site(), instruction, scripted) for instruction in instructions]


def verdict(trajectory, instruction, by_task):
    return judge(site(), trajectory, by_task[trajectory.task_id], instruction)


def test_faultless_conversations_are_all_kept_under_every_behavior(instructions, played, by_task):
    for instruction, trajectory in zip(instructions, played, strict=True):
        found = verdict(trajectory, instruction, by_task)
        assert found.kept, (found.cause, instruction.behavior, transcript(trajectory))
    seen = Counter(value for i in instructions for value in i.behavior.model_dump().items())
    assert all(seen[axis, value] for axis in ("digression", "correction", "fallback", "pressure") for value in (True, False))


def test_faultless_conversations_carry_no_label(played):
    assert not any(trajectory.faults for trajectory in played)


def test_conversation_of_a_withheld_detail_holds_the_question_and_the_answer(instructions, played):
    asked = 0
    for instruction, trajectory in zip(instructions, played, strict=True):
        if instruction.behavior.pace == "when_asked":
            for fact in (fact for facts in instruction.facts for fact in facts if not fact.core):
                first = next(i for i, m in enumerate(trajectory.messages) if m.role == "user" and fact.text in m.content)
                question = trajectory.messages[first - 1].content or ""
                asked += any(cue in question.lower() for cue in fact.cues)
    assert asked > 10


def test_same_conversation_asked_twice_and_from_a_cold_start_gives_the_same_bytes(instructions, played):
    instruction, trajectory = next((i, t) for i, t in zip(instructions, played, strict=True) if len(t.messages) > 15)
    warm, cold = (scripted_for({"library": site()}, instructions) for _ in range(2))
    bodies = [request(instruction, trajectory, end) for end, m in enumerate(trajectory.messages) if m.role == "assistant" and end]
    in_order = [warm.reply(body).body for body in bodies]
    assert [cold.reply(body).body for body in reversed(bodies)] == in_order[::-1]
    assert [warm.reply(body).body for body in bodies] == in_order


def test_agent_whose_call_was_lost_on_the_way_calls_again(instructions, played):
    instruction, trajectory = next((i, t) for i, t in zip(instructions, played, strict=True) if len(t.messages) > 15)
    at, right = next((index, message) for index, message in enumerate(trajectory.messages) if message.tool_calls)
    scripted = scripted_for({"library": site()}, instructions)
    asked = request(instruction, trajectory, at)
    first = called(scripted.reply(asked))
    asked["messages"] += [{"role": "assistant", "content": "so it goes on " * 3000}, {"role": "user", "content": "What was that?"}]
    again = called(scripted.reply(asked))
    assert (again["function"], again["id"] != first["id"]) == (first["function"], True)
    assert first["function"]["name"] == right.tool_calls[0].name
    assert called(scripted_for({"library": site()}, instructions).reply(asked)) == again


def called(reply):
    assert reply.status == 200, reply.body
    return orjson.loads(reply.body)["choices"][0]["message"]["tool_calls"][0]


def request(instruction, trajectory, end):
    """The agent's request at one point of a conversation."""
    messages = [{"role": "system", "content": "policy"}]
    for message in trajectory.messages[:end]:
        messages.append({"role": message.role, "content": message.content})
    return {"model": MODEL, "user": str(Address("agent", instruction.id, trajectory.rollout)), "messages": messages}


def test_rollouts_of_one_instruction_differ_in_their_words(instructions):
    scripted = scripted_for({"library": site()}, instructions)
    assert len({transcript(play(site(), instructions[0], scripted, rollout)) for rollout in range(4)}) == 4


RARE = ("missing_transfer", "forbidden_write")
"""Faults that only some tasks have room for."""


@pytest.mark.parametrize("name", [*AGENT_FAULTS, *USER_FAULTS])
def test_labelled_fault_is_what_the_verifier_finds(name, instructions, by_task):
    assert found_as_labelled(name, instructions[::2] if name in RARE else instructions[:120:3], instructions, by_task) >= 2


@pytest.mark.long
@pytest.mark.parametrize("name", [*AGENT_FAULTS, *USER_FAULTS])
def test_labelled_fault_is_what_the_verifier_finds_in_many_conversations(name, instructions, by_task):
    assert found_as_labelled(name, instructions if name in RARE else instructions[:120], instructions, by_task) >= 3


def found_as_labelled(name, some, instructions, by_task):
    """In how many of some conversations the fault fired; each verdict must name its cause, or none where it is benign."""
    fired = 0
    scripted = scripted_for({"library": site()}, instructions, {name: 1.0})
    for instruction in some:
        trajectory = play(site(), instruction, scripted)
        found = verdict(trajectory, instruction, by_task)
        causes = [label.cause for label in trajectory.faults if label.lethal]
        assert found.cause == (causes[0] if causes else ""), (trajectory.faults, found.cause, transcript(trajectory))
        assert all(label.name == name for label in trajectory.faults)
        fired += bool(trajectory.faults)
        assert not (causes and name in BENIGN)
    return fired


def test_fault_label_points_at_the_message_that_carries_it(instructions):
    scripted = scripted_for({"library": site()}, instructions, {"malformed_arguments": 1.0})
    for instruction in instructions[:20]:
        trajectory = play(site(), instruction, scripted)
        (label,) = trajectory.faults
        with pytest.raises(ValueError, match=r"."):
            orjson.loads(trajectory.messages[label.turn].tool_calls[0].arguments)


@pytest.mark.long
def test_fault_rate_is_the_share_of_conversations_that_have_it(instructions):
    scripted = scripted_for({"library": site()}, instructions, {"malformed_arguments": 0.2})
    share = sum(bool(play(site(), instruction, scripted).faults) for instruction in instructions) / len(instructions)
    assert 0.12 < share < 0.28


@pytest.mark.parametrize("rates", [{"wrong_argumant": 0.2}, {"wrong_argument": 1.5}])
def test_fault_that_is_unknown_or_out_of_range_is_a_configuration_error(rates):
    with pytest.raises(ConfigError):
        Scripted({"library": site()}, {}.__getitem__, rates)


@pytest.mark.parametrize("role", ["user", "assistant"])
def test_no_masked_sentence_of_a_role_exceeds_one_percent_of_conversational_sentences(played, role):
    """Sentences as they stand between marks, with quoted titles, ids and numbers masked; protocol tokens and the fixed greeting apart."""
    counts = Counter()
    for trajectory in played:
        for message in trajectory.messages[1:]:
            if message.role == role and message.content and "###" not in message.content:
                counts.update(masked(message.content))
    sentence, most = counts.most_common(1)[0]
    assert most / counts.total() <= 0.01, (sentence, most, counts.total())


def masked(text):
    text = re.sub(r'"[^"]*"', "_", text)
    text = re.sub(r"[\w.+-]+@[\w.-]+\w", "_", text)
    text = re.sub(r"\b\w*\d\w*\b", "_", text)
    return [sentence.strip().lower() for sentence in re.split(r"[.!?]+(?:\s|$)", text) if sentence.strip()]


def test_server_answers_the_openai_client_over_http(instructions):
    async def talk():
        by_id = {instruction.id: instruction for instruction in instructions}
        async with serve({"library": site()}, by_id.__getitem__) as running:
            client = AsyncOpenAI(base_url=running.base_url, api_key="none", max_retries=0)
            models = [model.id async for model in client.models.list()]
            user = [{"role": "user", "content": "Hi! How can I help you today?"}]
            said = await client.chat.completions.create(model=MODEL, messages=user, user=f"user:{instructions[0].id}:0")
            heard = [{"role": "user", "content": said.choices[0].message.content}]
            agent = await client.chat.completions.create(model=MODEL, messages=heard, user=f"agent:{instructions[0].id}:0")
            with pytest.raises(NotFoundError, match="serve the artifact"):
                await client.chat.completions.create(model=MODEL, messages=user, user="user:instruction-unknown:0")
            await client.close()
        return models, said, agent

    models, said, agent = asyncio.run(talk())
    assert models == [MODEL]
    assert said.choices[0].message.content
    message = agent.choices[0].message
    assert message.content or message.tool_calls
    assert agent.usage.prompt_tokens > 0


def test_request_without_a_conversation_is_answered_with_what_is_wanted(instructions):
    scripted = scripted_for({"library": site()}, instructions)
    body = orjson.loads(request_prefix(EndpointSettings(model=MODEL))) | {"messages": [{"role": "user", "content": "hi"}], "user": "me"}
    reply = scripted.reply(body)
    assert reply.status == 400
    assert b"agent|user" in reply.body


def test_asked_by_its_plain_name_it_says_a_thing_always_in_the_same_words(instructions):
    """Agents of many conversations ask for a yes in words that differ in nothing but what would be done."""
    scripted = scripted_for({"library": site()}, instructions)

    def questions(model):
        found = set()
        for instruction in instructions[:60]:
            said = play(site(), instruction, Named(scripted, model))
            found |= {
                each
                for m in said.messages
                if m.role == "assistant"
                for each in re.findall(r"[^.?:]*(?:yes|confirm|proceed)[^.?]*\?", m.content or "")
            }
        return found

    assert questions(PLAIN) == {" Shall I go ahead (yes/no)?"}
    assert len(questions(MODEL)) > 20


class Named:
    """The agent's requests, asked of another model of the same server."""

    def __init__(self, scripted, model):
        self.scripted, self.model = scripted, model

    def reply(self, body):
        return self.scripted.reply({**body, "model": self.model} if body["user"].startswith("agent:") else body)
