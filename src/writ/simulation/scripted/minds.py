"""From a request to a reply: the program of one side is replayed over the words and outputs in the request's messages.

A reply is a pure function of the instruction, the rollout and what was heard. Programs that are alive are kept by conversation, so that a
conversation costs one pass over itself; a request that does not continue the kept one is replayed from its beginning and gets the same reply.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from writ.domains.registry import OpenDomain
from writ.schema import Instruction, ToolCall
from writ.simulation.address import Address
from writ.simulation.scripted.agent import Act, Agent
from writ.simulation.scripted.agent import Talk as AgentTalk
from writ.simulation.scripted.faults import Faults, Label
from writ.simulation.scripted.user import Talk as UserTalk
from writ.simulation.scripted.user import User
from writ.simulation.scripted.voice import Unvaried

_KEPT = 4_096
"""Sides of conversations kept alive, some 50 kB each; an older one is replayed if it goes on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply of either side."""

    content: str | None
    tool_calls: tuple[ToolCall, ...] = ()
    labels: tuple[Label, ...] = ()


@dataclass(slots=True)
class _Live:
    """A program that has heard some messages, and what it said last."""

    talk: AgentTalk[None] | UserTalk
    faults: Faults
    heard: int
    """Number of things heard."""
    trace: int
    """Hash over all of them."""
    answer: Answer


class Minds:
    """Scripted agents and users of many conversations."""

    def __init__(self, sites: Mapping[str, OpenDomain], find: Callable[[str], Instruction], rates: Mapping[str, float] | None = None) -> None:
        """`find` gives an instruction by id and raises KeyError for an unknown one; `rates`: of faults, by name."""
        self._sites = sites
        self._find = find
        self._rates = rates or {}
        self._live: OrderedDict[Address, _Live] = OrderedDict()

    def answer(self, address: Address, messages: Sequence[Mapping[str, Any]], *, plain: bool = False) -> Answer:
        """`plain`: in words that never vary. Raises: KeyError for an unknown instruction, ValueError where there is nothing to answer to."""
        heard = _heard(messages)
        if not heard:
            raise ValueError("no message to answer; the other side speaks first")
        trace = hash(tuple(heard))
        live = self._live.pop(address, None)
        if live is None or live.heard > len(heard) or hash(tuple(heard[: live.heard])) != live.trace:
            live = self._begun(address, heard[0][1], plain)
        for by_tool, text in heard[live.heard :]:
            if live.answer.tool_calls and not by_tool:
                live.answer = _once_more(live.answer, live.heard)  # its call never arrived: something else came in its place
            else:
                live.answer = _spoken(live.talk.send(text), live.faults, live.heard)
            live.heard += 1
        live.trace = trace
        self._live[address] = live
        if len(self._live) > _KEPT:
            self._live.popitem(last=False)
        return live.answer

    def _begun(self, address: Address, first: str, plain: bool) -> _Live:
        instruction = self._find(address.instruction_id)
        conversation = f"{address.role}:{instruction.seed}:{address.rollout}"
        site, faults = self._sites[instruction.domain], Faults(self._rates, conversation)
        rng = Unvaried(conversation) if plain else Random(conversation)
        if address.role == "agent":
            agent_talk = Agent(site, instruction, rng, faults).talk(first)
            return _Live(agent_talk, faults, 1, 0, _spoken(next(agent_talk), faults, 0))
        user_talk = User(site.domain, instruction, rng, faults).talk(first)
        return _Live(user_talk, faults, 1, 0, _spoken(next(user_talk), faults, 0))


Heard = tuple[bool, str]
"""Whether a tool said it, and what was said."""


def _heard(messages: Sequence[Mapping[str, Any]]) -> list[Heard]:
    """What this side has heard: the other side's words and the tools' outputs."""
    return [(message["role"] == "tool", message.get("content") or "") for message in messages if message["role"] in ("user", "tool")]


def _once_more(answer: Answer, number: int) -> Answer:
    """The same call, its faults included, under an id of its own."""
    return replace(answer, tool_calls=tuple(call.model_copy(update={"id": f"call_{number}"}) for call in answer.tool_calls))


def _spoken(said: Act | str, faults: Faults, number: int) -> Answer:
    """The program's act as a reply; `number` makes the id of a call unique in its conversation."""
    if isinstance(said, str):
        return Answer(said, (), faults.taken())
    if not said.tool:
        return Answer(said.text, (), faults.taken())
    call = ToolCall(id=f"call_{number}", name=said.tool, arguments=said.arguments)
    return Answer(said.text or None, (call,), faults.taken())
