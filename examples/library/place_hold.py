"""Put a hold on the newest (or shortest) edition of a title, or of all that an author wrote: a superlative over a set of candidates."""

from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any, ClassVar

from writ.domains.base import Outcome, Reads, WishKind
from writ.domains.environment import Environment
from writ.errors import ToolRefused
from writ.schema import Call, Candidate, Distractor, Fact, Rival, Told, Wish

from .account import branch_fact, get_member, id_fact, refused, say
from .rules import MAX_HOLDS, permits
from .tools import BRANCHES

KEYS = {"newest": ("year", -1), "shortest": ("pages", 1)}
"""Per criterion: the compared field, and the sign that makes the best the smallest."""

Edition = Mapping[str, Any]


class PlaceHold(WishKind):
    """Slots: `title` or `author` with `by` (a key of KEYS) and perhaps `format`, or `edition` (an id); `branch`; `ask`: `["waiting"]`."""

    name: ClassVar[str] = "place_hold"
    tools: ClassVar[tuple[str, ...]] = ("place_hold",)

    def propose(self, world: Environment, user_id: str, rng: Random) -> Iterator[Wish]:
        editions = list(world.state.values("editions"))
        for _ in range(8):
            edition = rng.choice(editions)
            ask = ["waiting"] if rng.random() < 0.4 else []
            slots = {"by": rng.choice(sorted(KEYS)), "branch": rng.choice(BRANCHES), "ask": ask}
            if rng.random() < 0.4:
                slots["format"] = edition["format"]
            yield Wish(kind=self.name, slots={"title": edition["title"], **slots})
            yield Wish(kind=self.name, slots={"author": edition["author"], **slots})

    def facts(self, wish: Wish) -> tuple[Fact, ...]:
        slots = wish.slots
        branch = branch_fact(slots["branch"])
        if "edition" in slots:
            return (id_fact("edition", slots["edition"]), branch)
        key = "title" if "title" in slots else "author"
        about = Fact(name=key, value=slots[key], text=slots[key], question=f"Which {key} is it about?", cues=(key,))
        by = Fact(name="by", value=slots["by"], text=slots["by"], question="The newest or the shortest?", cues=("newest", "shortest"))
        return (about, by, branch, *((_format_fact(slots["format"]),) if "format" in slots else ()))

    def resolve(self, wish: Wish, user_id: str) -> Reads[Outcome]:
        member = yield get_member(user_id)
        words = _words(wish)
        if member["status"] == "blocked":
            return refused("blocked", words)
        if len(member["holds"]) >= MAX_HOLDS:
            return refused("hold_limit", words)
        editions = yield from _editions(wish)
        candidates = _compared(wish, editions)
        matching = [candidate for candidate in candidates if candidate.status != "excluded" or candidate.why == "not lent out"]
        best = [edition for edition, candidate in zip(editions, candidates, strict=True) if candidate.status == "winner"]
        if len(best) != 1:
            return refused("ambiguous" if best else "reference_only" if matching else "not_found", words)
        return (yield from _placed(wish, user_id, best[0], candidates))

    def rivals(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Rival]:
        yield Rival(claim="the card is blocked, or not, or has another number of holds", refuters=(get_member(user_id),))
        if outcome.rule in ("blocked", "hold_limit"):
            return
        listed = [wish.slots["edition"]] if "edition" in wish.slots else _listed(world, wish)
        if "edition" not in wish.slots:
            yield Rival(claim="the catalog has one more edition, which would win", refuters=(catalog_search(wish),))
        for edition_id in listed:
            yield Rival(claim=f"{edition_id} would win, or cannot be lent", refuters=(_edition(edition_id),))

    def request(self, wish: Wish, rng: Random) -> str:
        text = say("place_hold", rng, {"what": _what(wish, rng)})
        return f"{text} {say('ask_waiting', rng)}" if wish.slots["ask"] else text

    def script(self, wish: Wish) -> str:
        form = f" You want it as {wish.slots['format']}." if "format" in wish.slots else ""
        ask = " You want to hear how many people are waiting before you." if wish.slots["ask"] else ""
        return f"You want a hold on {_exactly(wish)}, to be picked up at {wish.slots['branch']}.{form}{ask}"

    def narrow(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Wish | None:
        if "edition" in wish.slots or not outcome.calls:
            return None
        kept = {key: wish.slots[key] for key in ("branch", "ask")}
        return Wish(kind=self.name, slots={"edition": outcome.calls[0].arguments["edition_id"], **kept})

    def distractors(self, wish: Wish, user_id: str, world: Environment, outcome: Outcome) -> Iterator[Distractor]:
        if not outcome.calls or "edition" in wish.slots:
            return
        right = outcome.calls[0].arguments
        for edition_id in _listed(world, wish):
            if edition_id != right["edition_id"]:
                mistake = "takes another edition than the one asked for"
                yield Distractor(mistake=mistake, calls=(Call(name="place_hold", arguments={**right, "edition_id": edition_id}),))

    def unavailable(self, wish: Wish, world: Environment, rng: Random) -> str | None:
        return say("impossible", rng, wish.slots) if "title" in wish.slots else None


def _placed(wish: Wish, user_id: str, edition: Edition, candidates: Sequence[Candidate]) -> Reads[Outcome]:
    """The hold on the winner, if the policy allows it."""
    call = Call(name="place_hold", arguments={"member_id": user_id, "edition_id": edition["edition_id"], "branch": wish.slots["branch"]})
    ruling = yield from permits(call)
    if not ruling.allowed:
        return refused(ruling.rule, _words(wish), edition["title"])
    told = (Told(name="number_of_people_ahead", form="number", value=str(edition["waiting"])),) if wish.slots["ask"] else ()
    criterion = f"{wish.slots['by']} edition" if "by" in wish.slots else ""
    mentions = (edition["title"], edition["edition_id"])
    margin = _margin(wish, candidates)
    return Outcome((call,), subject=edition["title"], mentions=mentions, told=told, criterion=criterion, candidates=tuple(candidates), margin=margin)


def _editions(wish: Wish) -> Reads[list[Edition]]:
    """All editions that the words could mean."""
    if "edition" in wish.slots:
        listed = [wish.slots["edition"]]
    else:
        try:
            listed = yield catalog_search(wish)
        except ToolRefused:
            return []
    editions = []
    for edition_id in listed:
        editions.append((yield _edition(edition_id)))
    return editions


def _compared(wish: Wish, editions: Sequence[Edition]) -> list[Candidate]:
    """One candidate per edition; every best one is a winner, so two winners are a tie."""
    field, sign = KEYS[wish.slots.get("by", "newest")]
    wanted = wish.slots.get("format")
    eligible = sorted(sign * edition[field] for edition in editions if edition["lendable"] and wanted in (None, edition["format"]))
    return [_candidate(edition, field, sign, wanted, eligible) for edition in editions]


def _candidate(edition: Edition, field: str, sign: int, wanted: str | None, eligible: Sequence[int]) -> Candidate:
    label = f"{edition['title']}, {edition['format']} of {edition['year']} ({edition['edition_id']})"
    values = {field: edition[field], "format": edition["format"], "lendable": edition["lendable"]}
    if wanted not in (None, edition["format"]):
        return Candidate(label=label, values=values, status="excluded", why=f"not {wanted}", choice="editions")
    if not edition["lendable"]:
        return Candidate(label=label, values=values, status="excluded", why="not lent out", choice="editions")
    rank = eligible.index(sign * edition[field])
    return Candidate(label=label, values=values, status="winner" if rank == 0 else "runner_up" if rank == 1 else "eligible", choice="editions")


def _margin(wish: Wish, candidates: Sequence[Candidate]) -> float | None:
    field, _ = KEYS[wish.slots.get("by", "newest")]
    values = {candidate.status: candidate.values[field] for candidate in candidates}
    return float(abs(values["winner"] - values["runner_up"])) if "runner_up" in values else None


def catalog_search(wish: Wish) -> Call:
    return Call(name="search_catalog", arguments={"text": _words(wish)})


def _edition(edition_id: str) -> Call:
    return Call(name="get_edition", arguments={"edition_id": edition_id})


def _listed(world: Environment, wish: Wish) -> list[str]:
    try:
        found: list[str] = world.read("search_catalog", {"text": _words(wish)})
    except ToolRefused:
        return []
    return found


def _format_fact(form: str) -> Fact:
    wrong = "audiobook" if form != "audiobook" else "hardcover"
    return Fact(name="format", value=form, text=form, question="Which format should it be?", cues=("format",), wrong=wrong, core=False)


def _words(wish: Wish) -> str:
    return str(next(wish.slots[name] for name in ("edition", "title", "author") if name in wish.slots))


def _exactly(wish: Wish) -> str:
    if "edition" in wish.slots:
        return f"edition {_words(wish)}"
    return f"the {wish.slots['by']} {'edition of' if 'title' in wish.slots else 'book by'} {_words(wish)}"


def _what(wish: Wish, rng: Random) -> str:
    phrase = next(f"{name}_edition" for name in ("edition", "title", "author") if name in wish.slots)
    return say(phrase, rng, {**wish.slots, "about": _words(wish)})
