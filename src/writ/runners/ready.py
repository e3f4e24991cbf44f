"""Before anything is paid for: are the model endpoints there, do they know key and name, and do they call tools?"""

import asyncio
from typing import Any

from pydantic import SecretStr

from writ.errors import ConfigError, Unavailable
from writ.llm import EMBEDDED, EndpointSettings
from writ.llm.pool import Endpoint, open_endpoint
from writ.llm.preflight import preflight
from writ.settings import RunConfig

_QUICK_S = 8.0
"""Most seconds of one request of the early look."""

_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "look_up_parcel",
        "description": "Where a parcel is now.",
        "parameters": {
            "type": "object",
            "properties": {"parcel_id": {"type": "string", "description": "Such as P-100."}},
            "required": ["parcel_id"],
        },
    },
}
"""Any tool will do: what is tested is that calls come back as calls."""


def refuse_early(config: RunConfig, agent_key: SecretStr | None, user_key: SecretStr | None) -> None:
    """A first look, before tasks are made: raises ConfigError for what waiting will not cure. A server that is away may still come."""

    async def look(settings: EndpointSettings, key: SecretStr | None, *, tools: bool) -> None:
        hasty = settings.model_copy(update={"ready_within_s": 0.0, "call_deadline_s": min(settings.call_deadline_s, _QUICK_S)})
        endpoint = open_endpoint(hasty, key)
        try:
            await preflight(endpoint, [_TOOL] if tools else ())
        except Unavailable:
            return
        finally:
            await endpoint.close()

    async def both() -> None:
        for settings, key, tools in ((config.simulation.agent, agent_key, True), (config.simulation.user, user_key, False)):
            if settings.base_url:
                await look(settings, key, tools=tools)
            elif settings.model not in EMBEDDED:
                raise ConfigError(f"model '{settings.model}' has no base_url; set it to an OpenAI-compatible URL such as http://host:8000/v1")

    asyncio.run(both())


async def await_ready(agent: Endpoint, user: Endpoint, stop: asyncio.Event, *, tools: bool = True) -> None:
    """Waits for both endpoints, each up to its `ready_within_s`. `tools`: the agent must call one when asked to.

    Raises: ConfigError; Unavailable (away for longer, or told to stop).
    """
    probing = asyncio.ensure_future(asyncio.gather(preflight(agent, [_TOOL] if tools else ()), preflight(user)))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((probing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not probing.done():
            raise Unavailable("told to stop while waiting for the models; nothing was begun: start the same command again")
        probing.result()
    finally:
        probing.cancel()
        stopping.cancel()
        await asyncio.gather(probing, stopping, return_exceptions=True)
