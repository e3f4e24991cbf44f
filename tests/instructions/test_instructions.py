from functools import cache
from itertools import combinations, product

import orjson
import pytest

from library_world import library, site, tasks
from writ.domains.base import run
from writ.errors import ArtifactError, ConfigError
from writ.instructions.covering import axes, behaviors
from writ.instructions.ledger import balance, leaks, names
from writ.instructions.paraphrase import Rewording, broken
from writ.instructions.stage import write_instructions
from writ.llm import Cause as LlmCause
from writ.llm import ChatReply, EndpointSettings, ModelFault
from writ.schema import Call
from writ.settings import InstructionsConfig


def written(config=None, of=None, seed=7, **more):
    return list(write_instructions(config or InstructionsConfig(), seed=seed, domain=[library()], tasks=of or tasks(), **more))


@cache
def told_once():
    """Every task, told once with the default settings: frozen, so that tests may share it."""
    return tuple(written())


def test_instructions_of_one_seed_are_the_same_and_follow_the_tasks():
    first, some = told_once(), tasks()[:60]
    assert first[:60] == tuple(written(of=some))
    assert first[:60] != tuple(written(of=some, seed=8))
    assert [instruction.task_id for instruction in first] == [task.id for task in tasks()]
    assert len({instruction.id for instruction in first}) == len(first)


def test_instructions_of_many_tasks_show_every_pair_of_free_values():
    """Single wishes that leave all but the order and pressure open."""
    fixed = {"order": "as_given", "pressure": False}
    seen = {tuple(instruction.behavior.model_dump().items()) for instruction in told_once()}
    wanted = behaviors(axes(fixed))
    rows = [dict(row) for row in seen]
    values = {name: {row.model_dump()[name] for row in wanted} for name in rows[0]}
    for one, other in combinations(values, 2):
        assert {(row[one], row[other]) for row in rows} >= set(product(values[one], values[other])), (one, other)


def test_family_of_a_task_keeps_its_wishes_under_different_behaviors():
    family = written(InstructionsConfig(per_task=4), of=tasks()[:20])
    assert len(family) == 80
    for task, *_ in zip(tasks()[:20], strict=False):
        told = [instruction for instruction in family if instruction.task_id == task.id]
        assert len({instruction.behavior for instruction in told}) > 1
        assert {tuple(sorted(wish.model_dump_json() for wish in instruction.wishes)) for instruction in told} == {
            tuple(sorted(wish.model_dump_json() for wish in task.wishes))
        }


def test_instruction_texts_name_every_fact_and_no_hidden_id():
    hidden = 0
    for instruction in told_once():
        text = "\n".join(getattr(instruction, name) for name in ("persona", "reason_for_call", "known_info", "unknown_info", "task_instructions"))
        facts = [fact for told in (instruction.identity, *instruction.facts) for fact in told]
        assert all(names(text, fact.text) or names(text, str(fact.value)) for fact in facts)
        assert not leaks([text, instruction.unavailable], instruction.hidden)
        assert not any(mark in text for mark in "{}|[]")
        hidden += bool(instruction.hidden)
    assert hidden > 100


def test_behavior_is_carried_out_only_where_the_task_bears_it():
    by_id = {task.id: task for task in tasks()}
    for instruction in told_once():
        task, behavior = by_id[instruction.task_id], instruction.behavior
        wrong = [fact for told in (instruction.identity, *instruction.facts) for fact in told if fact.wrong]
        assert len(wrong) == behavior.correction
        assert bool(instruction.unavailable) == behavior.fallback
        assert not behavior.pressure or any(decision.outcome == "deny" for decision in task.decisions)
        assert behavior.order == "as_given" or (not task.ordered and instruction.wishes != task.wishes)


def test_reversed_order_leaves_every_decision_as_it_was():
    by_id = {task.id: task for task in tasks()}
    backwards = [instruction for instruction in written() if instruction.behavior.order == "reversed"]
    assert backwards
    for instruction in backwards:
        world, task = site().environment(), by_id[instruction.task_id]
        for wish in instruction.wishes:
            outcome, _ = run(site().domain.kinds[wish.kind].resolve(wish, task.user_id), world.read)
            assert outcome.calls == task.decisions[task.wishes.index(wish)].calls
            for call in outcome.calls:
                world.call(call.name, call.arguments)


def test_ledger_of_a_gold_value_that_nothing_gives_is_refused_by_name():
    task = next(task for task in tasks() if task.decisions[0].calls and task.decisions[0].calls[0].name == "renew_loan")
    wrong = Call(name="renew_loan", arguments={"loan_id": "n9999"})
    decision = task.decisions[0].model_copy(update={"calls": (wrong,)})
    broken_task = task.model_copy(update={"decisions": (decision, *task.decisions[1:])})
    with pytest.raises(ArtifactError, match="n9999"):
        written(of=[broken_task])


def test_ledger_hides_the_ids_of_plan_and_gold_but_not_those_that_the_user_names():
    for task in tasks():
        ledger = balance(site(), task, ())
        said = [str(fact.value) for facts in ledger.facts for fact in facts]
        gold = [value for call in task.writes for key, value in call.arguments.items() if key in ("loan_id", "hold_id", "edition_id")]
        assert not set(said) & set(ledger.hidden)
        assert set(gold) <= {*said, *ledger.hidden}


def test_names_takes_whole_words_only():
    assert names("about N12, please", "n12")
    assert not names("about n123", "n12")


class Echo:
    """A model that answers with what `change` makes of the asked fields."""

    def __init__(self, change):
        self.change = change

    async def complete(self, request):
        fields = self.change(orjson.loads(orjson.loads(request.messages[1])["content"]))
        if fields is None:
            raise ModelFault(LlmCause.TIMEOUT, "no answer")
        content = fields if isinstance(fields, str) else orjson.dumps(fields).decode()
        return ChatReply(content, (), "stop", 1, 1, "echo")

    async def close(self):
        pass


def reworded(change):
    rewording = Rewording(Echo(change), EndpointSettings(model="echo"))
    config = InstructionsConfig(paraphrase=True)
    return rewording, written(config, of=tasks()[:40], rewording=rewording)


def test_paraphrase_that_keeps_the_ledger_replaces_the_template():
    rewording, told = reworded(lambda fields: {**fields, "persona": "A person of few words."})
    assert {(i.wording, i.persona) for i in told} == {("model", "A person of few words.")}
    assert rewording.outcomes == {"reworded": 40}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda fields: {**fields, "reason_for_call": "You want something."}, "lost_fact"),
        (lambda fields: {**fields, "persona": "You are customer 4711009."}, "invented_value"),
        (lambda fields: {"persona": "only this"}, "unreadable"),
        (lambda fields: "I would rather not", "unreadable"),
        (lambda fields: None, "unanswered"),
    ],
)
def test_paraphrase_that_breaks_the_ledger_is_counted_and_the_template_stays(change, why):
    rewording, told = reworded(change)
    assert told == written(of=tasks()[:40])
    assert rewording.outcomes == {why: 40}


def test_paraphrase_that_gives_a_hidden_id_away_is_found_out():
    instruction = next(i for i in written() if i.hidden)
    fields = {name: getattr(instruction, name) for name in ("persona", "reason_for_call", "task_instructions")}
    assert broken(instruction, fields) == ""
    assert broken(instruction, {**fields, "persona": f"You know of {instruction.hidden[0]}."}) == "leaked_id"


def test_paraphrase_without_a_model_is_a_configuration_error():
    with pytest.raises(ConfigError, match="paraphrase"):
        written(InstructionsConfig(paraphrase=True))
