"""A worker to be killed: plays the desk's tasks over a journal in a folder, and prints a line for each conversation that ended.

Arguments: folder of the store. Exit codes as the command line's: 0 done, 75 told to stop.
"""

import asyncio
import hashlib
import signal
import sys

from desk_world import MODEL, desk_answer, instruction, judged, open_desk, task

from writ.artifacts import Journal
from writ.errors import WritError
from writ.llm import EndpointSettings
from writ.llm.faults import FaultPlan, Faulty
from writ.llm.pool import open_endpoint
from writ.llm.server import serve
from writ.schema import Batch, Trajectory
from writ.settings import SimulationConfig
from writ.simulation.engine import Event, simulate
from writ.storage import open_store


def report(event: Event) -> None:
    print(f"{event.kind} {event.trajectory.id}", flush=True)


async def work(folder: str) -> str:
    """The hash of all that came out."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    journal = Journal(open_store(folder), "simulate", "k", Trajectory, lambda each: each.id)
    digest = hashlib.sha256()
    async with serve(Faulty(desk_answer, FaultPlan(latency_s=0.02)), models=[MODEL]) as server:
        settings = EndpointSettings(model=MODEL, base_url=server.base_url)
        agent, user = open_endpoint(settings), open_endpoint(settings)
        async for trajectory in simulate(
            SimulationConfig(agent=settings, user=settings, concurrency=8),
            tasks=[task(n, Batch(id=f"b{n // 8}", wanted=5)) for n in range(120)],
            instructions=[instruction(n) for n in range(120)],
            domains={"desk": open_desk()},
            agent=agent,
            user=user,
            judge=judged,
            journal=journal,
            progress=report,
            stop=stop,
        ):
            digest.update(trajectory.model_dump_json().encode())
        await agent.close()
        await user.close()
    return digest.hexdigest()


if __name__ == "__main__":
    try:
        print("done", asyncio.run(work(sys.argv[1])), flush=True)
    except WritError as e:
        print("stopped", str(e), flush=True)
        sys.exit(e.exit_code)
