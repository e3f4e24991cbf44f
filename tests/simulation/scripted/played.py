"""Plays instructions in process: the scripted model on both sides of the real protocol, without HTTP."""

import asyncio
from functools import partial

import orjson

from writ.llm import EndpointSettings, request_prefix
from writ.llm.replies import parse_reply
from writ.schema import FaultLabel, Trajectory, Usage
from writ.simulation.address import Address
from writ.simulation.conversation import Conversation, Party
from writ.simulation.prompts import Side, user_system
from writ.simulation.scripted.server import MODEL, Scripted


def play(site, instruction, scripted, rollout=0):
    """One whole conversation as a trajectory, faults included."""
    labels = []
    parties = {role: party(site, instruction, scripted, role, rollout, labels) for role in ("agent", "user")}
    talk = Conversation(instruction, parties["agent"], parties["user"], site.environment())
    for each in parties.values():
        each.ask = partial(each.ask, talk)
    ending = asyncio.run(talk.run())
    return Trajectory(
        id=f"{instruction.id}-{rollout}",
        task_id=instruction.task_id,
        instruction_id=instruction.id,
        domain=instruction.domain,
        rollout=rollout,
        source="scripted",
        agent=MODEL,
        user=MODEL,
        messages=tuple(talk.messages),
        termination=ending.termination,
        agent_usage=Usage(),
        user_usage=Usage(),
        regenerated=talk.regenerated,
        faults=tuple(dict.fromkeys(labels)),
        detail=ending.detail,
    )


def party(site, instruction, scripted, role, rollout, labels):
    system = site.system_prompt if role == "agent" else user_system(site.snapshot, instruction)
    prefix = request_prefix(EndpointSettings(model=MODEL), site.snapshot.tools if role == "agent" else ())

    async def ask(talk, request):
        reply = scripted.reply(orjson.loads(request.body()))
        assert reply.status == 200, reply.body
        for label in orjson.loads(reply.body)["choices"][0]["message"].get("writ_faults", ()):
            turn = len(talk.messages) if label["turn"] is None else label["turn"]
            labels.append(FaultLabel(**{**label, "turn": turn}))
        return parse_reply(reply.body)

    return Party(Side(prefix, system, Address(role, instruction.id, rollout)), ask, lambda attempt: prefix)


def scripted_for(sites, instructions, rates=None):
    by_id = {instruction.id: instruction for instruction in instructions}
    return Scripted(sites, by_id.__getitem__, rates)


def transcript(trajectory):
    """The conversation as a person reads it."""
    lines = []
    for message in trajectory.messages:
        calls = [f"  -> {call.name}({call.arguments})" for call in message.tool_calls]
        lines += ([f"{message.role}: {message.content}"] if message.content is not None else []) + calls
    return "\n".join(lines)
