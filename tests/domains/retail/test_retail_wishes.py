"""Every retail wish: decided, proven, worded, and set apart from its near misses."""

from collections import Counter
from random import Random

import pytest
from retail_worlds import RETAIL, certified, world_of

from writ.domains.base import run
from writ.domains.certificates import certify, outcome_of, unrefuted
from writ.schema import BURDEN_BINS, Decision, burden_bin

REFUSED = [name for name, kind in RETAIL.kinds.items() if not kind.tools]
ACTING = [name for name, kind in RETAIL.kinds.items() if kind.tools]


def end_state(database, calls):
    """Fingerprint after the calls; None where one is refused."""
    world = world_of(database)
    return None if any(world.call(call.name, call.arguments).error for call in calls) else world.fingerprint()


def has_twins(world, calls):
    """Whether the orders of the calls hold one item twice: no words tell them apart."""
    orders = [world.state.get("orders", order_id) for order_id in {call.arguments["order_id"] for call in calls}]
    items = [item["item_id"] for order in orders for item in order["items"]]
    return len(set(items)) < len(items)


def test_every_candidate_that_wins_or_is_out_says_by_which_facts(generated):
    reasons = {"winner": set(), "excluded": set()}
    for _, _, decision, _ in certified(generated, users=12, kinds=["cancel_order", "exchange_items", "return_items"]):
        for candidate in decision.certificate.candidates:
            assert candidate.why or candidate.status in ("runner_up", "eligible"), candidate
            reasons.get(candidate.status, set()).add(candidate.why)
    assert any(why.startswith("the only one that holds the ") for why in reasons["winner"])
    assert any(why.endswith(", not pending") for why in reasons["excluded"])
    assert any(" is not above $" in why for why in reasons["excluded"])


def test_every_kind_certifies_and_every_gold_changes_the_state(database):
    kinds, tools = set(), set()
    untouched = world_of(database).fingerprint()
    for _, wish, decision, _ in certified(database):
        kinds.add(wish.kind)
        tools |= {call.name for call in decision.calls}
        if decision.outcome == "act":
            assert end_state(database, decision.calls) not in (None, untouched), wish
    assert kinds == set(RETAIL.kinds)
    assert tools == {name for name, tool in RETAIL.toolkit.tools.items() if tool.kind == "write"}


def test_acting_kinds_act_and_refused_kinds_never_do(database):
    acts = Counter()
    for _, wish, decision, _ in certified(database):
        acts[wish.kind, decision.outcome == "act"] += 1
    for name in RETAIL.kinds:
        assert not (acts[name, True] if name not in ACTING else 0), name
    assert sum(acts[name, False] for name in ACTING) < 0.1 * sum(acts[name, True] for name in ACTING)


def test_plan_can_be_read_in_its_order_and_refutes_every_rival(database):
    for user_id, wish, decision, world in certified(database, per_kind=2):
        seen = set()
        for read in decision.certificate.plan:
            world.read(read.name, read.arguments)
            for clause in RETAIL.needs(read, wish, user_id, world):
                assert any(option.key in seen or RETAIL.free(option) for option in clause), read
            seen.add(read.key)
        assert not unrefuted(decision.certificate, decision.certificate.plan)


def test_the_resolver_reads_enough_and_only_reads(database):
    for user_id, wish, decision, world in certified(database, per_kind=2):
        _, reads = run(RETAIL.kinds[wish.kind].resolve(wish, user_id), world.read)
        assert not unrefuted(decision.certificate, reads), wish
        assert not any(world.writes(read.name) for read in reads)
        assert decision.certificate.relevant >= decision.certificate.burden


def test_every_distractor_ends_in_another_state_than_the_gold(database):
    number = 0
    for user_id, wish, decision, world in certified(database, kinds=ACTING):
        if decision.outcome != "act":
            continue
        gold = end_state(database, decision.calls)
        for distractor in RETAIL.kinds[wish.kind].distractors(wish, user_id, world, outcome_of(decision)):
            number += 1
            assert end_state(database, distractor.calls) not in (None, gold), (wish, distractor)
    assert number > 100


def test_the_narrow_telling_has_the_same_gold_and_never_more_burden(database):
    narrower = Counter()
    for user_id, wish, decision, world in certified(database, kinds=ACTING):
        if decision.outcome != "act":
            continue
        told = RETAIL.kinds[wish.kind].narrow(wish, user_id, world, outcome_of(decision))
        if told is None:
            assert has_twins(world, decision.calls), wish
            continue
        low = certify(RETAIL, told, user_id, world)
        assert isinstance(low, Decision)
        assert low.calls == decision.calls, (wish, told)
        assert low.certificate.burden <= decision.certificate.burden
        narrower[decision.calls[0].name] += low.certificate.burden < decision.certificate.burden
    assert all(narrower[tool] for tool in (call for name in ACTING for call in RETAIL.kinds[name].tools))


def test_requests_and_scripts_say_every_core_fact_and_no_id_that_is_hidden(database):
    for user_id, wish, decision, _ in certified(database, per_kind=4):
        kind = RETAIL.kinds[wish.kind]
        facts = kind.facts(wish)
        known = " ".join(fact.text for fact in facts)
        request, script = kind.request(wish, Random(f"{user_id}")), kind.script(wish)
        for fact in facts:
            assert fact.text, wish
            assert not fact.core or fact.text in request, (fact.text, request)
            assert fact.core or fact.question, fact
            assert fact.text.replace("I used", "you used").split(" my ")[0] in script, (fact.text, script)
            assert fact.wrong != fact.text
        ids = {str(value) for call in decision.calls for key, value in call.arguments.items() if key.endswith("_id")}
        ids |= {item for call in decision.calls for key, value in call.arguments.items() if key.endswith("_ids") for item in value}
        for hidden in ids - set(known.split()):
            assert hidden not in request
            assert hidden not in script


def test_requests_are_whole_sentences(database):
    for user_id, wish, _, _ in certified(database, per_kind=4):
        text = RETAIL.kinds[wish.kind].request(wish, Random(f"{user_id}"))
        assert text[0].isupper()
        assert text[-1] in ".?"
        assert "[" not in text
        assert "{" not in text
        assert "  " not in text, text


def test_gold_replays_in_the_order_of_the_wish_and_told_values_are_asked_for(database):
    asked = 0
    for _, wish, decision, _ in certified(database, kinds=ACTING, per_kind=6):
        names = [told.name for told in decision.told]
        if decision.outcome == "act":
            assert names == wish.slots.get("ask", []), wish
        asked += len(names)
    assert asked


def test_several_items_of_one_product_become_the_same_variant_where_the_words_say_each(database):
    number = 0
    for _, wish, decision, world in certified(database, kinds=["change_items", "exchange_items"], users=90, per_kind=6):
        if decision.outcome == "act" and any(change["item"].get("each") for change in wish.slots["changes"]):
            number += 1
            change = next(change for change in wish.slots["changes"] if change["item"].get("each"))
            call = next(call for call in decision.calls if len(call.arguments["item_ids"]) > 1)
            held = {item["item_id"]: item["name"] for item in world.state.get("orders", call.arguments["order_id"])["items"]}
            pairs = zip(call.arguments["item_ids"], call.arguments["new_item_ids"], strict=True)
            assert len({new for old, new in pairs if held[old] == change["item"]["product"]}) == 1
    assert number


def test_a_pending_order_never_gets_two_different_swaps_in_one_call(database):
    for _, _, decision, _ in certified(database, kinds=["change_items", "change_for_less"], per_kind=6):
        for call in decision.calls:
            assert len(set(call.arguments["new_item_ids"])) == 1


@pytest.mark.parametrize("tool", sorted({tool for name in ACTING for tool in RETAIL.kinds[name].tools}))
def test_deep_accounts_fill_every_burden_that_a_tool_can_have(tool, generated):
    bins = Counter()
    kinds = [name for name in ACTING if tool in RETAIL.kinds[name].tools]
    for _, _, decision, _ in certified(generated, users=60, per_kind=6, kinds=kinds):
        bins[burden_bin(decision.certificate.burden)] += decision.outcome == "act"
    wanted = [burden_bin(low) for low, _ in BURDEN_BINS]
    needs_two = ("modify_pending_order_payment", "modify_pending_order_items", "exchange_delivered_order_items")
    assert all(bins[name] for name in wanted[1 if tool in needs_two else 0 :]), bins


def test_every_rule_that_a_fresh_account_can_violate_is_refused_by_some_wish(generated):
    rules = {decision.rule for _, _, decision, _ in certified(generated, users=60, per_kind=8, kinds=REFUSED)}
    assert rules - {""} >= set(RETAIL.rules) - {"ambiguous"}
