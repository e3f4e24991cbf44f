"""A server inside this process, on a thread and a loop of its own, for the length of a block."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager

from writ.llm.server import Answer, serve


@contextmanager
def served(answer: Answer, *, models: Sequence[str]) -> Iterator[str]:
    """Serves chat completions on a free port of the loopback; yields the base URL. Raises: OSError where nothing can listen."""
    ready: Future[str] = Future()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def run() -> None:
        async with serve(answer, models=models) as running:
            ready.set_result(running.base_url)
            await stop.wait()

    def work() -> None:
        try:
            loop.run_until_complete(run())
        except OSError as e:
            ready.set_exception(e)
        finally:
            loop.close()

    thread = threading.Thread(target=work, name="writ-served", daemon=True)
    thread.start()
    try:
        yield ready.result()
    finally:
        if thread.is_alive():
            loop.call_soon_threadsafe(stop.set)
        thread.join()
