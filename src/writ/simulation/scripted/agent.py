"""The scripted agent: a program that knows how the domain's wishes are resolved, but not what is right in this conversation. It hears the wishes,
identifies the user, looks up what the resolver asks for, and acts on what its tools show.
"""

import json
import re
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, TypeAlias, TypeVar

from writ.domains.base import Outcome, Reads
from writ.domains.registry import OpenDomain
from writ.domains.speech import assents
from writ.domains.wording import listed
from writ.errors import ToolRefused
from writ.schema import Call, Fact, Instruction, Told, Wish
from writ.simulation.scripted import slips
from writ.simulation.scripted.faults import Faults
from writ.simulation.scripted.hearing import contains, occurrences, refused, shown, without
from writ.simulation.scripted.voice import Voice, book, clause, words

PHRASES = book("agent")
TRANSFER = "transfer_to_human_agents"

_ACCEPTS = re.compile(
    r"\b(okay|ok|fine|all right|alright|understand|understood|see|accept|fair|very well|so be it|clear|thanks|thank you|yes)\b", re.I
)

_NO_WISH = re.compile(
    r"that('s| is| was| will be) (all|everything)|all (set|settled)|is settled|done then|all i need|exception|bend the rule|the other way"
    r"|just this once|(try|do it) anyway|thank you anyway\W*$|once more|is there really no way|surely there is a way",
    re.I,
)
"""Answers to an open question that bring no wish: leave-taking, and insisting on what was refused."""

_MINE = re.compile(r"\bmy\b")

_VAGUE = re.compile(r"\b(help|hand|assist|assistance|settle|sort out)\b", re.I)
"""A first turn that does not say what it is about."""

_MAX_ASKED = 3
"""Times that the agent asks for the same thing before it goes on without."""


@dataclass(frozen=True, slots=True)
class Act:
    """A message of the agent: text, a call, or (a fault) both or neither."""

    text: str = ""
    tool: str = ""
    arguments: str = ""
    """JSON text, or what a fault makes of it."""


T = TypeVar("T")
Talk: TypeAlias = Generator[Act, str, T]
"""Yields messages; receives the user's words after text, and the tool's output after a call."""


class Agent:
    """One agent in one conversation."""

    def __init__(self, site: OpenDomain, instruction: Instruction, rng: Random, faults: Faults) -> None:
        self.domain = site.domain
        self.site = site
        self.script = instruction
        self.faults = faults
        self.user_id = ""
        self.heard = ""
        """All that the user said, but for the wish that cannot be had."""
        self.spoken = ""
        self.shown: list[tuple[Call, Any]] = []
        self.outputs: dict[str, tuple[Call, Any]] = {}
        """What still holds of the tools' outputs, by the call's key; a refusal is its ToolRefused."""
        self.written: list[Call] = []
        self.turn = 0
        """Index of the message that comes next."""
        self.last = ""
        """The user's last words."""
        self._voice = Voice(PHRASES, rng)
        self._one_by_one = self._voice.chance(0.5)
        self._in_one = self._voice.chance(0.5)
        self._notes: list[str] = []
        """What is to be reported with the next words."""
        self.open = list(range(len(instruction.wishes)))
        """Wishes that are still to be settled, by their place."""
        self._handed: list[Outcome] = []
        self._refuses_unavailable = bool(instruction.unavailable)
        self._offered = False
        self._open_questions: tuple[str, ...] = ()
        self._prompted = False
        """The user has answered an open question with what may be a wish."""
        self.skipped: tuple[str, Any] | None = None
        """A read that a fault leaves out, by key, and what it would have shown."""
        self.left_out: set[str] = set()
        """Writes that a fault leaves out, by key."""

    def talk(self, heard: str) -> Talk[None]:
        """The program; `heard` is the user's first turn. It never returns."""
        self.turn = 2
        self._hear(heard)
        self._prompted = not _VAGUE.search(heard)
        while True:
            if self._refuses_unavailable and contains(self.last, self.script.unavailable):
                self._refuses_unavailable = False
                yield from self._say(self._voice.say("decline_unavailable"), self._voice.say("anything_else"))
            elif not self.user_id:
                yield from self._identify()
            elif wrong := self._misheard([fact for place in self.open for fact in self.script.facts[place]]):
                yield from self._say(self._read_back(wrong[0]))
            elif (place := self._voiced()) is not None:
                yield from self._settle(place)
            elif self._handed:
                yield from self._hand_over(self._handed.pop())
            else:
                yield from self._idle()

    # -------------------------------------------------------------------------------------------------------- what is wanted

    def _voiced(self) -> int | None:
        """The first open wish that was said: all facts that come with it were heard, as often as the wishes up to it need them.

        A wish without such facts is heard by its details; without those, where the user answers an open question with it.
        """
        for place in self.open:
            core = [fact for fact in self.script.facts[place] if fact.core]
            if self._were_said(core or self.script.facts[place], place) or (not core and self._prompted and place == self.open[0]):
                return place
        return None

    def _were_said(self, facts: Sequence[Fact], place: int) -> bool:
        before = [fact.text for told in self.script.facts[: place + 1] for fact in told if fact.core or fact in facts]
        return bool(facts) and all(occurrences(self.heard, fact.text) >= before.count(fact.text) for fact in facts)

    def _misheard(self, facts: Sequence[Fact]) -> list[Fact]:
        return [fact for fact in facts if fact.wrong and contains(self.heard, fact.wrong) and not contains(self.heard, fact.text)]

    def _missing(self, facts: Sequence[Fact]) -> list[Fact]:
        return [fact for fact in facts if not contains(self.heard, fact.text)]

    def _learn(self, facts: Sequence[Fact], phrase: str) -> Talk[None]:
        """Asks until all of these were said; reads a value back that sounds wrong."""
        for _ in range(_MAX_ASKED + len(facts)):
            if wrong := self._misheard(facts):
                yield from self._say(self._read_back(wrong[0]))
            elif missing := self._missing(facts):
                yield from self._say(self._question(missing, phrase))
            else:
                return

    def _read_back(self, fact: Fact) -> str:
        """A value that sounds wrong, said again to whom it belongs: `my Visa` is `your Visa`."""
        return self._voice.say("read_back", wrong=_MINE.sub("your", fact.wrong), name=words(fact.name))

    def _question(self, facts: Sequence[Fact], phrase: str) -> str:
        if len(facts) == 1 or self._one_by_one:
            question = facts[0].question or f"What is the {words(facts[0].name)}?"
            return self._voice.say(phrase, question=clause(question))
        if phrase == "ask":
            return self._voice.say("ask_several", names=listed([words(fact.name) for fact in facts]))
        questions = [clause(fact.question or f"What is the {words(fact.name)}?").rstrip("?") for fact in facts]
        self._voice.rng.shuffle(questions)
        return self._voice.say("several_lead", questions=f"{'; '.join(questions)}?")

    def _identify(self) -> Talk[None]:
        identity = self.script.identity
        yield from self._learn(identity, "ask")
        for _ in range(_MAX_ASKED):
            try:
                self.user_id = yield from self._run(self.domain.identify({fact.name: fact.value for fact in identity}))
                return
            except ToolRefused:
                yield from self._say(self._voice.say("not_found"))
        self.user_id = self.script.user_id

    # -------------------------------------------------------------------------------------------------------- one wish

    def _settle(self, place: int) -> Talk[None]:
        """Learns what was withheld, decides, and acts, declines, or keeps it for a human at the end."""
        wish = self.script.wishes[place]
        yield from self._learn(self.script.facts[place], "ask_detail")
        self.open.remove(place)
        self._prompted = False
        slips.plan_missing_read(self, wish)
        try:
            outcome = yield from self._run(self.domain.kinds[wish.kind].resolve(wish, self.user_id))
        except ToolRefused as refusal:
            self._notes.append(self._voice.say("failed", reason=clause(str(refusal))))
            return
        slips.forget_unread(self)
        if outcome.kind == "act":
            yield from self._act(outcome, wish)
        elif outcome.kind == "deny":
            yield from self._decline(outcome, wish)
        else:
            self._handed.insert(0, outcome)
            self.faults.fire("needless_transfer")  # where a transfer is due, none is needless

    def _act(self, outcome: Outcome, wish: Wish) -> Talk[None]:
        together = self._in_one and len(outcome.calls) > 1 and not self.faults.armed("no_confirmation")
        agreed = not together or (yield from self._agreed(outcome.calls))
        for call in outcome.calls:
            if together or self.faults.armed("no_confirmation"):
                confirmed = agreed
            else:
                confirmed = yield from self._agreed([call])
            if confirmed:
                yield from self._write(call, outcome)
        for told in outcome.told:
            if not slips.leaves_out(self, told):
                self._notes.append(self._voice.say("told", name=told.name.replace("_", " "), value=spelled(told)))
        if not self.open:
            yield from slips.extra_write(self, wish, outcome)

    def _agreed(self, calls: Sequence[Call]) -> Talk[bool]:
        """Says exactly what would be done and asks for a yes, again where the answer is unclear."""
        clauses = [self._summary(call) for call in calls]
        for attempt in range(_MAX_ASKED):
            if attempt:
                text = self._voice.say("confirm_again", clause=listed(clauses))
            elif len(clauses) == 1:
                text = f"{self._voice.say('confirm_lead', clause=clauses[0])} {self._voice.say('confirm')}"
            else:
                numbered = "; ".join(f"({number}) {each}" for number, each in enumerate(clauses, 1))
                text = f"{self._voice.say('confirm_list', list=numbered)} {self._voice.say('confirm')}"
            yield from self._say(text)
            if assents(self.last):
                return True
        self._notes.append(self._voice.say("silent"))
        return False

    def _summary(self, call: Call) -> str:
        return clause(self.domain.summarize(call, self.shown, self._voice.rng))

    def _write(self, call: Call, outcome: Outcome) -> Talk[None]:
        if (yield from slips.instead_of(self, call, outcome)):
            self._notes.append(self._voice.say("done", clause=self._summary(call)))
            return
        done = self._voice.say("done", clause=self._summary(call))
        content = yield from self.use(call)
        reason = refused(content)
        self._notes.append(done if reason is None else self._voice.say("failed", reason=clause(reason)))
        if reason is None:
            yield from slips.repeated_write(self, call)

    def _decline(self, outcome: Outcome, wish: Wish) -> Talk[None]:
        """Names what cannot be done and the rule; hears the answer before anything else is taken up."""
        yield from slips.forbidden_write(self, wish, outcome)
        if slips.passes_over(self, outcome):
            self._notes.append(self._voice.say("silent"))
            return
        waiting = self._voiced()
        yield from self._say(self._reason("decline", outcome), *self._onward())
        if self._voiced() == waiting and not _ACCEPTS.search(self.last):
            yield from self._say(self._reason("decline_again", outcome), *self._onward())

    def _reason(self, phrase: str, outcome: Outcome) -> str:
        return self._voice.say(phrase, subject=named(outcome), clause=clause(self.domain.rules[outcome.rule].clause))

    def _onward(self) -> list[str]:
        """What follows a refusal: the next matter that waits, or the question for one."""
        waiting = self._voiced() is not None or self._handed
        return [self._voice.say("other_matters" if waiting else "anything_else")]

    # -------------------------------------------------------------------------------------------------------- the end

    def _hand_over(self, outcome: Outcome) -> Talk[None]:
        if self.faults.fire("missing_transfer"):
            self.faults.label("missing_transfer", "missing_transfer")
            yield from self._say(self._reason("decline", outcome), *self._onward())
            return
        reason = clause(self.domain.rules[outcome.rule].clause)
        summary = self._voice.say("transfer_summary", user=self.user_id, subject=named(outcome), clause=reason)
        yield from self.use(Call(name=TRANSFER, arguments={"summary": summary}))
        yield from self._say(self._reason("transfer", outcome), self._voice.say("transfer_wait"))

    def _idle(self) -> Talk[None]:
        """Nothing is to be done: asks what is wanted, offers more, or takes leave."""
        if len(self.open) == len(self.script.wishes) and not self._notes and not self._offered:
            question = self._voice.say("what")
            self._open_questions = (question,)
            yield from self._say(question)
        elif not self.open and self.faults.fire("needless_transfer"):
            yield from slips.needless_transfer(self, self._voice)
        elif self._offered and not self._notes and not self.open:
            yield from self._say(self._voice.say("goodbye"))
        else:
            yield from self._say(self._voice.say("anything_else"))

    # -------------------------------------------------------------------------------------------------------- acts

    def _say(self, *parts: str) -> Talk[None]:
        """Reports what is to be reported, says the parts, and hears the answer."""
        text = " ".join((*self._notes, *parts))
        self._notes.clear()
        if self.faults.fire("empty_reply"):
            self.faults.label("empty_reply", "agent_error")
            text = ""
        self.spoken += f"\n{text}"
        self._offered = "else" in parts[-1]
        asked_openly = self._offered or parts[-1] in self._open_questions
        self._hear((yield Act(text)))
        self.turn += 2
        self._prompted = asked_openly and not _NO_WISH.search(self.last)

    def _hear(self, text: str) -> None:
        self.last = text
        self.heard += f"\n{without(text, self.script.unavailable)}"

    def use(self, call: Call, *, tool: str = "", arguments: str | None = None, text: str = "") -> Talk[str]:
        """Makes a call, or what a fault makes of it; gives the output. A write makes outputs stale that it may have changed."""
        act = Act(text, tool or call.name, json.dumps(call.arguments, ensure_ascii=False) if arguments is None else arguments)
        content = yield act
        self.turn += 2
        faithful = not tool and arguments is None
        if faithful and refused(content) is None:
            self._shown(call, shown(content))
        return content

    def _shown(self, call: Call, value: Any) -> None:
        if self.site.domain.toolkit.tools[call.name].kind == "write":
            self.written.append(call)
            self.outputs = {key: kept for key, kept in self.outputs.items() if not self.domain.stale(call, kept[0])}
        self.shown.append((call, value))

    def _run(self, program: Reads[T]) -> Talk[T]:
        """Drives a program of the domain over what the tools show. Raises: ToolRefused where the program does."""
        try:
            call = next(program)
            while True:
                value = yield from self._read(call)
                call = program.throw(value) if isinstance(value, ToolRefused) else program.send(value)
        except StopIteration as done:
            result: T = done.value
            return result

    def _read(self, call: Call) -> Talk[Any]:
        """What a read shows: looked up once, and again after a write that may have changed it."""
        if call.key not in self.outputs:
            hidden = slips.unread(self, call)
            if hidden is None:
                yield from slips.before_read(self, call)
                content = yield from self.use(call)
                reason = refused(content)
                self.outputs[call.key] = (call, shown(content) if reason is None else ToolRefused(reason))
            else:
                self.outputs[call.key] = (call, hidden[0])
        elif self.faults.fire("extra_read") and not isinstance(self.outputs[call.key][1], ToolRefused):
            self.faults.label("extra_read")
            yield from self.use(call)
        return self.outputs[call.key][1]


def spelled(told: Told) -> str:
    """A told value as it is said: money with its sign."""
    return f"${told.value}" if told.form == "money" else told.value


def named(outcome: Outcome) -> str:
    """The subject in the words that a listener can check: one of the mentions where the subject itself is none."""
    if not outcome.mentions or any(mention.lower() in outcome.subject.lower() for mention in outcome.mentions):
        return outcome.subject or "this"
    return f"{outcome.subject} ({outcome.mentions[0]})" if outcome.subject else outcome.mentions[0]
