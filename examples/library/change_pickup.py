"""Have one hold picked up at another branch."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads, WishKind
from writ.domains.environment import Environment
from writ.schema import Call, Distractor, Fact, Rival, Wish

from .account import branch_fact, get_member, id_fact, pointed_at, refused, say, search_rivals, title_fact
from .rules import permits
from .tools import BRANCHES


class ChangePickup(WishKind):
    """Slots: `title`, or `hold` (an id); `branch`."""

    name: ClassVar[str] = "change_pickup"
    tools: ClassVar[tuple[str, ...]] = ("change_pickup",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        holds = [world.read("get_hold", {"hold_id": hold_id}) for hold_id in world.read("get_member", {"member_id": user_id})["holds"]]
        rng.shuffle(holds)
        for hold in holds:
            branch = rng.choice([branch for branch in BRANCHES if branch != hold["branch"]])
            yield Wish(kind=self.name, slots={"title": hold["title"], "branch": branch})
            yield Wish(kind=self.name, slots={"hold": hold["hold_id"], "branch": branch})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        what = id_fact("hold", wish.slots["hold"]) if "hold" in wish.slots else title_fact(wish.slots["title"])
        return (what, branch_fact(wish.slots["branch"]))

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        member = yield get_member(user_id)
        words = _words(wish)
        found = yield from pointed_at(member, "holds", wish.slots)
        if len(found) != 1:
            return refused("ambiguous" if found else "not_found", words)
        hold = found[0]
        call = Call(name="change_pickup", arguments={"hold_id": hold["hold_id"], "branch": wish.slots["branch"]})
        ruling = yield from permits(call)
        if not ruling.allowed:
            return refused(ruling.rule, words, hold["title"], hold["hold_id"])
        return Outcome(calls=(call,), subject=hold["title"], mentions=(hold["title"], hold["hold_id"]))

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield Rival(claim="the account lists another hold", refuters=(get_member(user_id),))
        member = world.read("get_member", {"member_id": user_id})
        titles = {hold_id: world.read("get_hold", {"hold_id": hold_id})["title"] for hold_id in member["holds"]}
        found = [key for key, title in titles.items() if wish.slots.get("hold", key) == key and wish.slots.get("title", title) == title]
        yield from search_rivals(member, "holds", wish.slots, found)

    def request(self, wish: Wish, rng: Random) -> str:
        what = say("hold_title" if "title" in wish.slots else "hold", rng, wish.slots)
        return say("change_pickup", rng, {"what": what})

    def script(self, wish: Wish) -> str:
        return f"You want to pick up your hold on {_words(wish)} at another branch: {wish.slots['branch']}."

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if "hold" in wish.slots or not outcome.calls:
            return None
        return Wish(kind=self.name, slots={"hold": outcome.calls[0].arguments["hold_id"], "branch": wish.slots["branch"]})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        if outcome.rule == "ready":
            denied = Call(name="change_pickup", arguments={"hold_id": outcome.mentions[-1], "branch": wish.slots["branch"]})
            yield Distractor(mistake="moves a hold that is ready", calls=(denied,))
        if not outcome.calls:
            return
        right = outcome.calls[0].arguments
        for hold_id in world.read("get_member", {"member_id": user_id})["holds"]:
            if hold_id != right["hold_id"] and world.read("get_hold", {"hold_id": hold_id})["branch"] != right["branch"]:
                wrong = Call(name="change_pickup", arguments={**right, "hold_id": hold_id})
                yield Distractor(mistake="moves another hold of this member", calls=(wrong,))

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return say("impossible", rng, wish.slots) if "title" in wish.slots else None


def _words(wish: Wish) -> str:
    return str(wish.slots["title"] if "title" in wish.slots else wish.slots["hold"])
