"""The scripted user: a program that works from an instruction alone. It voices wishes, answers what it is asked, agrees to what it is offered, and
ends when all is settled. It reads the agent's words by cues, so any agent can talk to it.
"""

import re
from collections.abc import Generator, Iterator, Sequence
from random import Random
from typing import TypeAlias

from writ.domains.base import Domain
from writ.domains.speech import declines, proposes
from writ.schema import Fact, Instruction
from writ.simulation.guards import OUT_OF_SCOPE, STOP, TRANSFER
from writ.simulation.scripted.faults import Faults
from writ.simulation.scripted.hearing import contains
from writ.simulation.scripted.voice import Voice, book, closed, small, words

Talk: TypeAlias = Generator[str, str, None]
"""Yields the user's turns, receives the agent's."""

PHRASES = book("user")

_TRANSFERRED = re.compile(
    r"\b(transferr?(ed|ring)?|hand(ed|ing)? (you )?over|connect(ed|ing) (you )?(to|with))\b[^.?!]*\b(human|colleague|agent|person|librarian)", re.I
)
_OFFERS_MORE = re.compile(r"\b(anything|something) else\b|\bfurther (help|assistance)\b|\belse (i|we) (can|could|may)\b", re.I)
_GOODBYE = re.compile(r"\b(good ?bye|take care|have a (nice|good|lovely|great) day|bye for now|until next time|all the best|see you)\b", re.I)
_ASKS = re.compile(r"\?|\b(please (provide|tell|share|give)|could you|can you|may i|i need|tell me|let me know|would you)\b", re.I)
_SENTENCE = re.compile(r"[^.?!\n]*[.?!\n]?")

_MAX_RESTATED = 2
_MAX_IDLE = 3


class User:
    """One user in one conversation."""

    def __init__(self, domain: Domain, instruction: Instruction, rng: Random, faults: Faults) -> None:
        self._domain = domain
        self._script = instruction
        self._manner = instruction.behavior
        self._voice = Voice(PHRASES, rng)
        self._faults = faults
        self._unsaid = list(instruction.identity)
        self._details: list[Fact] = []
        """Facts of voiced wishes that are still to be said."""
        self._said: list[Fact] = []
        self._next = 0
        """Index of the next wish to voice."""
        self._unavailable = instruction.unavailable
        self._answered_unavailable = not instruction.unavailable
        self._misspoken: Fact | None = None
        self._pushes = int(instruction.behavior.pressure)
        self._digresses = instruction.behavior.digression
        self._restated = 0
        self._idle = 0
        self._heard = ""

    def talk(self, heard: str) -> Talk:
        """The program; `heard` is the agent's greeting."""
        text = self._faulted(self._opening(), heard)
        while True:
            heard = yield text
            self._heard += f"\n{heard}"
            text = self._faulted(self._turn(heard), heard)

    # -------------------------------------------------------------------------------------------------------- turns

    def _opening(self) -> str:
        said = [self._voice.say(f"greet_{self._manner.tone}")] if self._manner.verbosity != "terse" or self._voice.chance(0.3) else []
        if self._unavailable:
            return self._joined([*said, self._take_unavailable()])
        if self._manner.pace == "piecemeal":
            return self._joined([*said, self._voice.say("help")])
        if self._manner.pace == "when_asked":
            return self._joined([*said, self._wish(), *self._asides()])
        return self._joined([*said, *self._everything(), *self._asides()])

    def _everything(self) -> Iterator[str]:
        """Who they are, every wish and every detail."""
        wishes = []
        while self._next < len(self._script.wishes):
            wishes.append(self._wish())
            wishes += self._stated(self._details, "detail")
        who = self._stated(self._unsaid, "identity")
        yield from (*who, *wishes) if self._voice.chance(0.5) else (*wishes, *who)

    def _turn(self, heard: str) -> str:
        corrected = self._correction()
        if _TRANSFERRED.search(heard):
            return TRANSFER
        asked = self._asked(heard, again=not corrected)
        if asked:
            return self._joined([*corrected, *self._answers(asked), *self._asides()])
        if proposes(heard):
            return self._joined([*corrected, *self._to_a_proposal(bool(corrected))])
        if corrected:
            return self._joined(corrected)
        return self._to_a_statement(heard)

    def _to_a_proposal(self, corrected: bool) -> Sequence[str]:
        """A yes; where details were not asked for, those instead, since the agent cannot have the whole wish."""
        if self._details:
            return self._stated(self._details, "detail")
        terse = self._manner.verbosity == "terse" and self._voice.chance(0.7)
        return [] if corrected else [self._voice.say("yes_terse" if terse else f"yes_{self._manner.tone}")]

    def _to_a_statement(self, heard: str) -> str:
        if self._unavailable:
            return self._joined([self._take_unavailable()])
        if not self._answered_unavailable:
            return self._real_wish(heard)
        if declines(heard) and self._pushes:
            self._pushes -= 1
            return self._voice.say("push")
        if self._next < len(self._script.wishes) and (_OFFERS_MORE.search(heard) or self._next == 0 or not declines(heard)):
            return self._joined([*self._acceptance(heard), self._wish(), *self._asides()])
        return self._farewell(heard)

    def _real_wish(self, heard: str) -> str:
        """After the wish that cannot be had: everything, or the first wish."""
        self._answered_unavailable = True
        if self._manner.pace == "all_at_once":
            first, *rest = self._everything()
            return self._joined([self._voice.say("real_wish", request=small(first)), *rest])
        return self._joined([self._voice.say("real_wish", request=small(self._wish())), *self._asides()])

    def _farewell(self, heard: str) -> str:
        """The end where the agent offers more or takes its leave; else a sign to go on."""
        if _OFFERS_MORE.search(heard) or _GOODBYE.search(heard):
            if _GOODBYE.search(heard) or self._voice.chance(0.6):
                return STOP
            return f"{self._voice.say('thanks')} {STOP}"
        self._idle += 1
        if self._idle > _MAX_IDLE:
            return STOP
        if heard.rstrip().endswith("?") and self._restated < _MAX_RESTATED and self._script.wishes:
            self._restated += 1
            return self._joined([self._voice.say("again", request=small(self._request(max(0, self._next - 1))))])
        return self._voice.say("accept" if declines(heard) else "fine")

    # ------------------------------------------------------------------------------------------------------- sayings

    def _take_unavailable(self) -> str:
        text, self._unavailable = self._unavailable, ""
        self._answered_unavailable = False
        return text

    def _acceptance(self, heard: str) -> list[str]:
        return [self._voice.say("accept")] if declines(heard) and self._voice.chance(0.6) else []

    def _wish(self) -> str:
        """The next wish, with what leads to it; its other facts become details to tell."""
        place = self._next
        self._next += 1
        request = self._request(place)
        facts = self._script.facts[place]
        self._details += [fact for fact in facts if not fact.core]
        request = next((self._misspeak(fact, request) for fact in facts if fact.core and fact.wrong), request)
        self._said += [fact for fact in facts if fact.core and fact is not self._misspoken]
        if place:
            return self._voice.say("next_wish", request=small(request))
        return self._voice.say("first_wish", request=small(request)) if self._voice.chance(0.3) else request

    def _request(self, place: int) -> str:
        wish = self._script.wishes[place]
        return self._domain.kinds[wish.kind].request(wish, self._voice.rng)

    def _misspeak(self, fact: Fact, text: str) -> str:
        """The text with the wrong value, to be corrected in the next turn."""
        self._misspoken = fact
        return text.replace(fact.text, fact.wrong)

    def _correction(self) -> list[str]:
        fact, self._misspoken = self._misspoken, None
        if fact is None:
            return []
        self._said.append(fact)
        return [self._voice.say("correction", wrong=fact.wrong, text=fact.text)]

    def _stated(self, facts: list[Fact], phrase: str) -> list[str]:
        """All of these facts, each in a sentence; the list is emptied."""
        told = [self._told(fact, phrase) for fact in facts]
        facts.clear()
        return told

    def _told(self, fact: Fact, phrase: str) -> str:
        text = fact.text
        if fact.wrong and fact not in self._said:
            text = self._misspeak(fact, text)
        else:
            self._said.append(fact)
        return closed(self._voice.say(phrase, name=words(fact.name), text=text))

    def _answers(self, asked: Sequence[Fact]) -> list[str]:
        """Answers to what was asked: one at a time where they come piecemeal."""
        chosen = asked[:1] if self._manner.pace == "piecemeal" else asked
        for fact in chosen:
            for waiting in (self._unsaid, self._details):
                if fact in waiting:
                    waiting.remove(fact)
        own = self._script.identity
        return [self._told(fact, f"{'own' if fact in own else 'answer'}_{self._manner.tone}") for fact in chosen]

    def _asides(self) -> list[str]:
        """A digression, once; a remark of someone who likes to talk."""
        if self._digresses and self._voice.chance(0.5):
            self._digresses = False
            return [self._voice.say("digression")]
        return [self._voice.say("chatty")] if self._manner.verbosity == "chatty" and self._voice.chance(0.35) else []

    def _joined(self, parts: Sequence[str]) -> str:
        text = ""
        for part in parts:
            follows = text.endswith((",", ":", ";"))
            text += f" {(small(part) if follows else part)}" if part.endswith((",", ":", ";")) else f" {closed(small(part) if follows else part)}"
        return text.strip()

    # ------------------------------------------------------------------------------------------------------- hearing

    def _asked(self, heard: str, again: bool) -> list[Fact]:
        """Facts that the agent asks for: those still unsaid; else, with `again` and where it is no proposal, one said before."""
        questions = " ".join(sentence for sentence in _SENTENCE.findall(heard) if _ASKS.search(sentence)).lower()
        if not questions:
            return []
        open_facts = [fact for fact in (*self._unsaid, *self._details) if _cued(fact, questions)]
        if open_facts or not again or proposes(heard) or _OFFERS_MORE.search(heard) or self._next == 0:
            return open_facts
        return [fact for fact in self._said if not fact.core and _cued(fact, questions)][:1]

    # -------------------------------------------------------------------------------------------------------- faults

    def _faulted(self, text: str, heard: str) -> str:
        """The turn, or the fault that takes its place."""
        if STOP in text or TRANSFER in text:
            return text
        for name, make in (
            ("empty_turn", self._emptied),
            ("out_of_scope", self._given_up),
            ("wish_not_voiced", self._cut_short),
            ("premature_stop", self._stopped),
            ("unclear_answer", self._unclear),
            ("invented_id", self._inventing),
            ("leaked_id", self._leaking),
        ):
            if self._faults.armed(name) and (made := make(text, heard)) is not None:
                self._faults.fire(name)
                return made
        return text

    def _emptied(self, text: str, heard: str) -> str:
        self._faults.label("empty_turn", "user_error")
        return ""

    def _given_up(self, text: str, heard: str) -> str | None:
        if not self._heard:
            return None
        self._faults.label("out_of_scope", "out_of_scope")
        return OUT_OF_SCOPE

    def _cut_short(self, text: str, heard: str) -> str | None:
        """Ends where the last wish would be voiced next."""
        last = len(self._script.wishes) - 1
        silent = [fact for fact in self._script.facts[last] if fact.core and not any(contains(said.text, fact.text) for said in self._said)]
        if last < 1 or self._next != last or not _OFFERS_MORE.search(heard) or not silent:
            return None
        self._faults.label("wish_not_voiced", "wish_not_voiced")
        return STOP

    def _stopped(self, text: str, heard: str) -> str | None:
        if not proposes(heard) or self._next < len(self._script.wishes) or self._details or self._misspoken:
            return None
        self._faults.label("premature_stop", "premature_stop")
        return STOP

    def _unclear(self, text: str, heard: str) -> str | None:
        if not proposes(heard) or self._details or self._misspoken:
            return None
        self._faults.label("unclear_answer")
        return self._voice.say("unsure")

    def _inventing(self, text: str, heard: str) -> str | None:
        if proposes(heard):
            return None
        value = str(self._voice.rng.randint(10**7, 10**8 - 1))
        self._faults.label("invented_id", "user_invented")
        return f"{text} {self._voice.say('invented', value=value)}"

    def _leaking(self, text: str, heard: str) -> str | None:
        secret = [each for each in self._script.hidden if each.lower() not in self._heard.lower()]
        if proposes(heard) or not secret:
            return None
        self._faults.label("leaked_id", "user_leaked")
        return f"{text} {self._voice.say('leaked', value=self._voice.rng.choice(secret))}"


def _cued(fact: Fact, questions: str) -> bool:
    return any(cue in questions for cue in (*fact.cues, words(fact.name)))
