"""The library desk: a domain that is a folder and one line."""

from collections import Counter
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from writ.domains.base import run
from writ.domains.certificates import Uncertified, certify
from writ.domains.database import Database, copied
from writ.domains.environment import Environment
from writ.domains.registry import load_domain
from writ.errors import ToolRefused
from writ.schema import Call

FOLDER = Path(__file__).parents[2] / "examples" / "library"


@pytest.fixture(scope="module")
def library():
    return load_domain(str(FOLDER))


@pytest.fixture(scope="module")
def database(library):
    return Database.from_tables(library.generate(seed=5, users=60), library.toolkit.shape)


@pytest.fixture
def world(library, database):
    return Environment(library.toolkit, database)


def wishes(library, world, per_kind=6):
    for user_id in library.persons(world.state.database):
        for kind in library.kinds.values():
            for wish in islice(kind.propose(world, user_id, Random(f"{user_id}{kind.name}")), per_kind):
                yield user_id, kind, wish


def test_generator_with_one_seed_makes_the_same_database_twice(library):
    assert library.generate(3, 40) == library.generate(3, 40) != library.generate(4, 40)


def test_every_wish_certifies_and_every_rule_and_tool_decides_some(library, world):
    decided = Counter()
    for user_id, kind, wish in wishes(library, world, per_kind=20):
        decision = certify(library, wish, user_id, world)
        assert not isinstance(decision, Uncertified), (wish, decision)
        decided.update([decision.rule] if decision.rule else [call.name for call in decision.calls])
        assert {call.name for call in decision.calls} <= set(kind.tools)
    assert set(decided) == {*library.rules, *(tool.name for tool in library.toolkit.tools.values() if tool.kind == "write")}


def test_gold_calls_change_the_state_and_distractors_change_it_otherwise(library, world):
    for user_id, kind, wish in wishes(library, world):
        outcome, _ = run(kind.resolve(wish, user_id), world.read)
        ends = [after(world, outcome.calls), *(after(world, d.calls) for d in kind.distractors(wish, user_id, world, outcome))]
        if outcome.calls:
            assert ends[0] not in (world.fingerprint(), *ends[1:])


def after(world, calls):
    twin = world.fork()
    for call in calls:
        twin.call(call.name, call.arguments)
    return twin.fingerprint()


def test_requests_hold_every_core_fact_and_scripts_every_fact(library, world):
    for _, kind, wish in wishes(library, world):
        facts = kind.facts(wish)
        for seed in range(5):
            request = kind.request(wish, Random(seed))
            assert all(fact.text in request for fact in facts if fact.core), request
            assert not any(mark in request for mark in "{}|[]"), request
        assert all(fact.text in kind.script(wish) or str(fact.value) in kind.script(wish) for fact in facts)


def test_decision_after_the_plan_was_read_does_not_depend_on_unread_records(library, world):
    """The oracle of the evidence burden: whatever an unread record holds, the decision stays."""
    edits = 0
    for user_id, kind, wish in wishes(library, world, per_kind=2):
        decision = certify(library, wish, user_id, world)
        read = {str(value) for call in decision.certificate.plan for value in call.arguments.values()}
        outcome, _ = run(kind.resolve(wish, user_id), world.read)
        for table, record_id, change in unread(world, read, user_id):
            twin = world.fork()
            twin.state.edit(table, record_id).update(copied(change))
            assert run(kind.resolve(wish, user_id), twin.read)[0].identity == outcome.identity, (wish, record_id, change)
            edits += 1
    assert edits > 200


def unread(world, read, user_id):
    """Extreme contents for records of this member that the plan leaves closed. What the catalog search lists is not among them."""
    member = world.read("get_member", {"member_id": user_id})
    for loan_id in set(member["loans"]) - read:
        yield "loans", loan_id, {"renewals": 9}
    for hold_id in set(member["holds"]) - read:
        yield "holds", hold_id, {"status": "ready"}


def test_narrow_telling_keeps_the_gold_and_needs_fewer_reads(library, world):
    pairs = 0
    for user_id, kind, wish in wishes(library, world):
        wide = certify(library, wish, user_id, world)
        outcome, _ = run(kind.resolve(wish, user_id), world.read)
        narrow = kind.narrow(wish, user_id, world, outcome)
        if narrow:
            low = certify(library, narrow, user_id, world)
            assert (low.calls, low.told) == (wide.calls, wide.told)
            pairs += low.certificate.burden < wide.certificate.burden
    assert pairs > 50


def test_members_are_found_by_card_and_by_email(library, world):
    for user_id in library.persons(world.state.database)[:10]:
        for which in ("primary", "alternative"):
            said = {fact.name: fact.value for fact in library.identity(world, user_id, which)}
            assert run(library.identify(said), world.read)[0] == user_id
    with pytest.raises(ToolRefused):
        run(library.identify({"card": "none"}), world.read)


def test_search_that_finds_nothing_ends_in_not_found(library, world):
    active = next(m for m in world.state.values("members") if m["status"] == "active" and len(m["holds"]) < 4)
    wish = next(library.kinds["place_hold"].propose(world, active["member_id"], Random(0)))
    unknown = wish.model_copy(update={"slots": {**wish.slots, "title": "The Unwritten Book"}})
    assert run(library.kinds["place_hold"].resolve(unknown, active["member_id"]), world.read)[0].rule == "not_found"


def test_summary_states_every_form_that_a_confirmation_needs(library, world):
    for user_id, kind, wish in wishes(library, world, per_kind=3):
        shown = []
        outcome, reads = run(kind.resolve(wish, user_id), world.read)
        shown = [(read, world.read(read.name, read.arguments)) for read in reads]
        for call in outcome.calls:
            text = library.summarize(call, shown, Random(1))
            assert all(any(form in text for form in forms) for forms in library.forms(call, shown).values()), text


def test_stale_reads_are_all_that_a_write_changes(library, world):
    """A read that is not stale after a write shows the same as before it."""
    for user_id, kind, wish in wishes(library, world, per_kind=2):
        outcome, reads = run(kind.resolve(wish, user_id), world.read)
        twin = world.fork()
        for call in outcome.calls:
            twin.call(call.name, call.arguments)
            for read in reads:
                if not any(library.stale(done, read) for done in outcome.calls):
                    assert twin.call(read.name, read.arguments) == world.call(read.name, read.arguments)


def test_write_that_is_refused_leaves_no_trace(world):
    refused = [Call(name="place_hold", arguments={"member_id": "m101", "edition_id": "e301", "branch": "Moon"})]
    refused += [Call(name="cancel_hold", arguments={"hold_id": "h9"}), Call(name="renew_loan", arguments={"loan_id": "n9"})]
    assert after(world, refused) == world.fingerprint()
