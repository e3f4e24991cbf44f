"""A conversation replayed: every call run again in a fresh world, and what each side had said by then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from writ.domains.environment import Environment
from writ.domains.hostile import decoded, harmless
from writ.domains.registry import OpenDomain
from writ.errors import ToolRefused
from writ.schema import Call, Message, ToolCall, Trajectory

STOP_TOKENS = ("###STOP###", "###TRANSFER###", "###OUT-OF-SCOPE###")


@dataclass(frozen=True, slots=True)
class Made:
    """A tool call of the agent, run again."""

    index: int
    """Of the message that holds it."""
    call: Call | None
    """None where the arguments are not a JSON object."""
    name: str
    value: Any
    """What the environment gives now, as JSON; None where it refuses."""
    refused: bool
    writes: bool
    known: bool
    """The name is a tool of the domain."""
    same: bool | None
    """The recorded result is what the environment gives; None where no result was recorded."""
    objection: str = ""
    """What the rules have against a write that was made, at its moment."""


Objection = Callable[[Call, Callable[[str, dict[str, Any]], Any]], str]
"""What the rules have against a write, given a way to read the state; empty where it is allowed."""


@dataclass
class Transcript:
    """What happened, in the order in which it happened."""

    world: Environment
    """After all of it."""
    made: list[Made] = field(default_factory=list)
    said_by_user: list[tuple[int, str]] = field(default_factory=list)
    said_by_agent: list[tuple[int, str]] = field(default_factory=list)
    crowded: list[int] = field(default_factory=list)
    """Indices of agent turns with text beside a call, or with several calls."""
    torn: str = ""
    """Where the messages are out of order, how."""
    shared: bool = False
    """The user has tools too, which are not run here: what they changed is unknown."""

    @cached_property
    def fingerprint(self) -> str:
        """Of the end state."""
        return self.world.fingerprint()

    @cached_property
    def writes(self) -> list[Made]:
        """Writes that were attempted."""
        return [made for made in self.made if made.writes]

    @cached_property
    def done(self) -> list[Made]:
        """Writes that were made."""
        return [made for made in self.writes if made.call and not made.refused]

    @cached_property
    def heard_from_user(self) -> list[tuple[int, str]]:
        """`said_by_user` in lower case."""
        return [(index, text.lower()) for index, text in self.said_by_user]

    @cached_property
    def heard(self) -> str:
        """All that the user said, in lower case."""
        return "\n".join(text for _, text in self.heard_from_user)

    def reads_before(self, index: int) -> list[Call]:
        """Reads that were answered before the message, refusals included: an empty search is evidence too."""
        return [made.call for made in self.made if made.index < index and not made.writes and made.call is not None]

    def shown_before(self, index: int) -> list[tuple[Call, Any]]:
        """Outputs that the agent had seen by then."""
        return [(made.call, made.value) for made in self.made if made.index < index and made.call is not None and not made.refused]

    def user_text(self, before: int | None = None) -> str:
        return "\n".join(text for index, text in self.said_by_user if before is None or index < before)

    def agent_text(self, after: int = -1) -> str:
        return "\n".join(text for index, text in self.said_by_agent if index > after)


Results = dict[tuple[int, str], Message]
"""Index of the message that calls, and the call's id -> its result."""


def replay(site: OpenDomain, trajectory: Trajectory, objection: Objection) -> Transcript:
    """Runs the conversation's calls in a fresh world, against the recorded results. Never raises for what a conversation holds."""
    transcript = Transcript(site.environment())
    results = _results(trajectory.messages)
    for index, message in enumerate(trajectory.messages):
        if message.role == "user" and message.content:
            transcript.said_by_user.append((index, _without_tokens(message.content)))
        elif message.role == "assistant":
            _agent_turn(transcript, site, index, message, results, objection)
    transcript.torn = _tear(trajectory.messages)
    transcript.shared = any(message.tool_calls for message in trajectory.messages if message.role == "user")
    return transcript


def _agent_turn(transcript: Transcript, site: OpenDomain, index: int, message: Message, results: Results, objection: Objection) -> None:
    if message.content and message.content.strip():
        transcript.said_by_agent.append((index, message.content.replace("\\n", "\n")))  # some models speak JSON
    if len(message.tool_calls) > 1 or (message.tool_calls and message.content and message.content.strip()):
        transcript.crowded.append(index)
    for tool_call in message.tool_calls:
        transcript.made.append(_run(transcript.world, site, index, tool_call, results.get((index, tool_call.id)), objection))


def _run(world: Environment, site: OpenDomain, index: int, tool_call: ToolCall, recorded: Message | None, objection: Objection) -> Made:
    arguments = decoded(tool_call.arguments)
    tool = site.domain.toolkit.tools.get(tool_call.name)
    known, writes = tool is not None, tool is not None and tool.kind == "write"
    if arguments is None:
        return Made(index, None, tool_call.name, None, True, writes, known, None)
    call = Call(name=tool_call.name, arguments=arguments)
    objected = objection(call, world.read) if writes else ""
    value: Any = None
    try:
        answer = world.perform(call.name, call.arguments)
        value, content, refused = answer.value, answer.text, False
    except ToolRefused as refusal:
        content, refused = f"Error: {refusal}", True
    same = None if recorded is None else recorded.content == content or recorded.content == harmless(content)
    return Made(index, call, tool_call.name, value, refused, writes, known, same, objected)


def _results(messages: Sequence[Message]) -> Results:
    """Each result under its call: some servers begin to number their calls anew in every message."""
    latest: dict[str, int] = {}
    results: Results = {}
    for index, message in enumerate(messages):
        if message.role == "tool" and message.tool_call_id in latest:
            results.setdefault((latest[message.tool_call_id], message.tool_call_id), message)
        for call in message.tool_calls:
            latest[call.id] = index
    return results


def _without_tokens(text: str) -> str:
    for token in STOP_TOKENS if "###" in text else ():
        text = text.replace(token, "")
    return text.strip()


def _tear(messages: Sequence[Message]) -> str:
    """The first place where results and calls do not pair up; the last turn's calls may be unanswered."""
    waiting: list[str] = []
    for index, message in enumerate(messages):
        if message.role == "tool":
            if message.tool_call_id not in waiting:
                return f"message {index} answers no open call"
            waiting.remove(message.tool_call_id)
        elif waiting:
            return f"message {index} comes before the result of call {waiting[0]}"
        waiting.extend(call.id for call in message.tool_calls)
    return ""
