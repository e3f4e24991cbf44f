"""A model that does nothing but take its time: what a client's limits are measured against, so light that the client is what is measured.

Speaks as much HTTP as our own client needs. A request's `user` says how long an answer takes (`0.2`: that many seconds, give or take a tenth), and
above how many in flight it is refused with 429 (`0.2/64`); `state` asks what was used so far, as a `State` in the reply's text. Runs until standard
input ends.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial

from writ.llm.server import Reply, chat_reply, error_reply

SPREAD = 0.1
"""Of the latency, to both sides. With one that never varies, conversations whose requests once met stay in step for ever, as they do nowhere else."""
_ANSWER = chat_reply("Let me look that up for you. " * 5, model="pacer", prompt_tokens=4000, completion_tokens=40)
_REFUSAL = error_reply(429, "too many requests")


@dataclass(slots=True)
class State:
    """Over all connections."""

    cpu_s: float = 0.0
    busy_s: float = 0.0
    """Seconds spent answering, added over all requests."""
    answered: int = 0
    refused: int = 0
    in_flight: int = 0


class Pacer(asyncio.Protocol):
    """One connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._loop = asyncio.get_running_loop()
        self._data = bytearray()
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head = self._data.find(b"\r\n\r\n")
        if head >= 0 and len(self._data) >= head + 4 + _length(self._data[:head]):
            user = self._data.rpartition(b'"user":"')[2].partition(b'"')[0].decode()
            self._data.clear()
            self._ask(user)

    def _ask(self, user: str) -> None:
        state = self._state
        latency, _, limit = user.partition("/")
        if user == "state":
            state.cpu_s = time.process_time()
            self._send(chat_reply(json.dumps(asdict(state)), model="pacer"))
        elif limit and state.in_flight >= int(limit):
            state.refused += 1
            self._send(_REFUSAL)
        else:
            state.in_flight += 1
            self._loop.call_later(float(latency) * random.uniform(1 - SPREAD, 1 + SPREAD), partial(self._answer, time.monotonic()))

    def _answer(self, began_s: float) -> None:
        self._state.in_flight -= 1
        self._state.busy_s += time.monotonic() - began_s
        self._state.answered += 1
        self._send(_ANSWER)

    def _send(self, reply: Reply) -> None:
        head = b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (reply.status, len(reply.body))
        self._transport.write(head + reply.body)


def _length(head: bytearray) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def main() -> None:
    loop, state = asyncio.get_running_loop(), State()
    server = await loop.create_server(lambda: Pacer(state), "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
