"""Verification finds what the scripted model says that it did wrong, and each check is needed for that."""

import json
from functools import partial
from itertools import islice

import pytest
from verifier import KEPT, World, built, experiment, kept_scores, trials

from library_world import library, site, tasks
from writ.domains.database import leaf_paths
from writ.instructions.stage import write_instructions
from writ.schema import Call, Certificate, Decision, Task
from writ.settings import InstructionsConfig
from writ.verification.case import Case
from writ.verification.causes import CAUSES
from writ.verification.grounding import stating
from writ.verification.stage import CHECKS, judge


@pytest.fixture(scope="module")
def desk():
    told = tuple(write_instructions(InstructionsConfig(), seed=7, domain=[library()], tasks=tasks()))
    return World({"library": site()}, {task.id: task for task in tasks()}, told)


@pytest.fixture(scope="module")
def faultless(desk):
    return list(trials(desk, "none", {}, ((each, 0) for each in desk.instructions[:120])))


def verdict(desk, trajectory, task=None, required=frozenset(CHECKS)):
    instruction = next(each for each in desk.instructions if each.id == trajectory.instruction_id)
    return judge(site(), trajectory, task or desk.tasks[trajectory.task_id], instruction, required)


def test_every_labelled_fault_alone_and_mixed_is_found_with_its_cause(desk):
    seen = list(experiment(desk, 480, 0.2))
    assert [(trial.fault, trial.done, trial.found) for trial in seen if not trial.right] == []
    assert kept_scores(seen) == {"precision": 1.0, "recall": 1.0}
    assert 100 < sum(trial.done == KEPT for trial in seen) < 400


@pytest.mark.slow
def test_faults_in_both_generated_domains_are_found_with_their_causes():
    world = built(("retail", "airline"), tasks=60, users=60, seed=3)
    seen = list(experiment(world, 240, 0.2))
    assert [(trial.fault, trial.done, trial.found, trial.trajectory.instruction_id) for trial in seen if not trial.right] == []


# ----------------------------------------------------------------------------------------------- each check is needed


def altered_result(desk, faultless):
    """A recorded result says something else than the environment does."""
    trajectory = faultless[0].trajectory
    at = next(index for index, message in enumerate(trajectory.messages) if message.role == "tool")
    messages = list(trajectory.messages)
    messages[at] = messages[at].model_copy(update={"content": (messages[at].content or "") + " "})
    return trajectory.model_copy(update={"messages": tuple(messages)}), None, "tool_mismatch"


def without_looking_up(desk, faultless):
    """The agent writes, and never looked up who the user is."""
    for trajectory in with_writes(faultless):
        call = next(each for message in trajectory.messages for each in message.tool_calls if each.name == "find_member")
        about = [message.tool_call_id == call.id or call in message.tool_calls for message in trajectory.messages]
        messages = tuple(message for message, gone in zip(trajectory.messages, about, strict=True) if not gone)
        altered = trajectory.model_copy(update={"messages": messages})
        if verdict(desk, altered).cause == "unidentified":
            return altered, None, "unidentified"
    raise AssertionError("no conversation depends on the look-up alone")


def out_of_nowhere(desk, faultless):
    """The agent writes a value that the user, here, never said."""
    for trajectory in with_writes(faultless):
        for origin in verdict(desk, trajectory).origins:
            if origin.kind == "said":
                messages = tuple(
                    message.model_copy(update={"content": (message.content or "").replace(str(origin.value), "that")})
                    if message.role == "user"
                    else message
                    for message in trajectory.messages
                )
                altered = trajectory.model_copy(update={"messages": messages})
                if verdict(desk, altered).cause == "ungrounded_argument":
                    return altered, None, "ungrounded_argument"
    raise AssertionError("no argument comes from the user's words alone")


def against_the_rules(desk, faultless):
    """A task that asks for what the rules deny, and an agent that does it."""
    tried = trials(desk, "forbidden_write", {"forbidden_write": 1.0}, ((each, 0) for each in desk.instructions))
    for trial in (trial for trial in tried if trial.causes == {"extra_write"}):
        messages = trial.trajectory.messages
        call = next(call for label in trial.trajectory.faults for call in messages[label.turn].tool_calls)
        asked = desk.tasks[trial.trajectory.task_id]
        gold = Decision(
            outcome="act",
            calls=(Call(name=call.name, arguments=json.loads(call.arguments)),),
            certificate=Certificate(rivals=(), plan=(), burden=0, relevant=0),
        )
        task = Task(**{**dict(asked), "decisions": (*(d for d in asked.decisions if d.outcome == "act"), gold)})
        if verdict(desk, trial.trajectory, task).cause == "forbidden_write":
            return trial.trajectory, task, "forbidden_write"
    raise AssertionError("no forbidden write succeeds")


def with_writes(faultless):
    return [trial.trajectory for trial in faultless if trial.verdict.origins]


BY_HAND = {"transcript": altered_result, "identified": without_looking_up, "grounding": out_of_nowhere, "policy": against_the_rules}
"""Checks that no fault of the scripted model needs: wrongs made by hand for them."""


INJECTED = {
    "termination": "out_of_scope",
    "calls": "malformed_arguments",
    "end_state": "wrong_argument",
    "writes": "repeated_write",
    "told": "missing_fact",
    "refusals": "not_declined",
    "turns": "crowded_turn",
    "confirmation": "no_confirmation",
    "coverage": "missing_read",
    "user_words": "invented_id",
    "user_end": "premature_stop",
}
"""For each check a fault of the scripted model that no other check finds under the same name, at least sometimes."""


@pytest.mark.parametrize(("name", "fault"), INJECTED.items())
def test_check_switched_off_lets_some_injected_fault_go_unnoticed(name, fault, desk):
    others = frozenset(CHECKS) - {name}
    injected = (trial for trial in trials(desk, fault, {fault: 1.0}, ((each, 0) for each in desk.instructions)) if trial.causes)
    assert any(trial.found == trial.done != verdict(desk, trial.trajectory, required=others).cause for trial in injected)


@pytest.mark.parametrize("name", BY_HAND)
def test_check_switched_off_lets_a_wrong_made_by_hand_go_unnoticed(name, desk, faultless):
    trajectory, task, cause = BY_HAND[name](desk, faultless)
    judged = partial(verdict, desk, trajectory, task)
    assert judged().cause == cause
    assert judged(required=frozenset(CHECKS) - {name}).cause != cause


def test_every_check_is_one_that_is_switched_off_here():
    assert {*INJECTED, *BY_HAND} == set(CHECKS) - {"tone"}  # asks a model: see test_tone.py


# ----------------------------------------------------------------------------------------------- each cause is needed


CAUSED = {
    "wrong_argument": "wrong_argument",
    "malformed_arguments": "malformed_arguments",
    "unknown_tool": "unknown_tool",
    "crowded_turn": "crowded_turn",
    "unconfirmed_write": "no_confirmation",
    "missing_read": "missing_read",
    "missing_write": "missing_write",
    "wrong_end_state": "repeated_write",
    "repeated_write": "repeated_write",
    "extra_write": "extra_write",
    "missing_fact": "missing_fact",
    "not_declined": "not_declined",
    "missing_transfer": "missing_transfer",
    "needless_transfer": "needless_transfer",
    "agent_error": "empty_reply",
    "user_invented": "invented_id",
    "user_leaked": "leaked_id",
    "premature_stop": "premature_stop",
    "wish_not_voiced": "wish_not_voiced",
    "out_of_scope": "out_of_scope",
    "user_error": "empty_turn",
}
"""Cause -> a fault of the scripted model that is labelled with it."""

ENDED = {"infrastructure": "infrastructure", "budget": "budget", "too_long": "max_steps", "too_many_errors": "max_errors"}
"""Cause -> how a conversation ends that is lost for it."""


def torn(desk, faultless):
    """A tool's result is gone."""
    trajectory = with_writes(faultless)[0]
    at = next(index for index, message in enumerate(trajectory.messages) if message.role == "tool")
    messages = trajectory.messages[:at] + trajectory.messages[at + 1 :]
    return trajectory.model_copy(update={"messages": messages}), None, "torn_transcript"


def gold_refused(desk, faultless):
    """A task whose gold the environment refuses."""
    trajectory = with_writes(faultless)[0]
    task = desk.tasks[trajectory.task_id]
    decisions = [
        each.model_copy(update={"calls": tuple(Call(name=call.name, arguments={"no_such": "argument"}) for call in each.calls)})
        for each in task.decisions
    ]
    return trajectory, Task(**{**dict(task), "decisions": tuple(decisions)}), "task_broken"


def neither_yes_nor_no(desk, faultless):
    """The user's answer to the summary is another remark."""
    for trajectory in with_writes(faultless):
        write = verdict(desk, trajectory).origins[0].call
        answer = max(index for index, message in enumerate(trajectory.messages[:write]) if message.role == "user")
        messages = list(trajectory.messages)
        messages[answer] = messages[answer].model_copy(update={"content": "My cat sleeps beside me."})
        altered = trajectory.model_copy(update={"messages": tuple(messages)})
        if verdict(desk, altered).cause == "unclear_confirmation":
            return altered, None, "unclear_confirmation"
    raise AssertionError("no answer to a summary says nothing but yes")


PLANTED = (altered_result, without_looking_up, out_of_nowhere, against_the_rules, torn, gold_refused, neither_yes_nor_no)


@pytest.mark.long
@pytest.mark.parametrize(("cause", "fault"), CAUSED.items())
def test_cause_is_found_where_its_fault_was_injected(cause, fault, desk):
    injected = trials(desk, fault, {fault: 1.0}, ((each, 0) for each in desk.instructions))
    assert any(trial.done == trial.found == cause for trial in injected)


@pytest.mark.long
@pytest.mark.parametrize(("cause", "ending"), ENDED.items())
def test_cause_is_found_where_the_conversation_ended_by_it(cause, ending, desk, faultless):
    assert verdict(desk, faultless[0].trajectory.model_copy(update={"termination": ending})).cause == cause


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTED)
def test_cause_is_found_where_it_was_planted_by_hand(plant, desk, faultless):
    trajectory, task, cause = plant(desk, faultless)
    assert verdict(desk, trajectory, task).cause == cause


@pytest.mark.long
def test_every_cause_is_tried(desk, faultless):
    by_hand = {plant(desk, faultless)[2] for plant in PLANTED}
    assert {*CAUSED, *ENDED, *by_hand} == set(CAUSES) - {"tone"}  # asks a model: see test_tone.py


def test_conversations_without_faults_are_kept_and_so_is_their_hand_made_twin(desk, faultless):
    assert all(trial.verdict.kept and not trial.trajectory.faults for trial in faultless)
    assert all(verdict(desk, trial.trajectory) == trial.verdict for trial in islice(faultless, 20))


def test_an_arguments_origin_is_looked_for_first_where_its_decision_rests_and_in_reads_that_asked_for_what_it_holds(desk, faultless):
    moved = 0
    for trial in faultless:
        task = desk.tasks[trial.trajectory.task_id]
        case = Case(site(), trial.trajectory, task, None)
        for made in case.transcript.done:
            plan = {call.key for call in task.decisions[case.decision_of(made.call)].certificate.plan}
            held = [value for _, value in leaf_paths(made.call.arguments)]
            outputs = case.outputs_before(made)
            ranks = [(each.call.key not in plan, sum(asked not in held for asked in each.call.arguments.values()), -each.index) for each in outputs]
            assert ranks == sorted(ranks)
            assert {each.index for each in outputs} == {each.index for each in case.transcript.made if each.index < made.index and not each.refused}
            moved += ranks != sorted(ranks, key=lambda rank: rank[2])
    assert moved


def test_a_bare_yes_states_a_value_only_where_nothing_else_does():
    asked, agreed = (1, "i want it with travel insurance."), (3, "absolutely, yes.")
    assert stating([asked, agreed], ("yes", "with travel insurance")) == 1
    assert stating([(1, "i want it."), agreed], ("yes", "with travel insurance")) == 3
    assert stating([asked, (5, "with travel insurance, as i said"), agreed], ("yes", "with travel insurance")) == 5
