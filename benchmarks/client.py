"""What a request costs the client and the server, and how much of an endpoint's capacity one process can use.

    python benchmarks/client.py [--requests 2000] [--seconds 3] [--workers 1] [--limit-seconds 20] [--concurrency 1,8,32,...] [--json FILE]

First table: CPU per request at zero latency, client and server apart (the server is a process of its own), by way of asking: the openai
package's typed call, its raw call over both of its pools, our adapter, our Endpoint around it, and bare aiohttp as the floor. The least
of several rounds is shown, so that other load on the machine disturbs little. Second table: for a latency and a concurrency, the rate
reached as a share of concurrency / latency, and the mean number in flight at the server as a share of the concurrency (it leaves out that
the server itself wakes a little late); its server and the next one's is `pacer.py`, a process of its own that needs a quarter of the client's CPU, so
that the client is what is measured. The conversations start spread over one latency, and only replies in the steady state count. Third table:
what the adaptive limit makes of a server that answers 429 above N in flight, with 512 conversations that want to ask: where the limit stands over
the last half of the time, and which share of N was used and of the replies were refusals by then.
"""

import argparse
import asyncio
import json
import multiprocessing
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, NamedTuple

import aiohttp
import httpx2
import openai
import orjson
import pacer
from machine import machine
from pacer import State

from writ.llm import ChatRequest, EndpointSettings, ModelFault, open_model, request_prefix
from writ.llm.pool import open_endpoint
from writ.llm.server import Reply, RunningServer, chat_reply, serve_until_signalled

MODEL = "benchmark"
LATENCIES_S = (0.05, 0.2, 1.0)
CONCURRENCIES = (1, 8, 32, 128, 512, 1024)
SERVER_LIMITS = (10, 50, 200)
ROUNDS = 5

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": f"tool_{number}",
            "description": "Changes one thing in an order of a customer who has confirmed it. " * 4,
            "parameters": {"type": "object", "properties": {f"argument_{n}": {"type": "string", "description": "One of it."} for n in range(4)}},
        },
    }
    for number in range(14)
]
MESSAGES = [{"role": "system", "content": "The policy of the house. " * 250}] + [
    {"role": ("assistant", "user")[turn % 2], "content": "What people say in one turn. " * 8} for turn in range(11)
]
"""With the tools 17 kB, the size of a request in the middle of a retail conversation."""
HISTORY = [orjson.dumps(message) for message in MESSAGES]

Ask = Callable[[], Awaitable[Any]]


class Cost(NamedTuple):
    way: str
    concurrency: int
    client_ms: float
    server_ms: float
    per_second: float


class Saturation(NamedTuple):
    latency_s: float
    concurrency: int
    workers: int
    per_second: float
    rate_share: float
    """Of concurrency / latency."""
    in_flight_share: float
    """Mean requests being answered, of the concurrency."""
    cores: float
    """CPU of the client processes while measured."""


class Found(NamedTuple):
    server_limit: int
    lowest: int
    """Where the adaptive limit stood, over the last half of the time."""
    median: int
    highest: int
    used: float
    """Requests being answered, of the server's limit."""
    refused: float
    """Refusals, of all replies."""


# ------------------------------------------------------------------------------------------------------------------ the server


async def run_server() -> None:
    """Our own front, answering at once; to `state` it tells its CPU."""

    async def answer(body: dict[str, Any]) -> Reply:
        if body["user"] == "state":
            return chat_reply(json.dumps({"cpu_s": time.process_time()}), model=MODEL)
        return chat_reply("Let me look that up for you. " * 5, model=MODEL, prompt_tokens=4000, completion_tokens=40)

    def announce(server: RunningServer) -> None:
        print(server.base_url, flush=True)

    await serve_until_signalled(answer, models=[MODEL], host="127.0.0.1", port=0, announce=announce)


@contextmanager
def a_server(*command: str) -> Iterator[str]:
    process = subprocess.Popen([sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(timeout=10)


async def state(url: str) -> State:
    model = open_model(settings_for(url))
    try:
        reply = await model.complete(ChatRequest(request_prefix(settings_for(url)), (), user="state"))
        return State(**json.loads(reply.content or ""))
    finally:
        await model.close()


def settings_for(url: str, **changes: Any) -> EndpointSettings:
    return EndpointSettings(model=MODEL, base_url=url, **changes)


# ------------------------------------------------------------------------------------------------------------- CPU of one request


@asynccontextmanager
async def openai_typed(url: str) -> AsyncIterator[Ask]:
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0) as client:
        create: Any = client.chat.completions.create
        yield lambda: create(model=MODEL, messages=MESSAGES, tools=TOOLS, user="")


@asynccontextmanager
async def openai_raw(url: str) -> AsyncIterator[Ask]:
    pool = httpx2.AsyncClient(limits=httpx2.Limits(max_connections=2000, max_keepalive_connections=2000))
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=pool) as client:
        yield _raw(client)


@asynccontextmanager
async def openai_raw_aiohttp(url: str) -> AsyncIterator[Ask]:
    pool = openai.DefaultAioHttpClient()
    async with openai.AsyncOpenAI(api_key="none", base_url=url, max_retries=0, http_client=pool) as client:
        yield _raw(client)


def _raw(client: openai.AsyncOpenAI) -> Ask:
    body = _request(EndpointSettings(model=MODEL)).body()

    async def ask() -> Any:
        response = await client.post(
            "/chat/completions", cast_to=httpx2.Response, content=body, options={"headers": {"Content-Type": "application/json"}}
        )
        return orjson.loads(response.content)

    return ask


@asynccontextmanager
async def our_adapter(url: str) -> AsyncIterator[Ask]:
    model, request = open_model(settings_for(url)), _request(settings_for(url))
    yield lambda: model.complete(request)
    await model.close()


@asynccontextmanager
async def our_endpoint(url: str) -> AsyncIterator[Ask]:
    endpoint, request = open_endpoint(settings_for(url)), _request(settings_for(url))
    yield lambda: endpoint.complete(request)
    await endpoint.close()


@asynccontextmanager
async def bare_aiohttp(url: str) -> AsyncIterator[Ask]:
    body = _request(settings_for(url)).body()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

        async def ask() -> Any:
            async with session.post(f"{url}/chat/completions", data=body) as reply:
                return orjson.loads(await reply.read())

        yield ask


WAYS = (openai_typed, openai_raw, openai_raw_aiohttp, our_adapter, our_endpoint, bare_aiohttp)


def _request(settings: EndpointSettings, user: str = "") -> ChatRequest:
    return ChatRequest(request_prefix(settings, TOOLS), HISTORY, user=user)


async def cost(url: str, way: Callable[[str], Any], concurrency: int, requests: int) -> Cost:
    each = max(1, requests // ROUNDS // concurrency)
    rounds = []
    async with way(url) as ask:

        async def worker(count: int) -> None:
            for _ in range(count):
                await ask()

        await asyncio.gather(*(worker(3) for _ in range(concurrency)))
        for _ in range(ROUNDS):
            before, cpu_s, started_s = await state(url), time.process_time(), time.perf_counter()
            await asyncio.gather(*(worker(each) for _ in range(concurrency)))
            spent_s, took_s = time.process_time() - cpu_s, time.perf_counter() - started_s
            served_s = (await state(url)).cpu_s - before.cpu_s
            rounds.append((spent_s, served_s, took_s))
    per = 1000 / (each * concurrency)
    best_s, served_s, took_s = (min(column) for column in zip(*rounds, strict=True))
    return Cost(way.__name__, concurrency, best_s * per, served_s * per, 1000 / (took_s * per))


# ----------------------------------------------------------------------------------------------------------------- saturation


class Load(NamedTuple):
    per_second: float
    cores: float


async def _load(url: str, latency_s: float, concurrency: int, seconds: float) -> Load:
    """A closed loop: each of `concurrency` conversations sends its next request when it has its reply."""
    endpoint = open_endpoint(settings_for(url, start_concurrency=concurrency, max_concurrency=concurrency))
    request = _request(endpoint.settings, user=str(latency_s))
    seconds = max(seconds, 4 * latency_s)
    started_s = time.monotonic()
    steady_s = started_s + 3 * latency_s + 0.002 * concurrency
    replies = 0

    async def conversation(number: int) -> None:
        nonlocal replies
        await asyncio.sleep(latency_s * number / concurrency)
        while time.monotonic() < steady_s + seconds:
            await endpoint.complete(request)
            replies += steady_s <= time.monotonic() < steady_s + seconds

    async def cpu() -> float:
        await asyncio.sleep(max(0.0, steady_s - time.monotonic()))
        before_s = time.process_time()
        await asyncio.sleep(seconds)
        return (time.process_time() - before_s) / seconds

    cores = asyncio.create_task(cpu())
    await asyncio.gather(*(conversation(number) for number in range(concurrency)))
    await endpoint.close()
    return Load(replies / seconds, await cores)


def load(url: str, latency_s: float, concurrency: int, seconds: float) -> Load:
    return asyncio.run(_load(url, latency_s, concurrency, seconds))


def saturation(url: str, latency_s: float, concurrency: int, seconds: float, workers: int) -> Saturation:
    workers = min(workers, concurrency)
    shares = [concurrency // workers + (number < concurrency % workers) for number in range(workers)]
    before = asyncio.run(state(url))
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        loads = list(pool.map(load, [url] * workers, [latency_s] * workers, shares, [seconds] * workers))
    after = asyncio.run(state(url))
    service_s = (after.busy_s - before.busy_s) / (after.answered - before.answered)
    per_second = sum(one.per_second for one in loads)
    cores = sum(one.cores for one in loads)
    return Saturation(latency_s, concurrency, workers, per_second, per_second * latency_s / concurrency, per_second * service_s / concurrency, cores)


# ------------------------------------------------------------------------------------------------------------- the adaptive limit


async def found(url: str, server_limit: int, seconds: float, *, latency_s: float = 0.5, conversations: int = 512) -> Found:
    """Conversations that ask without pause, until the time is up; a request that is given up is asked anew."""
    endpoint = open_endpoint(settings_for(url))
    request = _request(endpoint.settings, user=f"{latency_s}/{server_limit}")
    until_s = time.monotonic() + seconds
    stood: list[int] = []

    async def conversation() -> None:
        while time.monotonic() < until_s:
            with suppress(ModelFault):
                await endpoint.complete(request)

    async def watch() -> tuple[State, State]:
        await asyncio.sleep(seconds / 2)
        before = await state(url)
        while time.monotonic() < until_s - 0.1:
            stood.append(endpoint.concurrency_limit)
            await asyncio.sleep(0.1)
        return before, await state(url)

    watching = asyncio.create_task(watch())
    asking = [asyncio.create_task(conversation()) for _ in range(conversations)]
    before, after = await watching
    for task in asking:
        task.cancel()
    await asyncio.gather(*asking, return_exceptions=True)
    await endpoint.close()
    replies, refusals = after.answered - before.answered, after.refused - before.refused
    used = (after.busy_s - before.busy_s) / (seconds / 2) / server_limit
    return Found(server_limit, min(stood), sorted(stood)[len(stood) // 2], max(stood), used, refusals / (replies + refusals))


# -------------------------------------------------------------------------------------------------------------------- tables


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=2000, help="per row of the first table")
    parser.add_argument("--seconds", type=float, default=3.0, help="per row of the second table, at least four latencies")
    parser.add_argument("--workers", type=int, default=1, help="client processes that share the concurrency of the second table")
    parser.add_argument("--limit-seconds", type=float, default=30.0, help="per row of the third table")
    parser.add_argument("--limits", default=",".join(map(str, SERVER_LIMITS)), help="of the third table's server")
    parser.add_argument("--concurrency", default=",".join(map(str, CONCURRENCIES)), help="of the second table")
    parser.add_argument("--json", help="also write the figures here")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(run_server())
        return
    print(f"{machine()}; request of {len(_request(EndpointSettings(model=MODEL)).body())} bytes")
    with a_server(__file__, "--serve") as url:
        costs = cost_table(url, options.requests)
    with a_server(pacer.__file__) as url:
        saturations = saturation_table(url, options.seconds, options.workers, [int(text) for text in options.concurrency.split(",")])
        limits = limit_table(url, options.limit_seconds, [int(text) for text in options.limits.split(",")])
    if options.json:
        figures = {"machine": machine(), "cost": [row._asdict() for row in costs], "saturation": [row._asdict() for row in saturations]}
        figures["limit"] = [row._asdict() for row in limits]
        with open(options.json, "w") as file:
            json.dump(figures, file, indent=1)


def cost_table(url: str, requests: int) -> list[Cost]:
    rows = []
    print(f"\n{'way':20} {'concurrency':>11} {'client ms':>10} {'server ms':>10} {'requests/s':>11}")
    for way in WAYS:
        for concurrency in (1, 32):
            row = asyncio.run(cost(url, way, concurrency, requests))
            print(f"{row.way:20} {row.concurrency:11} {row.client_ms:10.3f} {row.server_ms:10.3f} {row.per_second:11.0f}", flush=True)
            rows.append(row)
    return rows


def saturation_table(url: str, seconds: float, workers: int, concurrencies: list[int]) -> list[Saturation]:
    rows = []
    print(f"\n{'latency s':>9} {'concurrency':>11} {'requests/s':>11} {'of capacity':>12} {'in flight':>10} {'client cores':>13}")
    for latency_s in LATENCIES_S:
        for concurrency in concurrencies:
            row = saturation(url, latency_s, concurrency, seconds, workers)
            shares = f"{row.rate_share:12.1%} {row.in_flight_share:10.1%} {row.cores:13.2f}"
            print(f"{row.latency_s:9.2f} {row.concurrency:11} {row.per_second:11.0f} {shares}", flush=True)
            rows.append(row)
    return rows


def limit_table(url: str, seconds: float, server_limits: list[int]) -> list[Found]:
    rows = []
    print(f"\n{'429 above':>9} {'limit, lowest':>14} {'median':>7} {'highest':>8} {'used':>7} {'refused':>8}")
    for server_limit in server_limits:
        row = asyncio.run(found(url, server_limit, seconds))
        print(f"{row.server_limit:9} {row.lowest:14} {row.median:7} {row.highest:8} {row.used:7.1%} {row.refused:8.2%}", flush=True)
        rows.append(row)
    return rows


if __name__ == "__main__":
    main()
