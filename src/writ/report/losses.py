"""What went wrong, in one sentence: what was done, what should have been, and where."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from writ.report.calls import argument_text, call_of, call_text, leaves
from writ.report.names import Facts, argument_name, humane, readable, rule_text, small
from writ.report.reasons import RIGHT_IS, Change, Part, Sentence, Strong, because, joined
from writ.schema import Call, Check, Decision, Message, Told
from writ.streams import Conversation

_NAMED = 2
_DESCRIBED = 4


class Lost(NamedTuple):
    """What a sentence is made of."""

    conversation: Conversation
    check: Check
    changes: Sequence[Change]
    domain: Facts

    @property
    def place(self) -> tuple[Part, ...]:
        return () if self.check.turn is None else ("In ", self.check.turn, ", ")

    @property
    def decisions(self) -> tuple[Decision, ...]:
        return self.conversation.task.decisions

    def call(self) -> Call | None:
        """The write at fault: the first of its message that is not right, or else the first."""
        here = sorted((change for change in self.changes if change.turn == self.check.turn), key=lambda change: change.right)
        return self.call_at(here[0]) if here else None

    def call_at(self, change: Change) -> Call | None:
        return call_of(self.conversation.trajectory.messages[change.turn].tool_calls[change.place])

    def what(self) -> Strong:
        """The write at fault in words."""
        call = self.call()
        return Strong(call_text(call) if call else "a change")


def loss(conversation: Conversation, check: Check, changes: Sequence[Change], domain: Facts) -> Sentence:
    """What a failed check found; in the check's own words where the records say no more."""
    lost = Lost(conversation, check, changes, domain)
    told = _SENTENCES[check.cause](lost) if check.cause in _SENTENCES else ()
    return told or (sentence(readable(check.detail, domain)),)


def sentence(text: str) -> str:
    """With a capital, unless it begins with a name of the records, and a full stop."""
    if not text:
        return ""
    begun = text if re.match(r"[a-z]\w*_", text) else text[:1].upper() + text[1:]
    return begun if begun[-1] in ".!?" else f"{begun}."


def _wrong_argument(lost: Lost) -> Sentence:
    change = next((each for each in lost.changes if each.turn == lost.check.turn and each.wanted), None)
    call = lost.call()
    if change is None or call is None:
        return ()
    got = dict(leaves(call.arguments))
    parts: list[Part] = []
    for path, value in list(change.wanted.items())[:_NAMED]:
        wrong = Strong(argument_text(path, got[path])) if path in got else Strong("nothing")
        right = Strong("left out" if value is None else argument_text(path, value))
        parts += ["; " if parts else "", f"{small(argument_name(path))} to ", wrong, ", where ", right, " was due"]
    more = f" (and {len(change.wanted) - _NAMED} more values are wrong)" if len(change.wanted) > _NAMED else ""
    instead: Sentence = next((line for line in change.why if line[0] == RIGHT_IS), ())
    return (*lost.place, f"in “{humane(call.name)}”, the agent set ", *parts, f"{more}.", *((" ", *instead) if instead else ()))


def _missing_write(lost: Lost) -> Sentence:
    missing = _missing(lost)
    return ("The agent never made a change that was due: ", *_owed(missing), *_why(lost, missing[0])) if missing else ()


def _missing(lost: Lost) -> list[Call]:
    messages = lost.conversation.trajectory.messages
    made = {call.key for message in messages for written in message.tool_calls if (call := call_of(written))}
    return [call for call in lost.conversation.task.writes if call.key not in made]


def _owed(missing: Sequence[Call]) -> Sentence:
    more = f"; and {len(missing) - _NAMED} more." if len(missing) > _NAMED else "."
    return (*joined((Strong(call_text(call)),) for call in missing[:_NAMED]), more)


def _why(lost: Lost, call: Call) -> Sentence:
    """Why a change was due, where something was chosen for it."""
    decision = next(decision for decision in lost.decisions if call in decision.calls)
    why = next(because(decision, call, (), lost.conversation.trajectory.messages), ())
    return (" Why: ", *why) if why else ()


def _extra_write(lost: Lost) -> Sentence:
    if any(each.turn == lost.check.turn and each.wanted for each in lost.changes):
        return (*lost.place, "with that value the change is ", Strong("none of those that were due"), ".")
    return (*lost.place, "the agent made a change that nobody asked for: ", lost.what(), ". It should have made none.")


def _forbidden_write(lost: Lost) -> Sentence:
    rule = next((name for name in lost.domain["rules"] if f"'{name}'" in lost.check.detail), "")
    clause = rule_text(rule, lost.domain) if rule else sentence(readable(lost.check.detail, lost.domain))
    return (*lost.place, "the agent tried ", lost.what(), ", which the rules forbid: ", clause)


def _repeated_write(lost: Lost) -> Sentence:
    call = lost.call()
    first = next((each.turn for each in lost.changes if call and lost.call_at(each) == call and each.turn != lost.check.turn), None)
    where: tuple[Part, ...] = (" It had made it already in ", first, ".") if first is not None else ()
    return (*lost.place, "the agent made the same change a second time: ", lost.what(), ".", *where)


def _unconfirmed_write(lost: Lost) -> Sentence:
    call = lost.call()
    unstated = re.search(r"does not state (\S+) of", lost.check.detail)
    if call is None:
        return ()
    if unstated:
        value = dict(leaves(call.arguments)).get(unstated[1])
        missing = Strong(f"{small(argument_name(unstated[1]))} {argument_text(unstated[1], value)}")
        return (*lost.place, f"the agent made “{humane(call.name)}” although its summary before the yes did not say ", missing, ".")
    if "did not agree" in lost.check.detail:
        return (*lost.place, "the agent made ", lost.what(), ", to which the customer ", Strong("had not said yes"), ".")
    return (*lost.place, "the agent made ", lost.what(), " ", Strong("without asking first"), "; it was to sum it up and wait for a yes.")


def _unclear_confirmation(lost: Lost) -> Sentence:
    return (*lost.place, "the customer answered the summary with ", Strong("neither yes nor no"), ", and the agent made the change all the same.")


def _ungrounded(lost: Lost) -> Sentence:
    found = re.match(r"(\S+) = (.*) comes from nowhere", lost.check.detail)
    call = lost.call()
    if not found or call is None:
        return ()
    value = argument_text(found[1], dict(leaves(call.arguments)).get(found[1], found[2]))
    made_up = Strong(f"{small(argument_name(found[1]))} {value}")
    return (*lost.place, f"the agent made “{humane(call.name)}” with ", made_up, ", which nobody said, no look-up showed and nothing derives.")


def _missing_read(lost: Lost) -> Sentence:
    skipped, _, unknown = readable(lost.check.detail, lost.domain).partition(", so it could not know whether ")
    where: tuple[Part, ...] = () if lost.check.turn is None else (" in ", lost.check.turn)
    return (Strong(sentence(skipped).rstrip(".")), *where, f", so it could not know whether {unknown}. It was right by luck.") if unknown else ()


def _missing_fact(lost: Lost) -> Sentence:
    wanted = [told for decision in lost.decisions for told in decision.told]
    told = next((each for each in wanted if f"{each.name} ({each.value})" in lost.check.detail), None)
    return ("The customer asked for the ", Strong(told_text(told)), ", and the agent never said it.") if told else ()


def told_text(told: Told) -> str:
    value = f"${told.value}" if told.form == "money" else told.value
    return f"{told.name.replace('_', ' ')}, {value}"


def _not_declined(lost: Lost) -> Sentence:
    denied = [decision for decision in lost.decisions if decision.outcome == "deny"]
    decision = next((each for each in denied if each.subject and each.subject in lost.check.detail), next(iter(denied), None))
    if decision is None:
        return ()
    clause = rule_text(decision.rule, lost.domain).rstrip(".")
    return ("The agent never said in words that what the customer wants of ", Strong(decision.subject or "it"), f" is refused, and why: {clause}.")


def _missing_transfer(lost: Lost) -> Sentence:
    rule = next((decision.rule for decision in lost.decisions if decision.outcome == "transfer" and decision.rule), "")
    why = f": {rule_text(rule, lost.domain)}" if rule else "."
    return ("The agent never ", Strong("handed the case to a person"), f", although it had to{why}")


def _needless_transfer(lost: Lost) -> Sentence:
    return (*lost.place, "the agent ", Strong("handed the case to a person"), "; it was to settle it itself.")


def _user_leaked(lost: Lost) -> Sentence:
    _, said, text = lost.check.detail.partition("the user said ")
    if not said:
        return ()
    instruction, messages, turn = lost.conversation.instruction, lost.conversation.trajectory.messages, lost.check.turn
    words = "" if turn is None else (messages[turn].content or "").lower()
    known = [fact.text for facts in instruction.facts for fact in facts if fact.core and text not in fact.text and fact.text.lower() in words]
    describe = f" ({', '.join(dict.fromkeys(known[:_DESCRIBED]))})" if known else ""
    rest = f" The script does not give it to them: they were to describe what they want{describe}, and the agent was to look up the rest."
    return (*lost.place, "the simulated customer said ", Strong(text), ", ", *_what_it_is(text, messages), ".", rest)


def _what_it_is(value: str, messages: Sequence[Message]) -> Sentence:
    """What an id is the id of, as the first look-up that showed it tells: `an item id of Desk Lamp, see message 4`."""
    for turn, message in enumerate(messages):
        if message.role != "tool" or value not in (message.content or ""):
            continue
        try:
            record = json.loads(message.content or "")
        except ValueError:
            continue
        found = next(_named_by(value, record, ""), None)
        if found:
            kind, of = found
            article = "an" if kind[0] in "aeiou" else "a"
            return (f"{article} {kind}{f' of {of}' if of else ''}, as ", turn, " shows")
    return ("an id that no look-up showed",)


def _named_by(value: str, record: Any, within: str) -> Iterator[tuple[str, str]]:
    """Kind and owner of a value in a record; `within`: the name of what holds the record."""
    if isinstance(record, list):
        for item in record:
            if item == value:
                yield _one(within), ""
            yield from _named_by(value, item, within)
    if not isinstance(record, dict):
        return
    owner = _owner(record)
    for name, item in record.items():
        if name == value:
            yield _one(within), owner
        elif item == value:
            yield name.replace("_", " "), "" if value in owner else owner
        else:
            for kind, of in _named_by(value, item, name):
                yield kind, owner if "reservation_id" in record else of or owner


def _owner(record: Mapping[str, Any]) -> str:
    """What people call a record that holds ids."""
    for name, called in (("name", ""), ("reservation_id", "reservation "), ("order_id", "order ")):
        if isinstance(record.get(name), str):
            return f"{called}{record[name]}"
    return f"the trip {record['origin']} to {record['destination']}" if {"origin", "destination"} <= set(record) else ""


def _one(group: str) -> str:
    """What an entry of a group is known by: `reservation id` of `reservations`, `item id` of `variants`."""
    return "item id" if group == "variants" else f"{group.removesuffix('s').replace('_', ' ')} id" if group else "id"


def _said(rest: str) -> Callable[[Lost], Sentence]:
    def told(lost: Lost) -> Sentence:
        _, said, text = lost.check.detail.partition("the user said ")
        return (*lost.place, "the simulated customer said ", Strong(text), rest) if said else ()

    return told


def _premature_stop(lost: Lost) -> Sentence:
    return (*lost.place, "the simulated customer ", Strong("ended the conversation"), " while the agent waited for an answer.", *_still_due(lost))


def _still_due(lost: Lost) -> Sentence:
    missing = _missing(lost)
    return (" Still due: ", *_owed(missing)) if missing else ()


def _unidentified(lost: Lost) -> Sentence:
    return (*lost.place, "the agent made ", lost.what(), " ", Strong("before it had looked up who the customer is"), ".")


_SENTENCES: Mapping[str, Callable[[Lost], Sentence]] = {
    "wrong_argument": _wrong_argument,
    "missing_write": _missing_write,
    "extra_write": _extra_write,
    "forbidden_write": _forbidden_write,
    "repeated_write": _repeated_write,
    "unconfirmed_write": _unconfirmed_write,
    "unclear_confirmation": _unclear_confirmation,
    "ungrounded_argument": _ungrounded,
    "missing_read": _missing_read,
    "missing_fact": _missing_fact,
    "not_declined": _not_declined,
    "missing_transfer": _missing_transfer,
    "needless_transfer": _needless_transfer,
    "user_leaked": _user_leaked,
    "user_invented": _said(", which is in no script and which nobody had said."),
    "premature_stop": _premature_stop,
    "unidentified": _unidentified,
}
