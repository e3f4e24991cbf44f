"""One conversation: the benchmark's protocol between an agent, a user and an environment.

The agent greets, then user and agent alternate. An agent's message is text, which goes to the user, or tool calls, which the environment answers
in order; where a message holds both, the calls are made and the text reaches nobody. The user's stop tokens end it, or a limit does.

With guards on, a stop takes effect only when no write is pending, and what was said beside it reaches the agent first; the token then stands
alone in a last user message. So a trajectory that a user ended always ends with that token, and no other message holds one.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from writ.domains import speech
from writ.domains.environment import ToolResult
from writ.domains.hostile import decoded, harmless
from writ.llm import ChatReply, ChatRequest
from writ.schema import FaultLabel, Instruction, Message, Termination, ToolCall, Usage
from writ.simulation import guards
from writ.simulation.prompts import GREETING, Side, wire, wire_calls, wire_result

TRANSFER_TOOL = "transfer_to_human_agents"

Ask = Callable[[ChatRequest], Awaitable[ChatReply]]


class World(Protocol):
    """The part of `domains.environment.Environment` that a conversation needs."""

    def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult: ...

    def writes(self, name: str) -> bool: ...


class Ending(NamedTuple):
    termination: Termination
    detail: str = ""


@dataclass(slots=True)
class Party:
    """One side: its view, who answers for it, and what that cost."""

    side: Side
    ask: Ask
    again: Callable[[int], bytes]
    """Prefix of the request that asks for a turn again, by the number of the attempt (1 and up)."""
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0

    async def answer(self, attempt: int) -> ChatReply:
        reply = await self.ask(self.side.request(self.again(attempt) if attempt else None))
        self.requests += 1
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        return reply

    @property
    def usage(self) -> Usage:
        return Usage(requests=self.requests, prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens)


class Limits(NamedTuple):
    max_steps: int = 200
    max_errors: int = 10
    max_regenerated: int = 2
    guards: bool = True


BENCHMARK_LIMITS = Limits()


@dataclass(slots=True)
class Conversation:
    """The state of one conversation; `run` plays it to its end. What a port raises passes through."""

    instruction: Instruction
    agent: Party
    user: Party
    world: World
    limits: Limits = BENCHMARK_LIMITS
    messages: list[Message] = field(default_factory=list)
    faults: list[FaultLabel] = field(default_factory=list)
    """What a scripted model says of the turns that were taken from it."""
    regenerated: int = 0
    """User turns that were sent back."""
    steps: int = 0
    """Moves of agent, user and environment; the greeting is none."""
    errors: int = 0
    """Refused calls."""
    _turn: Literal["user", "agent", "tools"] = "user"
    _stop: str = ""
    """A stop token that waits for the agent's answer to the words beside it."""
    _allowed: set[str] = field(default_factory=set)
    """Values that the user may say: their own, and those that they heard."""

    async def run(self) -> Ending:
        moves = {"user": self._user_moves, "agent": self._agent_moves, "tools": self._tools_answer}
        self._allowed |= speech.known(self.instruction) if self.limits.guards else set()
        self._agent_says(GREETING)
        ending: Ending | None = None
        while ending is None:
            ending = await moves[self._turn]()
            self.steps += 1
            if self._turn != "tools":
                ending = self._over_limit() or ending
        return ending

    def _over_limit(self) -> Ending | None:
        """Counted as the benchmark counts: never between a call and its result, and before what the last move would have ended with."""
        if self.errors >= self.limits.max_errors:
            return Ending("max_errors", f"{self.errors} refused calls")
        if self.steps >= self.limits.max_steps:
            return Ending("max_steps", f"{self.steps} moves")
        return None

    # ------------------------------------------------------------------------------------------------------------ the user

    async def _user_moves(self) -> Ending | None:
        self._turn = "agent"
        reply = await self._user_turn()
        self._label(reply)
        text = reply.content or ""
        words, token = guards.split_stop(text)
        if not text.strip():
            return Ending("user_error", "nothing but empty turns")
        if token and (not self.limits.guards or not words or token == guards.OUT_OF_SCOPE):
            return self._user_stops(text if words or not self.limits.guards else token, token)
        self._stop = token
        self._user_says(words if self.limits.guards else text)
        return None

    async def _user_turn(self) -> ChatReply:
        """A turn that passes the guards, or the last of those that did not."""
        for attempt in range(self.limits.max_regenerated):
            reply = await self.user.answer(attempt)
            if not self._objectionable(reply.content or ""):
                return reply
            self.regenerated += 1
        return await self.user.answer(self.limits.max_regenerated)

    def _label(self, reply: ChatReply) -> None:
        """Takes a turn's labels; they name its message unless they name another."""
        for label in reply.faults:
            turn = len(self.messages) if label["turn"] is None else label["turn"]
            self.faults.append(FaultLabel(name=label["name"], turn=turn, lethal=label["lethal"], cause=label["cause"]))

    def _objectionable(self, text: str) -> bool:
        if not text.strip() or not self.limits.guards:
            return not text.strip()
        words, token = guards.split_stop(text)
        if token and not words:
            return token == guards.STOP and self._write_pending()
        return bool(speech.invented(words, self._allowed) or speech.leaked(words, self.instruction.hidden, self._was_said))

    def _was_said(self, value: str) -> bool:
        lowered = value.lower()
        return any(lowered in (each.content or "").lower() for each in self.messages if each.role == "assistant" and not each.tool_calls)

    def _write_pending(self) -> bool:
        return guards.write_pending(self.messages, lambda name: name == TRANSFER_TOOL or self.world.writes(name))

    def _user_says(self, text: str) -> None:
        text = harmless(text)
        self.messages.append(Message(role="user", content=text))
        self.agent.side.hear(wire("user", text))
        self.user.side.hear(wire("assistant", text))

    def _user_stops(self, text: str, token: str) -> Ending:
        self.messages.append(Message(role="user", content=text))
        return Ending(guards.termination(token))

    # ----------------------------------------------------------------------------------------------------------- the agent

    async def _agent_moves(self) -> Ending | None:
        reply = await self._agent_turn()
        self._label(reply)
        if reply.tool_calls:
            self._agent_calls(reply.content or None, reply.tool_calls)
            return None
        if not (reply.content or "").strip():
            return Ending("agent_error", "nothing but empty turns")
        self._agent_says(reply.content or "")
        if self._stop and not self._write_pending():
            return self._user_stops(self._stop, self._stop)
        self._stop = ""
        return None

    async def _agent_turn(self) -> ChatReply:
        for attempt in range(self.limits.max_regenerated):
            reply = await self.agent.answer(attempt)
            if reply.tool_calls or (reply.content or "").strip():
                return reply
        return await self.agent.answer(self.limits.max_regenerated)

    def _agent_says(self, text: str) -> None:
        self._turn = "user"
        self.messages.append(Message(role="assistant", content=text))
        self.agent.side.hear(wire("assistant", text))
        self.user.side.hear(wire("user", text))
        if self.limits.guards:
            self._allowed |= speech.mentioned(text)

    def _agent_calls(self, content: str | None, calls: tuple[ToolCall, ...]) -> None:
        self._turn = "tools"
        if len({call.id for call in calls if call.id}) < len(calls):
            calls = tuple(call.model_copy(update={"id": f"call_{len(self.messages)}_{number}"}) for number, call in enumerate(calls))
        self.messages.append(Message(role="assistant", content=content, tool_calls=calls))
        self.agent.side.hear(wire_calls(content, calls))

    # ----------------------------------------------------------------------------------------------------- the environment

    async def _tools_answer(self) -> None:
        """All calls of the last message, in order."""
        self._turn = "agent"
        for call in self.messages[-1].tool_calls:
            result = self._result(call)
            content = harmless(result.content)
            self.errors += result.error
            self.messages.append(Message(role="tool", content=content, tool_call_id=call.id, error=result.error))
            self.agent.side.hear(wire_result(call.id, content))

    def _result(self, call: ToolCall) -> ToolResult:
        arguments = decoded(call.arguments)
        if arguments is None:
            return ToolResult(f"Error: the arguments of '{call.name}' are not a JSON object", error=True)
        return self.world.call(call.name, arguments)
