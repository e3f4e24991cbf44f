"""Cancel every hold that will take too long: a rule over all of a member's holds."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads, WishKind
from writ.domains.environment import Environment
from writ.schema import Call, Candidate, Distractor, Fact, Rival, Wish

from .account import get_member, get_record, id_fact, refused, say


class CancelHolds(WishKind):
    """Slots: `more_than` (people ahead), or `hold` (an id)."""

    name: ClassVar[str] = "cancel_holds"
    tools: ClassVar[tuple[str, ...]] = ("cancel_hold",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        holds = world.read("get_member", {"member_id": user_id})["holds"]
        ahead = sorted({world.read("get_hold", {"hold_id": hold_id})["ahead"] for hold_id in holds}, reverse=True)
        for number in ahead:
            yield Wish(kind=self.name, slots={"more_than": max(number - 1, 2)})
        for hold_id in holds:
            yield Wish(kind=self.name, slots={"hold": hold_id})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        if "hold" in wish.slots:
            return (id_fact("hold", wish.slots["hold"]),)
        number = wish.slots["more_than"]
        return (
            Fact(
                name="longest_queue",
                value=number,
                text=f"more than {number}",
                question="How many people ahead of you are too many?",
                cues=("how many people", "too many"),
                wrong=f"more than {number + 1}",
            ),
        )

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        member = yield get_member(user_id)
        if "hold" in wish.slots:
            chosen = [wish.slots["hold"]] if wish.slots["hold"] in member["holds"] else []
            return _cancelled(chosen) if chosen else refused("not_found", wish.slots["hold"])
        candidates = []
        for hold_id in member["holds"]:
            hold = yield get_record("holds", hold_id)
            candidates.append(_candidate(hold, wish.slots["more_than"]))
        chosen = [hold_id for hold_id, candidate in zip(member["holds"], candidates, strict=True) if candidate.status == "winner"]
        if not chosen:
            return refused("not_found", f"hold with more than {wish.slots['more_than']}", "hold")
        return _cancelled(chosen, tuple(candidates))

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield Rival(claim="the account lists another hold", refuters=(get_member(user_id),))
        if "hold" in wish.slots:
            return
        for hold_id in world.read("get_member", {"member_id": user_id})["holds"]:
            yield Rival(claim=f"{hold_id} has more, or fewer, people ahead", refuters=(get_record("holds", hold_id),))

    def request(self, wish: Wish, rng: Random) -> str:
        if "hold" in wish.slots:
            return say("cancel_one", rng, wish.slots)
        return say("cancel_holds", rng, {"rule": f"more than {wish.slots['more_than']}"})

    def script(self, wish: Wish) -> str:
        if "hold" in wish.slots:
            return f"You want to cancel your hold {wish.slots['hold']}."
        return f"You want to cancel every hold of yours that has more than {wish.slots['more_than']} people ahead of you in the queue."

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if "hold" in wish.slots or len(outcome.calls) != 1:
            return None
        return Wish(kind=self.name, slots={"hold": outcome.calls[0].arguments["hold_id"]})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        right = [call.arguments["hold_id"] for call in outcome.calls]
        if len(right) > 1:
            yield Distractor(mistake="forgets one that qualifies", calls=outcome.calls[:-1])
        for hold_id in world.read("get_member", {"member_id": user_id})["holds"]:
            if right and hold_id not in right:
                yield Distractor(mistake="cancels one that does not qualify", calls=(*outcome.calls, _cancel(hold_id)))


def _cancel(hold_id: str) -> Call:
    return Call(name="cancel_hold", arguments={"hold_id": hold_id})


def _cancelled(chosen: list[str], candidates: tuple[Candidate, ...] = ()) -> Outcome:
    return Outcome(calls=tuple(map(_cancel, chosen)), subject="hold", mentions=tuple(chosen), candidates=candidates)


def _candidate(hold: dict[str, object], more_than: int) -> Candidate:
    ahead = int(str(hold["ahead"]))
    label, values, choice = f"{hold['title']} ({hold['hold_id']})", {"ahead": ahead}, "holds of the member"
    if ahead > more_than:
        return Candidate(label=label, values=values, status="winner", why=f"{ahead} ahead, more than {more_than}", choice=choice)
    return Candidate(label=label, values=values, status="excluded", why=f"only {ahead} ahead", choice=choice)
