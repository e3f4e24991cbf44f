"""One conversation from an instruction: opens its world, its two sides and their ports, plays it under a deadline, and writes it down."""

import asyncio
import hashlib
from collections.abc import Mapping
from functools import partial
from typing import Literal, NamedTuple, Protocol

from writ.domains.registry import OpenDomain
from writ.llm import ChatReply, ChatRequest, EndpointSettings, ModelFault, request_prefix
from writ.schema import Instruction, Trajectory, content_id
from writ.settings import SimulationConfig
from writ.simulation.address import Address, Role
from writ.simulation.budget import Allowance
from writ.simulation.conversation import Ask, Conversation, Ending, Limits, Party
from writ.simulation.prompts import Side, user_system

Source = Literal["scripted", "model", "playback"]

_AGAIN_TEMPERATURE = 0.7
"""Least temperature of a request for a turn that was sent back: at 0 the model would only repeat itself."""


class Endpoint(Protocol):
    """The part of `writ.llm.pool.Endpoint` that a simulation needs."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Raises: ModelFault where this conversation is lost; another WritError where no conversation can go on."""
        ...


class Played(NamedTuple):
    trajectory: Trajectory
    lost: bool
    """No one in the conversation is at fault: it is an infrastructure loss."""
    again: bool
    """A lost one that may succeed if it is begun again."""


def trajectory_id(config: SimulationConfig, instruction: Instruction, rollout: int) -> str:
    """Known before the conversation is had, so that a resumed run finds it."""
    return content_id("conversation", [instruction.id, rollout, config.agent.model, config.user.model, config.seed])


def seed_of(config: SimulationConfig, instruction: Instruction, rollout: int) -> int:
    """The sampling seed of one conversation, 0 to 2**31 - 1."""
    name = f"{config.seed}:{instruction.id}:{rollout}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) >> 1


class Player:
    """Plays single conversations; holds nothing of them."""

    def __init__(self, config: SimulationConfig, domains: Mapping[str, OpenDomain], agent: Endpoint, user: Endpoint, source: Source) -> None:
        self.allowance = Allowance(config)
        self._config = config
        self._domains = domains
        self._endpoints: Mapping[Role, Endpoint] = {"agent": agent, "user": user}
        self._settings: Mapping[Role, EndpointSettings] = {"agent": config.agent, "user": config.user}
        self._source: Source = source

    async def play(self, instruction: Instruction, rollout: int) -> Played:
        """Raises what is not this conversation's own affair: BudgetReached, Unavailable, ConfigError."""
        talk = self._conversation(instruction, rollout)
        again = True
        try:
            async with asyncio.timeout(self._config.conversation_deadline_s):
                ending = await talk.run()
        except ModelFault as fault:
            ending, again = Ending("infrastructure", str(fault)), fault.retryable
        except TimeoutError:
            ending = Ending("infrastructure", f"conversation_deadline: not over after {self._config.conversation_deadline_s:g} s")
        return Played(self._written(talk, ending, rollout), ending.termination == "infrastructure", again)

    def _conversation(self, instruction: Instruction, rollout: int) -> Conversation:
        domain = self._domains[instruction.domain]
        limits = Limits(self._config.max_steps, self._config.max_errors, self._config.max_regenerated, self._config.guards)
        agent = self._party("agent", domain.system_prompt, instruction, rollout)
        user = self._party("user", user_system(domain.snapshot, instruction), instruction, rollout)
        return Conversation(instruction, agent, user, domain.environment(), limits)

    def _party(self, role: Role, system: str, instruction: Instruction, rollout: int) -> Party:
        tools = self._domains[instruction.domain].snapshot.tools if role == "agent" else ()
        seed = seed_of(self._config, instruction, rollout)

        def prefix(attempt: int) -> bytes:
            settings = self._settings[role]
            if attempt and settings.temperature is not None:
                settings = settings.model_copy(update={"temperature": max(settings.temperature, _AGAIN_TEMPERATURE)})
            return request_prefix(settings, tools, seed=(seed if settings.seed is None else settings.seed) + attempt)

        return Party(Side(prefix(0), system, Address(role, instruction.id, rollout)), self._asker(role), prefix)

    def _asker(self, role: Role) -> Ask:
        return partial(self._ask, self._endpoints[role], self._settings[role])

    async def _ask(self, endpoint: Endpoint, settings: EndpointSettings, request: ChatRequest) -> ChatReply:
        self.allowance.check()
        reply = await endpoint.complete(request)
        self.allowance.spend(settings, reply)
        return reply

    def _written(self, talk: Conversation, ending: Ending, rollout: int) -> Trajectory:
        return Trajectory(
            id=trajectory_id(self._config, talk.instruction, rollout),
            task_id=talk.instruction.task_id,
            instruction_id=talk.instruction.id,
            domain=talk.instruction.domain,
            rollout=rollout,
            source=self._source,
            agent=self._config.agent.model,
            user=self._config.user.model,
            messages=tuple(talk.messages),
            termination=ending.termination,
            agent_usage=talk.agent.usage,
            user_usage=talk.user.usage,
            regenerated=talk.regenerated,
            faults=tuple(dict.fromkeys(talk.faults)),
            detail=ending.detail,
        )
