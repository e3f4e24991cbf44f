"""Small certified tasks of the library desk, made without the tasks stage."""

from functools import cache
from itertools import islice
from pathlib import Path
from random import Random

from writ.domains.certificates import Uncertified, certify
from writ.domains.registry import open_domain
from writ.domains.sources import snapshots
from writ.schema import Task, content_id
from writ.settings import DomainsConfig

FOLDER = str(Path(__file__).parents[1] / "examples" / "library")


@cache
def library():
    """The snapshot of a small library."""
    (snapshot,) = snapshots(DomainsConfig(names=("library",), code={"library": FOLDER}, users=60), seed=7, content=None)
    return snapshot


@cache
def site():
    return open_domain(library())


@cache
def tasks(count=300):
    """Tasks of one to three wishes, some of them refusals; each decided on the state that the ones before left."""
    return tuple(islice({task.id: task for task in islice(_tasks(), 2 * count)}.values(), count))


def _tasks():
    domain = site().domain
    for turn in range(40):
        for user_id in domain.persons(site().database):
            rng = Random(f"{turn}{user_id}")
            world, pairs = site().environment(), []
            for kind in rng.sample(sorted(domain.kinds), rng.choice((1, 1, 2, 3))):
                wish = next(islice(domain.kinds[kind].propose(world, user_id, rng), rng.randint(0, 3), None), None)
                decision = certify(domain, wish, user_id, world) if wish else Uncertified("none")
                if isinstance(decision, Uncertified) or (pairs and pairs[-1][1].outcome == "transfer"):
                    continue
                pairs.append((wish, decision))
                for call in decision.calls:
                    world.call(call.name, call.arguments)
            if pairs and (not any(decision.calls for _, decision in pairs) or world.delta()):
                yield _task(user_id, pairs)


def _task(user_id, pairs):
    wishes, decisions = zip(*pairs, strict=True)
    return Task(
        id=content_id("library", [user_id, [wish.model_dump() for wish in wishes]]),
        domain="library",
        kind="normal",
        user_id=user_id,
        wishes=wishes,
        decisions=decisions,
        ordered=True if any(d.outcome != "act" for d in decisions) else len({w.kind for w in wishes}) > 2,
        tool=(decisions[0].calls[0].name if decisions[0].calls else decisions[0].rule),
        burden=max(d.certificate.burden for d in decisions),
        relevant=max(d.certificate.relevant for d in decisions),
    )
