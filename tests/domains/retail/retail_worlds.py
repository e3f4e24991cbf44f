"""What the retail tests share: worlds, and certified wishes of people with several orders."""

from itertools import islice
from random import Random

from writ.domains.certificates import certify
from writ.domains.environment import Environment
from writ.domains.retail.domain import Retail
from writ.domains.retail.tools import RetailTools
from writ.schema import Decision

RETAIL = Retail()


def world_of(database):
    return Environment(RetailTools, database)


def certified(database, *, users=25, per_kind=3, kinds=None, seed=0):
    """(user, wish, decision, world) for the first proposals of each kind."""
    people = [user_id for user_id in RETAIL.persons(database) if len(database.tables["users"][user_id]["orders"]) > 1]
    for user_id in people[:users]:
        world = world_of(database)
        for name in kinds or RETAIL.kinds:
            for wish in islice(RETAIL.kinds[name].propose(world, user_id, Random(f"{seed}{user_id}{name}")), per_kind):
                decision = certify(RETAIL, wish, user_id, world)
                if isinstance(decision, Decision):
                    yield user_id, wish, decision, world
