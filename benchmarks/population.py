"""A population of any size out of some played conversations: each is told over under new ids and with other words of the user's.

What the stages do with it is what they do with any: the words that are put in are no value, no yes and no no, so verdicts stay; and two copies
of a conversation differ by more than near-duplicates may. Sentences come from a stock of 2,000, so that what counts words stays bounded.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from writ.artifacts import ArtifactWriter, read_manifest, read_records
from writ.domains.registry import OpenDomain, open_domain
from writ.domains.sources import snapshots
from writ.instructions.stage import write_instructions
from writ.llm import ChatReply, ChatRequest
from writ.llm.replies import parse_reply
from writ.pipeline import BY_NAME
from writ.schema import Batch, DomainSnapshot, Instruction, Message, Record, Task, Trajectory
from writ.settings import DomainsConfig, InstructionsConfig, SimulationConfig, TasksConfig
from writ.simulation.play import Player
from writ.simulation.scripted.server import Scripted
from writ.storage import Store
from writ.tasks.stage import synthesize

STAGES = ("domain", "tasks", "instructions", "simulate")
COPY = "~"
"""Between an id and the number of its copy."""
_STOCK = 2_000
_SENTENCE_WORDS = 12


class InProcess:
    """A model port that asks the scripted model without HTTP."""

    def __init__(self, scripted: Scripted) -> None:
        self._scripted = scripted

    async def complete(self, request: ChatRequest) -> ChatReply:
        return parse_reply(self._scripted.reply(orjson.loads(request.body())).body)


@dataclass(frozen=True, slots=True)
class Base:
    """What the copies are made of; trajectories in the order of their tasks, one each."""

    domain: list[DomainSnapshot]
    tasks: list[Task]
    instructions: list[Instruction]
    trajectories: list[Trajectory]

    def sites(self) -> dict[str, OpenDomain]:
        return {snapshot.name: open_domain(snapshot) for snapshot in self.domain}

    def scripted(self, sites: dict[str, OpenDomain]) -> InProcess:
        """The model that speaks the copies, too."""
        by_id = {each.id: each for each in self.instructions}
        return InProcess(Scripted(sites, lambda name: by_id[name.partition(COPY)[0]], {}))

    def copies(self, count: int) -> Iterator[tuple[Task, Instruction, int]]:
        """`count` tasks with their instructions, and the number of the original; each task is a batch of its own."""
        for number in range(count):
            of, mark = number % len(self.tasks), f"{COPY}{number}"
            task, told = self.tasks[of], self.instructions[of]
            batch = Batch(id=f"{task.id}{mark}", wanted=1)
            yield (
                task.model_copy(update={"id": task.id + mark, "batch": batch}),
                told.model_copy(update={"id": told.id + mark, "task_id": task.id + mark}),
                of,
            )

    def retold(self, count: int) -> Iterator[tuple[Task, Instruction, Trajectory]]:
        """`count` conversations."""
        stock = _stock()
        for number, (task, told, of) in enumerate(self.copies(count)):
            rng, played = Random(number), self.trajectories[of]
            names = {"id": f"{played.id}{COPY}{number}", "task_id": task.id, "instruction_id": told.id}
            messages = tuple(_longer(message, rng.choice(stock)) for message in played.messages)
            yield task, told, played.model_copy(update={**names, "messages": messages})


def made(conversations: int, users: int, seed: int = 7) -> Base:
    """Plays one conversation for each of so many tasks over both built-in domains."""
    config = DomainsConfig(users=users)
    domain: list[DomainSnapshot] = list(snapshots(config, seed=seed, content=None))
    tasks = list(synthesize(TasksConfig(reserve_share=0.0), count=conversations, seed=seed, domain=domain))
    told = list(write_instructions(InstructionsConfig(), seed=seed, domain=domain, tasks=tasks))
    first = {each.task_id: each for each in reversed(told)}
    base = Base(domain, tasks, [first[task.id] for task in tasks], [])
    sites = base.sites()
    model = base.scripted(sites)
    player = Player(SimulationConfig(), sites, model, model, "scripted")
    with asyncio.Runner() as loop:
        base.trajectories.extend(loop.run(player.play(instruction, 0)).trajectory for instruction in base.instructions)
    return base


def written(store: Store, base: Base, key: str) -> None:
    """Puts the parts of a base into a store."""
    parts: tuple[list[Any], ...] = (base.domain, base.tasks, base.instructions, base.trajectories)
    for name, records in zip(STAGES, parts, strict=True):
        writer: ArtifactWriter[Record] = ArtifactWriter(store, name, key, BY_NAME[name].writes)
        writer.add_many(records)
        writer.commit()


def read(store: Store, key: str) -> Base:
    parts = []
    for name in STAGES:
        manifest = read_manifest(store, name, key)
        assert manifest is not None
        parts.append(list(read_records(store, manifest, BY_NAME[name].writes)))
    return Base(*parts)  # type: ignore[arg-type]


def _longer(message: Message, words: str) -> Message:
    if message.role != "user" or not message.content or "###" in message.content:
        return message
    return message.model_copy(update={"content": f"{message.content} {words}"})


def _stock() -> list[str]:
    rng = Random(0)
    words = ["".join(rng.choice("bdfgklmprstvz") + rng.choice("aeiou") for _ in range(3)) for _ in range(5_000)]
    return [" ".join(rng.sample(words, _SENTENCE_WORDS)).capitalize() + "." for _ in range(_STOCK)]
