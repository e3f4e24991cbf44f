"""Renew one loan, pointed at by its title or named by its number."""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from writ.domains.base import Outcome, Reads, WishKind
from writ.domains.environment import Environment
from writ.schema import Call, Distractor, Fact, Rival, Told, Wish

from .account import get_member, id_fact, pointed_at, refused, say, search_rivals, title_fact
from .rules import permits
from .tools import renewed


class RenewLoan(WishKind):
    """Slots: `title`, or `loan` (an id); `ask`: `["due"]` where the user wants to hear the new due date."""

    name: ClassVar[str] = "renew_loan"
    tools: ClassVar[tuple[str, ...]] = ("renew_loan",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        loans = [world.read("get_loan", {"loan_id": loan_id}) for loan_id in world.read("get_member", {"member_id": user_id})["loans"]]
        rng.shuffle(loans)
        for loan in loans:
            ask = ["due"] if rng.random() < 0.5 else []
            yield Wish(kind=self.name, slots={"title": loan["title"], "ask": ask})
            yield Wish(kind=self.name, slots={"loan": loan["loan_id"], "ask": ask})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        return (id_fact("loan", wish.slots["loan"]) if "loan" in wish.slots else title_fact(wish.slots["title"]),)

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        member = yield get_member(user_id)
        words = _words(wish)
        if member["status"] == "blocked":
            return refused("blocked", words)
        found = yield from pointed_at(member, "loans", wish.slots)
        if len(found) != 1:
            return refused("ambiguous" if found else "not_found", words)
        loan = found[0]
        call = Call(name="renew_loan", arguments={"loan_id": loan["loan_id"]})
        ruling = yield from permits(call)
        if not ruling.allowed:
            return refused(ruling.rule, words, loan["title"], loan["loan_id"])
        told = (Told(name="new_due_date", form="date", value=renewed(loan["due"])),) if wish.slots["ask"] else ()
        return Outcome(calls=(call,), subject=loan["title"], mentions=(loan["title"], loan["loan_id"]), told=told)

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield Rival(claim="the card is blocked, or not, or lists another loan", refuters=(get_member(user_id),))
        if outcome.rule == "blocked":
            return
        member = world.read("get_member", {"member_id": user_id})
        loans = {loan_id: world.read("get_loan", {"loan_id": loan_id}) for loan_id in member["loans"]}
        found = [key for key, loan in loans.items() if wish.slots.get("loan", key) == key and wish.slots.get("title", loan["title"]) == loan["title"]]
        yield from search_rivals(member, "loans", wish.slots, found)
        if outcome.rule in ("", "reserved"):
            edition_id = loans[found[0]]["edition_id"]
            yield Rival(claim="someone waits for it, or nobody", refuters=(Call(name="get_edition", arguments={"edition_id": edition_id}),))

    def request(self, wish: Wish, rng: Random) -> str:
        what = say("loan_title" if "title" in wish.slots else "loan", rng, wish.slots)
        text = say("renew_loan", rng, {"what": what})
        if wish.slots["ask"]:
            text += f" {say('ask_due', rng)}"
        return text[0].upper() + text[1:]

    def script(self, wish: Wish) -> str:
        ask = " You want to hear the new due date." if wish.slots["ask"] else ""
        return f"You want to renew the loan of {_words(wish)}.{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if "loan" in wish.slots or not outcome.calls:
            return None
        return Wish(kind=self.name, slots={"loan": outcome.calls[0].arguments["loan_id"], "ask": wish.slots["ask"]})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        right = [call.arguments["loan_id"] for call in outcome.calls]
        if outcome.rule in ("renewal_limit", "reserved"):
            denied = Call(name="renew_loan", arguments={"loan_id": outcome.mentions[-1]})
            yield Distractor(mistake="renews what must not be renewed", calls=(denied,))
        for loan_id in world.read("get_member", {"member_id": user_id})["loans"]:
            if right and loan_id not in right:
                yield Distractor(mistake="renews another loan of this member", calls=(Call(name="renew_loan", arguments={"loan_id": loan_id}),))

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return say("impossible", rng, wish.slots) if "title" in wish.slots else None


def _words(wish: Wish) -> str:
    return str(wish.slots["title"] if "title" in wish.slots else wish.slots["loan"])
