"""The adapter for OpenAI-compatible endpoints, on aiohttp's C parser and connection pool.

A request is ready bytes and a reply is parsed by `replies.py`, so that the `openai` package has nothing to do here but to be imported for a second
and a half and to build headers (docs/decisions/0010; `benchmarks/client.py` measures both).
"""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
import orjson
from pydantic import SecretStr

from writ import __version__
from writ.errors import WritError
from writ.llm import Cause, ChatReply, ChatRequest, EndpointSettings, ModelFault
from writ.llm.replies import one_line, parse_reply, refusal


class _Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes


class OpenAIModel:
    """One model at one URL.

    Bounds nothing but connecting and the deadline: the number of connections is the limiter's. Proxies of the environment count for https only: a
    model server inside a cluster is not reached through them.
    """

    def __init__(self, settings: EndpointSettings, api_key: SecretStr | None = None) -> None:
        self.name = settings.model
        self._settings = settings
        self._url = settings.base_url.rstrip("/")
        self._headers = {
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "Authorization": f"Bearer {api_key.get_secret_value() if api_key else 'none'}",
            "Content-Type": "application/json",
            "User-Agent": f"writ/{__version__}",
        }
        self._session: aiohttp.ClientSession | None = None

    async def complete(self, request: ChatRequest) -> ChatReply:
        deadline_s = self._settings.call_deadline_s if request.deadline_s is None else request.deadline_s
        answer = await self._exchange("POST", "/chat/completions", request.body(), deadline_s)
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        return parse_reply(answer.body)

    async def served_models(self) -> tuple[str, ...]:
        answer = await self._exchange("GET", "/models", None, self._settings.connect_deadline_s)
        if answer.status == 404:
            return ()
        if not 200 <= answer.status < 300:
            raise self._refusal(answer)
        try:
            return tuple(str(entry["id"]) for entry in orjson.loads(answer.body)["data"])
        except (orjson.JSONDecodeError, TypeError, KeyError):
            return ()

    async def close(self) -> None:
        if self._session:
            await self._session.close()

    async def _exchange(self, method: str, path: str, body: bytes | None, deadline_s: float) -> _Answer:
        """Raises: ModelFault where no whole answer comes."""
        url = self._url + path
        session = self._session or self._open()
        try:
            async with asyncio.timeout(deadline_s), session.request(method, url, data=body, allow_redirects=False) as reply:
                return _Answer(reply.status, reply.headers, await reply.read())
        except aiohttp.ClientPayloadError as error:
            raise ModelFault(Cause.TRUNCATED, f"{self._settings.base_url}: {one_line(str(error))}") from error
        except aiohttp.ClientError as error:  # a connection that took too long is one, and a TimeoutError as well
            raise ModelFault(Cause.CONNECTION, f"{self._settings.base_url}: {one_line(str(error) or type(error).__name__)}") from error
        except TimeoutError as late:
            raise ModelFault(Cause.TIMEOUT, f"{self._settings.base_url} gave no whole reply within {deadline_s:g} s") from late
        except OSError as error:
            raise ModelFault(Cause.CONNECTION, f"{self._settings.base_url}: {one_line(str(error) or type(error).__name__)}") from error

    def _refusal(self, answer: _Answer) -> WritError:
        text = answer.body.decode("utf-8", "replace")
        return refusal(answer.status, text, answer.headers, subject=f"model '{self.name}' at {self._settings.base_url}")

    def _open(self) -> aiohttp.ClientSession:
        """Sessions belong to the running loop, so the first request opens it."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=self._headers,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._settings.connect_deadline_s),
            trust_env=self._settings.base_url.startswith("https:"),
        )
        return self._session
