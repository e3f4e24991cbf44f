"""A model that does nothing but take its time: what a client's saturation is measured against, so light that the client is what is measured.

Speaks as much HTTP as our own client needs. A request's `user` says how long an answer takes (`0.2`: that many seconds, give or take a tenth);
`state` asks what was used so far, as `[CPU seconds, seconds spent answering, answers]` in the reply's text. Runs until standard input ends.
"""

import asyncio
import json
import random
import sys
import time
from functools import partial

from writ.llm.server import chat_reply

SPREAD = 0.1
"""Of the latency, to both sides. With one that never varies, conversations whose requests once met stay in step for ever, as they do nowhere else."""
_ANSWER = chat_reply("Let me look that up for you. " * 5, model="pacer", prompt_tokens=4000, completion_tokens=40).body


class Pacer(asyncio.Protocol):
    """One connection. `used`: seconds spent answering and number of answers, over all connections."""

    def __init__(self, used: list[float]) -> None:
        self._used = used
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
            if user == "state":
                self._send(chat_reply(json.dumps([time.process_time(), *self._used]), model="pacer").body)
            else:
                latency_s = float(user) * random.uniform(1 - SPREAD, 1 + SPREAD)
                self._loop.call_later(latency_s, partial(self._answer, time.monotonic()))

    def _answer(self, began_s: float) -> None:
        self._used[0] += time.monotonic() - began_s
        self._used[1] += 1
        self._send(_ANSWER)

    def _send(self, body: bytes) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _length(head: bytearray) -> int:
    return int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])


async def main() -> None:
    loop, used = asyncio.get_running_loop(), [0.0, 0.0]
    server = await loop.create_server(lambda: Pacer(used), "127.0.0.1", 0, backlog=4096)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
