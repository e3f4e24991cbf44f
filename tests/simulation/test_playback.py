"""Recorded real conversations, played again over HTTP."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from desk_world import MemoryJournal, instruction, judged, task
from test_engine import play

from writ.domains.database import Database
from writ.domains.registry import OpenDomain, load_domain
from writ.errors import ArtifactError, ConfigError
from writ.llm import EndpointSettings
from writ.llm.pool import open_endpoint
from writ.llm.preflight import preflight
from writ.llm.server import serve
from writ.schema import DomainSnapshot, Message, Trajectory
from writ.settings import SimulationConfig
from writ.simulation.engine import simulate
from writ.simulation.playback import FAREWELL, Playback, Recording, of_trajectory, tau2_recordings

BENCHMARK = Path(__file__).parents[3] / "shared" / "tau2-bench"
RECORDED = BENCHMARK / "recorded" / "retail_results.json"
recorded = pytest.mark.skipif(not RECORDED.is_file(), reason="recorded conversations are not beside this checkout (shared/tau2-bench)")


def retail() -> OpenDomain:
    domain = load_domain("retail")
    database = Database.load(BENCHMARK / "retail" / "db.json", domain.toolkit.shape)
    snapshot = DomainSnapshot(
        name="retail",
        code="retail",
        database={},
        policy=(BENCHMARK / "retail" / "policy.md").read_text(),
        tools=tuple(json.loads((BENCHMARK / "retail" / "tools.json").read_bytes())),
        agent_prompt=(BENCHMARK / "agent_prompt.txt").read_text(),
        user_prompt=(BENCHMARK / "user_prompt.txt").read_text(),
        origin="files",
        license="MIT",
    )
    return OpenDomain(domain, snapshot, database)


async def replay(recordings: list[Recording], domain: OpenDomain, **config: Any) -> list[Trajectory]:
    async with serve(Playback(recordings), models=["playback"]) as server:
        settings = EndpointSettings(model="playback", base_url=server.base_url)
        agent, user = open_endpoint(settings), open_endpoint(settings)
        await preflight(agent, domain.snapshot.tools)
        made = simulate(
            SimulationConfig(agent=settings, user=settings, **config),
            tasks=[each.task for each in recordings],
            instructions=[each.instruction for each in recordings],
            domains={domain.name: domain},
            agent=agent,
            user=user,
            judge=judged,
            journal=MemoryJournal(),
            source="playback",
        )
        trajectories = [trajectory async for trajectory in made]
        await agent.close()
        await user.close()
        return trajectories


def bare(messages: tuple[Message, ...]) -> list[Any]:
    """What a conversation consists of, without the error flags that results files lack."""
    return [
        (message.role, message.content, [(call.id, call.name, call.arguments) for call in message.tool_calls], message.tool_call_id)
        for message in messages
    ]


@pytest.mark.long
@recorded
def test_recorded_conversations_of_a_real_model_come_out_of_the_engine_as_they_went_in():
    recordings = list(tau2_recordings(RECORDED, "retail"))
    assert len(recordings) == 114
    played = asyncio.run(replay(recordings, retail(), guards=False, concurrency=32))
    assert [bare(each.messages) for each in played] == [bare(each.messages) for each in recordings]
    assert {each.termination for each in played} <= {"user_stop", "transfer"}


@recorded
def test_recorded_conversations_under_guards_end_with_their_last_words_answered():
    recordings = list(tau2_recordings(RECORDED, "retail"))[:30]
    for each, played in zip(recordings, asyncio.run(replay(recordings, retail())), strict=True):
        assert played.messages[-1].content in ("###STOP###", "###TRANSFER###")
        heard = [message.content for message in played.messages if message.role == "user"]
        assert heard[: len(each.lines("user")) - 1] == [line.content for line in each.lines("user")[:-1]]
        assert played.messages[-2].role == "assistant"


def test_a_conversation_of_an_earlier_run_is_played_again():
    first = asyncio.run(play([task(n) for n in range(4)]))
    again = Playback((of_trajectory(task(n), instruction(n), first[n]) for n in range(4)), model="desk-model")
    assert [each.messages for each in asyncio.run(play([task(n) for n in range(4)], answer=again))] == [each.messages for each in first]


def test_an_agent_beyond_its_recording_takes_leave():
    [short] = asyncio.run(play([task(0)]))
    cut = Recording(task(0), instruction(0), short.messages[:3])
    said = json.loads(asyncio.run(Playback([cut])({"user": "agent:i0:0", "messages": [{"role": "assistant"}] * 3})).body)
    assert said["choices"][0]["message"]["content"] == FAREWELL


def test_a_request_for_an_unknown_conversation_is_refused():
    assert asyncio.run(Playback([])({"user": "agent:i0:0", "messages": []})).status == 400
    assert asyncio.run(Playback([])({"messages": []})).status == 400


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"tasks": [], "simulations": [{}]}'])
def test_a_file_that_holds_no_recordings_is_refused(tmp_path: Path, text: str):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(ArtifactError, match="not a results file"):
        list(tau2_recordings(tmp_path / "results.json", "retail"))


def test_a_missing_file_of_recordings_is_a_configuration_error(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        list(tau2_recordings(tmp_path / "none.json", "retail"))
