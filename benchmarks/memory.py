"""What does a process hold while a thousand conversations are in flight?

    python benchmarks/memory.py [--in-flight 1000] [--latency-s 2] [--json FILE]

The model is a process of its own that takes its time for each reply (`gold_model.py`), so that all conversations that may be in flight are; the
tasks look at what generated users own. Every conversation is journaled. Memory is the most that this process has held, before and after; what
stays flat over many conversations is measured by `growth.py`.
"""

import argparse
import asyncio
import json
import resource
from pathlib import Path
from typing import Any

from conversation import GOLD, gold_server, instruction_of, played, tasks_of
from machine import like_a_run, machine

from writ.domains.registry import OpenDomain, open_domain
from writ.domains.sources import snapshots
from writ.llm import ChatReply, ChatRequest, EndpointSettings
from writ.llm.pool import Endpoint, open_endpoint
from writ.settings import DomainsConfig


class Counted:
    """An endpoint that notes how many requests were in flight at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.most = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.most = max(self.most, self._endpoint.in_flight + 1)
        return await self._endpoint.complete(request)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def measured(site: OpenDomain, url: str, in_flight: int) -> dict[str, Any]:
    """Twice as many conversations as may be in flight."""
    tasks, before_mb = tasks_of(site), peak_mb()
    told = [instruction_of(number, tasks[number % len(tasks)], site.name) for number in range(2 * in_flight)]
    settings = EndpointSettings(model=GOLD, base_url=url, start_concurrency=in_flight, max_concurrency=in_flight)
    endpoint = open_endpoint(settings)
    counted = Counted(endpoint)
    done = await played(site, settings, counted, counted, told, concurrency=in_flight)
    await endpoint.close()
    ended = sum(each.termination == "user_stop" for each in done)
    return {
        "domain": site.name,
        "conversations": len(done),
        "ended by the user": ended,
        "most requests in flight": counted.most,
        "MB before": before_mb,
        "MB at most": peak_mb(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=1_000)
    parser.add_argument("--latency-s", type=float, default=2.0)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    like_a_run()
    [snapshot] = snapshots(DomainsConfig(names=("airline",)), seed=7, content="")
    site = open_domain(snapshot)
    with gold_server(tasks_of(site), options.latency_s) as server:
        result = {"machine": machine(), **asyncio.run(measured(site, server.url, options.in_flight))}
    for name, value in result.items():
        print(f"{name:26} {value:,.0f}" if isinstance(value, float | int) else f"{name:26} {value}")
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
