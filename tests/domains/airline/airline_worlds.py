"""What the airline tests share: worlds, certified wishes, and worlds that differ in what one read shows."""

from itertools import islice
from random import Random

from writ.domains.airline.domain import Airline
from writ.domains.airline.tools import AirlineTools
from writ.domains.base import run
from writ.domains.certificates import certify
from writ.domains.environment import Environment
from writ.errors import ToolRefused
from writ.schema import Call, Decision, Wish

AIRLINE = Airline()


def world_of(database):
    return Environment(AirlineTools, database)


def certified(database, *, users=20, per_kind=3, kinds=None, seed=0):
    """(user, wish, decision, world) for the first proposals of each kind."""
    persons = AIRLINE.persons(database)
    people = [user_id for user_id in persons if len(database.tables["users"][user_id]["reservations"]) > 1]
    for user_id in people[:users]:
        world = world_of(database)
        for name in kinds or AIRLINE.kinds:
            for wish in islice(AIRLINE.kinds[name].propose(world, user_id, Random(f"{seed}{user_id}{name}")), per_kind):
                decision = certify(AIRLINE, wish, user_id, world)
                if isinstance(decision, Decision):
                    yield user_id, wish, decision, world


def decide(world, wish, user_id, shows=None):
    """The decision, with some reads (by key) showing something else; and the reads that it took."""

    def read(name, arguments):
        key = Call(name=name, arguments=arguments).key
        return shows[key] if shows and key in shows else world.read(name, arguments)

    try:
        outcome, reads = run(AIRLINE.kinds[wish.kind].resolve(wish, user_id), read)
    except ToolRefused:
        return "refused", ()
    return (tuple(call.key for call in outcome.calls), outcome.rule, outcome.told), reads


def wish(kind, **slots):
    return Wish(kind=kind, slots=slots)


def decision_on(world, wished, user_id):
    found = certify(AIRLINE, wished, user_id, world)
    assert isinstance(found, Decision), found
    return found
