"""The OpenAI-compatible adapter; the only module that uses the openai package.

CPU per call at zero latency and 32 in flight, with a body of 18 kB (`benchmarks/client.py`): `client.chat.completions.create` 3.9 ms;
`client.post` with ready bytes 0.9 ms over httpx2's own pool, 0.5 ms over the package's aiohttp extra; with the two hooks below 0.27 ms, of
which aiohttp alone is 0.09.
"""

import asyncio
from typing import Any

import aiohttp
import httpx2
import openai
import orjson
from pydantic import SecretStr
from typing_extensions import override

from writ.errors import WritError
from writ.llm import Cause, ChatReply, ChatRequest, EndpointSettings, ModelFault
from writ.llm.replies import one_line, parse_reply, refusal

_SENT = frozenset({"accept", "accept-encoding", "authorization", "content-type", "user-agent"})
"""Headers that leave this process. The package would add a dozen about its platform, and whatever OPENAI_* variables hold."""


class OpenAIModel:
    """One model at one URL."""

    def __init__(self, settings: EndpointSettings, api_key: SecretStr | None = None) -> None:
        self.name = settings.model
        self._settings = settings
        key = api_key.get_secret_value() if api_key else "none"
        self._client = _Client(
            api_key=key,
            base_url=settings.base_url,
            max_retries=0,
            timeout=None,
            default_headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json", "Accept-Encoding": "identity"},
            http_client=httpx2.AsyncClient(transport=_AiohttpTransport(settings), trust_env=False),
        )

    async def complete(self, request: ChatRequest) -> ChatReply:
        deadline_s = self._settings.call_deadline_s if request.deadline_s is None else request.deadline_s
        try:
            async with asyncio.timeout(deadline_s):
                response = await self._client.post("/chat/completions", cast_to=httpx2.Response, content=request.body())
        except TimeoutError as late:
            raise self._late(deadline_s) from late
        except openai.APIError as error:
            raise self._mapped(error) from error
        return parse_reply(response.content)

    async def served_models(self) -> tuple[str, ...]:
        try:
            async with asyncio.timeout(self._settings.connect_deadline_s):
                response = await self._client.get("/models", cast_to=httpx2.Response)
            return tuple(str(entry["id"]) for entry in orjson.loads(response.content)["data"])
        except TimeoutError as late:
            raise self._late(self._settings.connect_deadline_s) from late
        except (openai.NotFoundError, orjson.JSONDecodeError, TypeError, KeyError):
            return ()
        except openai.APIError as error:
            raise self._mapped(error) from error

    async def close(self) -> None:
        await self._client.close()

    def _late(self, deadline_s: float) -> ModelFault:
        return ModelFault(Cause.TIMEOUT, f"{self._settings.base_url} gave no whole reply within {deadline_s:g} s")

    def _mapped(self, error: openai.APIError) -> WritError:
        url = self._settings.base_url
        if isinstance(error, openai.APIStatusError):
            reply = error.response
            return refusal(reply.status_code, reply.text, reply.headers, subject=f"model '{self.name}' at {url}")
        cause = Cause.TRUNCATED if isinstance(error.__cause__, httpx2.RemoteProtocolError) else Cause.CONNECTION
        return ModelFault(cause, f"{url}: {one_line(str(error.__cause__ or error))}")


class _Client(openai.AsyncOpenAI):
    """AsyncOpenAI that builds its POST once: URL, key and headers are the same in every call, only the body differs."""

    _built: tuple[httpx2.URL, httpx2.Headers] | None = None

    @override
    def _build_request(self, options: Any, *, retries_taken: int = 0) -> httpx2.Request:
        if not isinstance(options.content, bytes):
            return super()._build_request(options, retries_taken=retries_taken)
        if self._built is None:
            request = super()._build_request(options, retries_taken=retries_taken)
            self._built = request.url, httpx2.Headers(_sent(request))
        url, headers = self._built
        return httpx2.Request("POST", url, headers=headers, stream=httpx2.ByteStream(options.content))


def _sent(request: httpx2.Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name in _SENT}


class _AiohttpTransport(httpx2.AsyncBaseTransport):
    """openai's HTTP leg on aiohttp's C parser and connection pool.

    Bounds nothing but connecting: the deadline is the caller's, the number of connections the limiter's. Proxies of the environment count
    for https only: a model server inside a cluster is not reached through them.
    """

    def __init__(self, settings: EndpointSettings) -> None:
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=settings.connect_deadline_s)
        self._trust_env = settings.base_url.startswith("https:")
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        session = self._session or self._open()
        body = await request.aread()
        call = session.request(request.method, str(request.url), data=body or None, headers=_sent(request), allow_redirects=False)
        try:
            async with call as reply:
                content = await reply.read()
        except aiohttp.ClientPayloadError as error:
            raise httpx2.RemoteProtocolError(str(error)) from error
        except (aiohttp.ClientError, OSError) as error:
            raise httpx2.ConnectError(str(error) or type(error).__name__) from error
        decoded = [(name, value) for name, value in reply.raw_headers if name.lower() != b"content-encoding"]
        return httpx2.Response(reply.status, headers=decoded, content=content, request=request)

    async def aclose(self) -> None:
        if self._session:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        """Sessions belong to the running loop, so the first request opens it."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            trust_env=self._trust_env,
        )
        return self._session
