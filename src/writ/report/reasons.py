"""Why a change is right or not, in one sentence that a reader needs first: for the page and the terminal alike."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from writ.domains.wording import listed
from writ.report.calls import argument_text, call_of, differences, leaves, refused, tool_at
from writ.report.names import Facts, argument_name, fact_text, humane, rule_text, small, whole_name
from writ.schema import Call, Candidate, Decision, Message, Origin, Task, Verdict
from writ.streams import Conversation

_SHORTEST_ID = 4
_SHORTEST_WORD = 3
"""Of a value that is looked for as a word of its own: `SFO`."""
_NAMED = 3
"""Winners of one change that a sentence names."""
_SHOWN_VALUES = 4
_SPEAKING = frozenset({"first_name", "last_name", "flight_number", "payment_id"})
"""Leaves whose value says what it is."""
RIGHT_IS = "Right is: "
"""Begins the line of a wrong write that says what is due."""


class Strong(NamedTuple):
    """Words of a sentence to look at first."""

    text: str


Part: TypeAlias = str | Strong | int
"""A number is that of a message."""
Sentence: TypeAlias = tuple[Part, ...]


class Change(NamedTuple):
    """What is to be said of one write of a conversation."""

    turn: int
    place: int
    """Among the calls of its message."""
    right: bool
    word: str
    """How it stands to the right answer."""
    decision: int | None
    """Place of the decision that it belongs to, or that speaks against it."""
    why: tuple[Sentence, ...]
    """The first one says it all; the others add to it."""
    wanted: Mapping[str, Any] = {}
    """Path -> the value that is due, where the write has another."""


def changes(conversation: Conversation, verdict: Verdict, domain: Facts) -> Iterator[Change]:
    """All writes of a conversation, in order."""
    messages, task = conversation.trajectory.messages, conversation.task
    seen: dict[str, int] = {}
    for turn, message in enumerate(messages):
        for place, call in enumerate(message.tool_calls):
            if call.name not in domain["writes"]:
                continue
            written = call_of(call)
            if written is None:
                why = (Strong("What it is to change cannot be read"), ": its arguments are no JSON object.")
                yield Change(turn, place, False, "cannot be read", None, (why,))
                continue
            origins = [origin for origin in verdict.origins if origin.call == turn]
            yield _change(turn, place, written, task, domain, messages, origins, seen.get(written.key))
            if not refused(call.id, messages[turn:]):
                seen.setdefault(written.key, turn)


def _change(
    turn: int, place: int, call: Call, task: Task, domain: Facts, messages: Sequence[Message], origins: Sequence[Origin], before: int | None
) -> Change:
    about = next((i for i, decision in enumerate(task.decisions) if call.key in {gold.key for gold in decision.calls}), None)
    if about is not None and before is None:
        return Change(turn, place, True, "as the right answer", about, tuple(because(task.decisions[about], call, origins, messages)))
    if about is not None:
        return Change(turn, place, False, "made a second time", about, (("It was ", Strong("made already"), " in ", before or 0, "."),))
    due = nearest(call, task, messages)
    against = tuple(_against(call, task))
    if due is None:
        decision = next((i for i, each in enumerate(task.decisions) if each.rule and _touches(call, each)), None)
        if decision is not None:
            said: Sentence = (Strong("Against the rules"), ": ", rule_text(task.decisions[decision].rule, domain))
        else:
            said = (Strong("Nobody asked for this change"), ".")
        return Change(turn, place, False, "not in the right answer", decision, (said, *(line for _, line in against)))
    wanted, lines = _differing(call, *due, task, messages[:turn])
    return Change(turn, place, False, "differs from the right answer", due[1], (*lines, *(line for _, line in against)), wanted)


def _differing(call: Call, right: Call, of: int, task: Task, before: Sequence[Message]) -> tuple[dict[str, Any], tuple[Sentence, ...]]:
    """The values that are due instead; what is wrong, and why those are right."""
    wanted, got, owed = differences(call, right), dict(leaves(call.arguments)), task.decisions[of]
    parts: list[Part] = []
    for path, value in list(wanted.items())[:_NAMED]:
        parts += ["; " if parts else "", argument_name(path), " ", Strong(argument_text(path, got[path]) if path in got else "is left out")]
        parts += [" should be ", Strong("left out" if value is None else argument_text(path, value))]
    more = f", and {len(wanted) - _NAMED} more" if len(wanted) > _NAMED else ""
    told = {str(value) for value in wanted.values()}
    if any(each.status == "winner" and _ids(each) & told for each in owed.certificate.candidates):
        why = tuple((RIGHT_IS, *line) for line in because(owed, right, (), before))
    else:
        path = next((path for path, value in wanted.items() if value is not None), "")
        why = _source(path, wanted.get(path), before)
    return wanted, ((*parts, f"{more}."), *why)


def _source(path: str, value: Any, before: Sequence[Message]) -> tuple[Sentence, ...]:
    """Where the due value stood for the agent to take: said, proposed by itself, or shown; nothing where it is too short to be told from others."""
    text = argument_text(path, value)
    if value is None or len(text) < _SHORTEST_WORD:
        return ()
    spelled = re.escape(text).replace("\\ ", "[ _]")
    whole = re.compile(rf"(?<!\w){spelled}(?!\w)", re.IGNORECASE)
    standing = {
        role: [turn for turn, message in enumerate(before) if message.role == role and whole.search(message.content or "")]
        for role in ("user", "assistant", "tool")
    }
    if standing["user"]:
        return ((RIGHT_IS, Strong(text), ", as the customer said in ", standing["user"][-1], "."),)
    proposed: Sentence = (" and as the agent itself had proposed in ", standing["assistant"][-1]) if standing["assistant"] else ()
    shown = standing["tool"][-1:]
    if shown:
        return ((RIGHT_IS, Strong(text), f", as “{humane(tool_at(before, shown[0]))}” showed in ", shown[0], *proposed, "."),)
    return ((RIGHT_IS, Strong(text), ", as the agent itself had proposed in ", standing["assistant"][-1], "."),) if proposed else ()


def _touches(call: Call, decision: Decision) -> bool:
    text = call.key.lower()
    return any(mention.lower() in text for mention in decision.mentions)


# ------------------------------------------------------------------------------------------------------------- why it is right


def because(decision: Decision, call: Call, origins: Sequence[Origin], messages: Sequence[Message]) -> Iterator[Sentence]:
    """Why a due write is right: what it was chosen among, by which fact it wins and what comes next; or where its values are from."""
    groups = [(group, [each for each in group if each.status == "winner"]) for group in choices(decision)]
    about = [(group, [each for each in winners if names(each, call)]) for group, winners in groups]
    named = [(group, found) for group, found in about if found] or [(group, winners) for group, winners in groups if winners]
    compared = [(group, found) for group, found in named if len(group) > 1]
    if compared:
        yield tuple(part for group, found in compared for part in (" ", *_chosen(group, found)))[1:]
    yield from (_meant(group[0]) for group, _ in named if len(group) == 1)
    if not compared:
        yield from _asked(origins, messages)


def choices(decision: Decision) -> list[list[Candidate]]:
    """The candidates by what is chosen among, each from the best to those that are out."""
    groups: dict[str, list[Candidate]] = {}
    for candidate in decision.certificate.candidates:
        groups.setdefault(candidate.choice, []).append(candidate)
    order = ("winner", "runner_up", "eligible", "excluded")
    return [sorted(group, key=lambda each: order.index(each.status)) for group in groups.values()]


def _chosen(group: Sequence[Candidate], winners: Sequence[Candidate]) -> Sentence:
    size, best, among = len(group), winners[0], group[0].choice or "candidates"
    fitting = sum(each.status != "excluded" for each in group)
    runner = next((each for each in group if each.status == "runner_up"), None)
    if runner is not None and len(winners) == 1:
        mine, theirs = deciding(best, runner)
        name, rest = _short(best.label)
        about = f" ({rest})" if rest else ""
        head = f"Of {fitting} {among}{' that fit' if fitting < size else ''}, "
        why = _AND_THEN.join(best.why.split(_AND_THEN)[: len(mine)])  # a second criterion is told where the first one ties
        won, behind = Strong(", ".join(mine)), f" ({runner.why})" if runner.why else ""
        other = _short(runner.label)[0]
        other = runner.label if other == name else other  # the same flight on another day
        return (head, Strong(name), f"{_clause(why)}: ", won, f"{about}. Next best: {other}, {', '.join(theirs)}{behind}.")
    if fitting == 1:
        if best.why.startswith(("the only ", "is the ")):
            return (f"Of {size} {among}, ", Strong(best.label), f"{_clause(best.why)}.")
        why = "" if best.why.startswith("has the ") else f": it {best.why}" if _is_verb(best.why) else f": {best.why}" if best.why else ""
        return (f"Of {size} {among}, only ", Strong(best.label), f" fits{why}.", *_out(group))
    fit = "all fit" if fitting == size else f"{fitting} fit"
    return (f"Of {size} {among}, {fit}; of these: ", *joined((Strong(each.label), _clause(each.why)) for each in winners[:_NAMED]), _more(winners))


def _short(label: str) -> tuple[str, str]:
    """`WRF630, DTW to JFK, May 23 1:00 PM` as its number and the rest; other labels stay whole."""
    found = re.fullmatch(r"(\w+(?: \+ \w+)*), (.+)", label)
    return (found[1], found[2]) if found else (label, "")


def _out(group: Sequence[Candidate]) -> Sentence:
    """Why the others are out, in groups of one reason."""
    whys = Counter(each.why for each in group if each.status == "excluded" and each.why).most_common()
    others = sum(number for _, number in whys)
    if not others:
        return ()
    who = "it " if others == 1 else "each "
    counted = [f"{why} ({number})" if len(whys) > 1 else f"{who if _is_verb(why) else ''}{why}" for why, number in whys[:_NAMED]]
    rest = f"; and {others - sum(number for _, number in whys[:_NAMED])} more" if len(whys) > _NAMED else ""
    return (f" {'The other one is' if others == 1 else f'The other {others} are'} out: {'; '.join(counted)}{rest}.",)


def _meant(candidate: Candidate) -> Sentence:
    """The one that the words name, and what allows it."""
    why = candidate.why
    if _is_verb(why) or why.startswith("the only "):
        return ("It is about ", Strong(candidate.label), f", {'which ' if _is_verb(why) else ''}{why}.")
    return ("It is about ", Strong(candidate.label), f". Allowed: {why}." if why else ".")


def _more(found: Sequence[Any]) -> str:
    return f"; and {len(found) - _NAMED} more." if len(found) > _NAMED else "."


def joined(clauses: Iterable[Sentence]) -> Sentence:
    """`a; b; c`."""
    return tuple(part for clause in clauses for part in ("; ", *clause))[1:]


_AND_THEN = " and then the "
_VERBS = frozenset({"is", "has", "holds", "goes", "costs", "was", "saves", "can", "starts", "leaves"})


def _is_verb(why: str) -> bool:
    return why.split(" ")[0] in _VERBS


def _clause(why: str) -> str:
    """What follows the name of a candidate."""
    if not why:
        return ""
    return f" is {why}" if why.startswith("the only ") else f" {why}" if _is_verb(why) else f": {why}"


def deciding(best: Candidate, other: Candidate) -> tuple[list[str], list[str]]:
    """The facts of two candidates up to the first that tells them apart."""
    mine, theirs = [], []
    for name, value in best.values.items():
        if name not in other.values:
            continue
        mine.append(fact_text(name, value))
        theirs.append(fact_text(name, other.values[name]))
        if value != other.values[name]:
            break
    return mine, theirs


def _asked(origins: Sequence[Origin], messages: Sequence[Message]) -> Iterator[Sentence]:
    """Where nothing was compared: who said what of it, and what was looked up."""
    clauses: list[Sentence] = []
    for kind, verb in (("said", "the customer said "), ("shown", "a look-up showed "), ("formula", "worked out: "), ("none", "from nowhere came ")):
        found = [origin for origin in origins if origin.kind == kind]
        if not found:
            continue
        turns = sorted({origin.turn for origin in found if origin.turn is not None})
        where = [part for turn in turns[:_NAMED] for part in (", ", turn)][1:]
        how = listed(dict.fromkeys(small(humane(origin.path)) for origin in found)) if kind == "formula" else ""
        clauses.append((verb, *_values(found), *((" in ", *where) if where else ()), f" ({how})" if how else ""))
    if clauses:
        yield ("Nothing had to be compared: ", *joined(clauses), ".")


def _values(origins: Sequence[Origin]) -> Iterator[Part]:
    """`the reservation AK2G84 and the travelers Carys Larkin`: what is set, with the first few of its values."""
    things: dict[str, list[str]] = {}
    for origin in origins:
        leaf = origin.argument.rsplit(".", 1)[-1]
        inside = f"{small(argument_name(leaf))} " if "." in origin.argument and not leaf.isdecimal() and leaf not in _SPEAKING else ""
        things.setdefault(whole_name(origin.argument), []).append(inside + argument_text(origin.argument, origin.value))
    for place, (thing, values) in enumerate(things.items()):
        yield ("" if not place else " and " if place == len(things) - 1 else ", ") + f"the {thing} "
        shown = dict.fromkeys(values)
        yield Strong(" ".join(list(shown)[:_SHOWN_VALUES]) + (" …" if len(shown) > _SHOWN_VALUES else ""))


# ------------------------------------------------------------------------------------------------------------------ why it is not


def _against(call: Call, task: Task) -> Iterator[tuple[int, Sentence]]:
    """Of what a wrong write is about: the candidate, and why it is out or comes after the winner."""
    everything = [(i, each) for i, decision in enumerate(task.decisions) for each in decision.certificate.candidates]
    winners = frozenset().union(*(_ids(each) for _, each in everything if each.status == "winner"))
    out = [(i, each) for i, each in everything if each.status != "winner" and each.why and not _ids(each) & winners and names(each, call)]
    for i, each in out[:2]:
        yield i, (Strong(each.label), f"{_clause(each.why)}.")


def nearest(call: Call, task: Task, messages: Sequence[Message]) -> tuple[Call, int] | None:
    """The due call of the same tool that shares most values and was never made, with the place of its decision."""
    made = {each.key for message in messages for written in message.tool_calls if (each := call_of(written))}
    mine = dict(leaves(call.arguments))
    due = [(gold, i) for i, decision in enumerate(task.decisions) for gold in decision.calls if gold.name == call.name and gold.key not in made]
    return max(due, key=lambda each: sum(mine.get(path, ...) == value for path, value in leaves(each[0].arguments)), default=None)


def names(candidate: Candidate, call: Call) -> bool:
    """Whether the call has an id of the candidate's label among its values."""
    return not _ids(candidate).isdisjoint(str(value) for _, value in leaves(call.arguments))


def _ids(candidate: Candidate) -> frozenset[str]:
    words = "".join(" " if letter in ":,()+" else letter for letter in candidate.label).split()
    return frozenset(word for word in words if len(word) >= _SHORTEST_ID and (any(map(str.isdigit, word)) or word.isupper()))
