"""The certificates against brute force: what a plan does not show cannot matter, and what it shows does matter."""

from airline_mutations import other_outputs
from airline_worlds import AIRLINE, certified, decide

from writ.schema import Call


def scope(decision, reads, world):
    """All reads in scope by key, with what they show."""
    calls = {read.key: read for read in reads}
    for read in (*decision.certificate.plan, *(read for rival in decision.certificate.rivals for read in rival.refuters)):
        calls[read.key] = read
    return {key: (read, world.read(read.name, read.arguments)) for key, read in calls.items() if not AIRLINE.free(read)}


def trips_of(world, user_id):
    return [world.state.get("reservations", trip_id) for trip_id in world.state.get("users", user_id)["reservations"]]


def rows_of(outputs):
    """Flights (number, date) that these searches show."""
    found = set()
    for read, value in outputs:
        if read.name.startswith("search_"):
            flat = [each for row in value for each in (row if isinstance(row, list) else [row])]
            found |= {(each["flight_number"], each["date"] or read.arguments["date"]) for each in flat}
    return frozenset(found)


def test_what_the_plan_does_not_show_cannot_change_the_decision(database):
    tried = 0
    for user_id, wish, decision, world in certified(database, users=12, per_kind=3):
        gold, reads = decide(world, wish, user_id)
        everything = scope(decision, reads, world)
        planned = {read.key for read in decision.certificate.plan}
        fixed = rows_of([everything[key] for key in planned])
        for key, (read, value) in everything.items():
            if key not in planned:
                for other in other_outputs(read, value, trips_of(world, user_id), wish.slots, fixed):
                    tried += 1
                    assert decide(world, wish, user_id, {key: other})[0] == gold, (wish, decision.certificate.plan, read)
    assert tried > 300


def test_every_read_of_a_plan_can_change_the_decision_or_gives_the_arguments_of_one_that_can(database):
    checked = 0
    for user_id, wish, decision, world in certified(database, users=10, per_kind=3, seed=1):
        gold, reads = decide(world, wish, user_id)
        everything = scope(decision, reads, world)
        plan = decision.certificate.plan
        for read in plan:
            checked += 1
            others = {key: known for key, known in everything.items() if key not in {each.key for each in plan}}
            assert _is_needed(read, wish, user_id, world, plan) or _matters(read, everything, others, wish, user_id, world, gold), (wish, read)
    assert checked > 300


def _is_needed(read, wish, user_id, world, plan):
    """Whether another read of the plan gets its arguments from this one alone."""
    keys = {each.key for each in plan} - {read.key}
    clauses = [clause for other in plan if other.key != read.key for clause in AIRLINE.needs(other, wish, user_id, world)]
    return any(not keys & {option.key for option in clause} for clause in clauses)


def _matters(read, everything, others, wish, user_id, world, gold):
    """Whether something else at this read, alone or with the unread ones going along, changes the decision."""
    trips = trips_of(world, user_id)
    for other in other_outputs(read, everything[read.key][1], trips, wish.slots):
        if decide(world, wish, user_id, {read.key: other})[0] != gold:
            return True
        along = {key: other for key, (unread, _) in others.items() if unread.name == read.name == "get_flight_status"}
        if along and decide(world, wish, user_id, {read.key: other, **along})[0] != gold:
            return True
    return read.name.startswith("search_") and _unlisted(read, others, everything, wish, user_id, world, gold)


def _unlisted(read, others, everything, wish, user_id, world, gold):
    """Whether seats that are gone from every search that lists them, or there in all, change the decision."""
    for seats in (1, 2):
        changed = {}
        for key, (search, value) in {**others, read.key: everything[read.key]}.items():
            if search.name.startswith("search_"):
                changed[key] = list(other_outputs(search, value, [], wish.slots))[seats]
        if decide(world, wish, user_id, changed)[0] != gold:
            return True
    return False


def test_a_reservation_that_the_profile_did_not_list_changes_what_a_reference_means(generated):
    """The list itself is evidence: a twin of the trip makes every reference by content ambiguous."""
    seen = 0
    for user_id, wish, decision, world in certified(generated, users=10, per_kind=4, kinds=("cancel_trip", "add_bags")):
        ref = wish.slots["trip"]
        if "id" in ref or "pick" in ref:
            continue
        seen += 1
        gold = decision.calls[0].arguments["reservation_id"]
        profile = Call(name="get_user_details", arguments={"user_id": user_id})
        twin = Call(name="get_reservation_details", arguments={"reservation_id": "TWIN01"})
        shows = {
            profile.key: {**world.state.get("users", user_id), "reservations": [*world.state.get("users", user_id)["reservations"], "TWIN01"]},
            twin.key: {**world.state.get("reservations", gold), "reservation_id": "TWIN01"},
        }
        outcome, _ = decide(world, wish, user_id, shows)
        assert outcome[1] == "ambiguous"
        assert profile.key in {read.key for read in decision.certificate.plan}
    assert seen > 10
