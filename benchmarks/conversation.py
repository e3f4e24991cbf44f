"""CPU that a conversation costs our process at zero latency, and whose it is: the client's, the engine's or the environment's.

    python benchmarks/conversation.py [--domain-data ../shared/tau2-bench] [--conversations 400] [--tau2 DIR --tau2-command TAU2] [--json FILE]

The model (`gold_model.py`) runs in a process of its own and makes each task's gold calls; its CPU is shown apart. Without the benchmark's files
the tasks read a generated database. Three measurements over the same conversations: over HTTP; with the same replies handed over in this
process (no client); and the tool calls alone. Their differences are the shares. Every conversation is journaled to disk, as in a run.

With `--tau2`, a checkout of the benchmark with its data, and its installed command (which needs Python 3.12 and an environment of its own), its
runner has the same conversations with the same model, one at a time, and its CPU stands beside ours: what a run of more tasks costs beyond a run of
one, so that its start is not counted. That needs `--domain-data`: the tasks are the benchmark's.
"""

import argparse
import asyncio
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from machine import like_a_run, machine

from writ.artifacts import Journal
from writ.domains.recordings import scenario
from writ.domains.registry import OpenDomain, open_domain
from writ.domains.sources import snapshots
from writ.llm import ChatReply, ChatRequest, EndpointSettings
from writ.llm.pool import open_endpoint
from writ.schema import Certificate, Decision, Instruction, Task, Trajectory, Verdict
from writ.settings import DomainsConfig, SimulationConfig
from writ.simulation.engine import simulate
from writ.simulation.play import Endpoint
from writ.simulation.prompts import decoded
from writ.storage import open_store

HERE = Path(__file__).parent
GOLD = "gold"


@dataclass
class Row:
    """One domain, in milliseconds of CPU per conversation unless named otherwise."""

    domain: str
    conversations: int
    requests: float
    """Per conversation."""
    total_ms: float
    per_request_ms: float
    client_ms: float
    engine_ms: float
    environment_ms: float
    server_ms: float
    """The model's own process; no part of the total."""
    tau2_ms: float | None = None
    """The benchmark's runner over the same tasks."""


# ------------------------------------------------------------------------------------------------------------- the exchange


def tasks_of(domain: OpenDomain) -> list[dict[str, Any]]:
    """The benchmark's tasks, or one per user who looks at what they own."""
    if domain.snapshot.benchmark_tasks:
        return list(domain.snapshot.benchmark_tasks)
    database = domain.snapshot.database
    listed, read = ("orders", "get_order_details") if domain.name == "retail" else ("reservations", "get_reservation_details")
    argument = read.removeprefix("get_").removesuffix("_details") + "_id"
    tasks = []
    for number, (user_id, user) in enumerate(list(database["users"].items())[:100]):
        calls = [{"name": "get_user_details", "arguments": {"user_id": user_id}}]
        calls += [{"name": read, "arguments": {argument: owned}} for owned in user[listed][:4]]
        told = {"reason_for_call": f"You are customer {number}.", "known_info": f"Your id is {user_id}.", "task_instructions": "Be brief."}
        tasks.append({"id": str(number), "user_scenario": {"instructions": told}, "evaluation_criteria": {"actions": calls}})
    return tasks


def instruction_of(number: int, raw: dict[str, Any], domain: str) -> Instruction:
    return scenario(raw, domain, f"i{number}", f"t{number}").model_copy(update={"seed": number})


def task_of(instruction: Instruction) -> Task:
    certificate = Certificate(rivals=(), plan=(), burden=0, relevant=0)
    return Task(
        id=instruction.task_id,
        domain=instruction.domain,
        kind="normal",
        user_id="",
        wishes=(),
        decisions=(Decision(outcome="act", certificate=certificate),),
        tool="",
        burden=0,
        relevant=0,
    )


def kept(task: Task, instruction: Instruction, trajectory: Trajectory) -> Verdict:
    return Verdict(trajectory_id=trajectory.id, task_id=task.id, kept=trajectory.termination == "user_stop", reward=None, checks=())


# ---------------------------------------------------------------------------------------------------------- the measurement


class Tape:
    """Hands every reply over a second time, without a client."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._replies: dict[tuple[str, int], ChatReply] = {}

    async def complete(self, request: ChatRequest) -> ChatReply:
        place = (request.user, len(request.messages))
        if place not in self._replies:
            self._replies[place] = await self._endpoint.complete(request)
        return self._replies[place]


async def played(
    domain: OpenDomain, settings: EndpointSettings, agent: Endpoint, user: Endpoint, instructions: list[Instruction], concurrency: int = 32
) -> list[Trajectory]:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(open_store(folder), "simulate", "bench", Trajectory, lambda each: each.id)
        made = simulate(
            SimulationConfig(agent=settings, user=settings, concurrency=concurrency),
            tasks=map(task_of, instructions),
            instructions=instructions,
            domains={domain.name: domain},
            agent=agent,
            user=user,
            judge=kept,
            journal=journal,
        )
        return [trajectory async for trajectory in made]


def environment_s(domain: OpenDomain, trajectories: Iterable[Trajectory]) -> float:
    began = time.process_time()
    for trajectory in trajectories:
        world = domain.environment()
        for message in trajectory.messages:
            for call in message.tool_calls:
                world.call(call.name, decoded(call.arguments) or {})
    return time.process_time() - began


@dataclass(slots=True)
class GoldServer:
    url: str
    cpu_s: float = 0.0
    """What its process used; known once it has ended."""


@contextmanager
def gold_server(tasks: list[dict[str, Any]], latency_s: float = 0.0) -> Iterator[GoldServer]:
    """The model of `gold_model.py` in a process of its own."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(tasks, file)
        file.flush()
        command = [sys.executable, str(HERE / "gold_model.py"), file.name, "--latency-s", str(latency_s)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        server = GoldServer(process.stdout.readline().strip())
        yield server
        process.terminate()
        server.cpu_s = float(process.stdout.readline())
        process.wait()


@contextmanager
def cpu(spent: dict[str, float], name: str) -> Iterator[None]:
    gc.collect()
    began = time.process_time()
    yield
    spent[name] = time.process_time() - began


async def measured(domain: OpenDomain, url: str, instructions: list[Instruction]) -> tuple[dict[str, float], list[Trajectory]]:
    settings = EndpointSettings(model=GOLD, base_url=url)
    agent, user = open_endpoint(settings), open_endpoint(settings)
    agent_tape, user_tape = Tape(agent), Tape(user)
    await played(domain, settings, agent_tape, user_tape, instructions)
    spent: dict[str, float] = {}
    with cpu(spent, "http"):
        trajectories = await played(domain, settings, agent, user, instructions)
    with cpu(spent, "taped"):
        await played(domain, settings, agent_tape, user_tape, instructions)
    spent["environment"] = environment_s(domain, trajectories)
    await agent.close()
    await user.close()
    return spent, trajectories


def tau2_ms(domain: OpenDomain, tau2: Path, command: str, tasks: int) -> float:
    """CPU milliseconds of the benchmark's runner per conversation."""
    with gold_server(tasks_of(domain)) as server, tempfile.TemporaryDirectory() as folder:
        one, many = (tau2_cpu_s(domain.name, server.url, tau2, command, count, f"{folder}/{count}") for count in (1, tasks))
    return 1e3 * (many - one) / (tasks - 1)


def tau2_cpu_s(domain: str, url: str, tau2: Path, command: str, tasks: int, saved: str) -> float:
    arguments = json.dumps({"api_base": url, "api_key": "none"})
    sides = [part for side in ("agent", "user") for part in (f"--{side}-llm", f"openai/{GOLD}", f"--{side}-llm-args", arguments)]
    counts = ["--num-trials", "1", "--num-tasks", str(tasks), "--max-concurrency", "1", "--save-to", saved]
    began = os.times()
    done = subprocess.run(
        [command, "run", "--domain", domain, *sides, *counts],
        cwd=tau2,
        env={**os.environ, "TAU2_DATA_DIR": str(tau2.resolve() / "data"), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{command} ended with {done.returncode}: {done.stderr.strip().splitlines()[-1:]}")
    ended = os.times()
    return ended.children_user - began.children_user + ended.children_system - began.children_system


def row(domain: OpenDomain, conversations: int) -> Row:
    tasks = tasks_of(domain)
    instructions = [instruction_of(n, tasks[n % len(tasks)], domain.name) for n in range(conversations)]
    with gold_server(tasks) as server:
        spent, trajectories = asyncio.run(measured(domain, server.url, instructions))
    served_s = server.cpu_s / 2  # it answered every conversation twice
    requests = sum(each.agent_usage.requests + each.user_usage.requests for each in trajectories) / conversations
    ms = {name: 1e3 * seconds / conversations for name, seconds in {**spent, "server": served_s}.items()}
    return Row(
        domain=domain.name,
        conversations=conversations,
        requests=requests,
        total_ms=ms["http"],
        per_request_ms=ms["http"] / requests,
        client_ms=ms["http"] - ms["taped"],
        engine_ms=ms["taped"] - ms["environment"],
        environment_ms=ms["environment"],
        server_ms=ms["server"],
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--domain-data")
    parser.add_argument("--conversations", type=int, default=400)
    parser.add_argument("--tau2", type=Path, help="a checkout of tau2-bench with its data")
    parser.add_argument("--tau2-command", default="tau2", help="its command, as installed in its own environment")
    parser.add_argument("--tau2-tasks", type=int, default=20)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    like_a_run()
    config = DomainsConfig(names=("airline", "retail"), data=options.domain_data)
    sites = [open_domain(snapshot) for snapshot in snapshots(config, seed=7, content="")]
    rows = [row(site, options.conversations) for site in sites]
    if options.tau2:
        theirs = (tau2_ms(site, options.tau2, options.tau2_command, options.tau2_tasks) for site in sites)
        rows = [replace(ours, tau2_ms=cost) for ours, cost in zip(rows, theirs, strict=True)]
    print(f"CPU per conversation, {machine()}")
    print("domain    requests  total ms  per request  = client + engine + environment   (server's own)")
    for each in rows:
        print(
            f"{each.domain:9} {each.requests:8.1f} {each.total_ms:9.2f} {each.per_request_ms:12.3f}"
            f"  {each.client_ms:8.2f} {each.engine_ms:8.2f} {each.environment_ms:13.2f}   {each.server_ms:8.2f}"
        )
    for each in rows:
        if each.tau2_ms is not None:
            print(f"{each.domain:9} in the benchmark's runner {each.tau2_ms:8.0f} ms, {each.tau2_ms / each.total_ms:.0f} times ours")
    if options.json:
        options.json.write_text(json.dumps({"machine": machine(), "rows": [asdict(each) for each in rows]}, indent=2))


if __name__ == "__main__":
    main()
