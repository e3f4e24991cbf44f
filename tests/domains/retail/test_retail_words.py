"""How retail customers and agents speak: varied, complete, and checkable."""

import re
from collections import Counter
from random import Random

import pytest
from retail_worlds import RETAIL, certified, world_of

from writ.domains.base import run
from writ.domains.certificates import outcome_of
from writ.errors import ToolRefused
from writ.schema import Call

SENTENCE_END = re.compile(r"(?<=[.!?]) ")


def masked(text):
    """Sentences with ids and numbers replaced."""
    return [re.sub(r"[#$]?\w*\d[\w.,]*", "N", sentence) for sentence in SENTENCE_END.split(text)]


def shown_of(world, user_id, wish):
    outputs = []

    def read(name, arguments):
        outputs.append((Call(name=name, arguments=arguments), world.read(name, arguments)))
        return outputs[-1][1]

    run(RETAIL.kinds[wish.kind].resolve(wish, user_id), read)
    return outputs


@pytest.mark.long
def test_no_masked_sentence_of_a_user_is_more_than_one_in_a_hundred(generated):
    sentences = Counter()
    for seed in range(2):
        for user_id, wish, _, _ in certified(generated, users=50, per_kind=3, seed=seed):
            sentences.update(masked(RETAIL.kinds[wish.kind].request(wish, Random(f"{user_id}{seed}{wish}"))))
    commonest, number = sentences.most_common(1)[0]
    assert sum(sentences.values()) > 2_000
    assert number / sum(sentences.values()) <= 0.01, commonest


def test_each_kind_words_one_wish_in_a_hundred_ways(generated):
    seen = {}
    for _, wish, _, _ in certified(generated, users=3, per_kind=1):
        seen.setdefault(wish.kind, wish)
    for name, wish in seen.items():
        assert len({RETAIL.kinds[name].request(wish, Random(seed)) for seed in range(200)}) > 100, name


def test_a_summary_states_every_argument_in_one_of_its_forms(database):
    number = 0
    for user_id, wish, decision, world in certified(database, users=12, per_kind=3):
        shown = shown_of(world, user_id, wish)
        for call in decision.calls:
            text = RETAIL.summarize(call, shown, Random(user_id)).lower()
            for path, forms in RETAIL.forms(call, shown).items():
                number += 1
                assert states(text, forms), (path, forms, text)
    assert number > 100


def states(text, forms):
    return not forms or any(re.search(rf"(?<!\w){re.escape(form.lower())}(?!\w)", text) for form in forms)


def test_a_summary_of_another_order_method_or_address_does_not_state_this_ones_arguments(database):
    confused = total = 0
    for user_id, wish, decision, world in certified(database, users=12, per_kind=3):
        if decision.outcome != "act":
            continue
        shown = shown_of(world, user_id, wish)
        for distractor in RETAIL.kinds[wish.kind].distractors(wish, user_id, world, outcome_of(decision)):
            right, wrong = decision.calls[0], distractor.calls[0]
            lists = {key for key, value in right.arguments.items() if isinstance(value, list)}
            if right.name == wrong.name and any(right.arguments[key] != wrong.arguments[key] for key in right.arguments.keys() - lists):
                text = RETAIL.summarize(wrong, shown, Random(user_id)).lower()
                total += 1
                confused += all(states(text, forms) for forms in RETAIL.forms(right, shown).values())
    assert total > 50
    assert confused == 0


def test_fields_hold_every_gold_argument_that_the_words_do_not(database):
    for user_id, wish, decision, world in certified(database, users=10, per_kind=3):
        shown = shown_of(world, user_id, wish)
        words = " ".join(str(fact.value) for fact in RETAIL.kinds[wish.kind].facts(wish))
        for call in decision.calls:
            for argument, value in call.arguments.items():
                for leaf in value if isinstance(value, list) else [value]:
                    grounded = any(leaf in at(output, read, path) for path in RETAIL.fields(call.name, argument) for read, output in shown)
                    assert grounded or str(leaf) in words or argument == "user_id", (argument, leaf, wish)


def at(output, read, path):
    """Values of an output at a path such as `get_user_details:payment_methods.*.id`."""
    tool, _, inner = path.partition(":")
    if read.name != tool:
        return []
    values = [output]
    for step in filter(None, inner.split(".")):
        values = [found for value in values for found in children(value, step)]
    return [value for value in values if isinstance(value, str)]


def children(value, step):
    if step == "*":
        return list(value.values()) if isinstance(value, dict) else list(value)
    return [value[step]] if step in value else []


def test_identity_finds_the_user_either_way(database):
    world = world_of(database)
    for user_id in RETAIL.persons(database)[:50]:
        for which in ("primary", "alternative"):
            said = {fact.name: fact.value for fact in RETAIL.identity(world, user_id, which)}
            assert run(RETAIL.identify(said), world.read)[0] == user_id


def test_identify_without_enough_is_refused(generated):
    world = world_of(generated)
    for said in ({}, {"first_name": "Alma"}, {"email": "nobody@example.org"}):
        try:
            run(RETAIL.identify(said), world.read)
        except ToolRefused:
            continue
        raise AssertionError(said)


def test_a_read_is_stale_exactly_where_a_write_may_change_it(database):
    for _, _, decision, world in certified(database, users=15, per_kind=2):
        after = world.fork()
        for call in decision.calls:
            before = {read.key: after.call(read.name, read.arguments) for read in decision.certificate.plan}
            after.call(call.name, call.arguments)
            for read in decision.certificate.plan:
                changed = after.call(read.name, read.arguments) != before[read.key]
                assert not changed or RETAIL.stale(call, read), (call, read)


def test_what_cannot_be_had_is_a_question_of_its_own(database):
    said = Counter()
    for user_id, wish, _, world in certified(database, users=10, per_kind=2):
        text = RETAIL.kinds[wish.kind].unavailable(wish, world, Random(user_id))
        if text:
            said[wish.kind] += 1
            assert text.endswith("?")
            assert "[" not in text
    assert {"exchange_items", "change_items", "return_items", "change_payment", "cancel_order"} <= said.keys()
