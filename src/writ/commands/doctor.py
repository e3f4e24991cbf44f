"""`writ doctor`: checks a configuration end to end, before anything is paid for, and says what to fix."""

import asyncio
import platform
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from writ.commands.configuration import api_key, config_options, read_config
from writ.domains.registry import open_domain
from writ.domains.sources import fingerprint, snapshots
from writ.errors import ArtifactError, ConfigError, Unavailable, WritError
from writ.llm import EMBEDDED, EndpointSettings
from writ.llm.pool import open_endpoint
from writ.llm.preflight import preflight
from writ.schema import DomainSnapshot
from writ.settings import RunConfig
from writ.storage import Store, open_store

PACKAGES = ("writ", "pydantic", "aiohttp", "pyarrow", "boto3")
"""Whose versions a report of a fault should name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was checked."""

    subject: str
    fact: str
    error: WritError | None = None


@click.command()
@config_options
@click.option("--wait", "wait_s", default=20.0, show_default=True, help="Seconds that an endpoint may take to answer.")
def doctor(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None, wait_s: float) -> None:
    """Check a configuration end to end: versions, store, disk, domains, endpoints, model names, tool calls. Says what to fix.

    A check of an endpoint costs a few dozen tokens. Exit code 0: a run can start; else that of the first thing to fix.

    Example: writ doctor --config run.yaml
    """
    console, failed = Console(highlight=False), list[WritError]()
    for finding in examine(read_config(config_file, sets, out, domain_data), wait_s):
        _print(console, finding)
        failed += [finding.error] if finding.error else []
    if failed:
        console.print(f"{len(failed)} to fix" if len(failed) > 1 else "one thing to fix", style="bold red")
        sys.exit(failed[0].exit_code)
    console.print("All is well: 'writ run' can start", style="bold green")


def _print(console: Console, finding: Finding) -> None:
    mark, style = ("✕", "bold red") if finding.error else ("✓", "green")
    text = " ".join(str(finding.error).split()) if finding.error else finding.fact
    console.print(Text.assemble((f"{mark} ", style), (f"{finding.subject:<20} ", "bold"), text), soft_wrap=True)


def examine(config: RunConfig, wait_s: float) -> Iterator[Finding]:
    """All findings, each as soon as it is known; one that fails does not stop the next."""
    yield Finding("versions", _versions())
    yield _tried("store", lambda: _store(config))
    yield _tried("disk", lambda: _disk(config))
    snapshot: list[DomainSnapshot] = []
    yield _tried("domains", lambda: _domains(config, snapshot))
    tools = snapshot[0].tools if snapshot else ()
    yield _tried("agent", lambda: _endpoint(config.simulation.agent, wait_s, tools))
    yield _tried("simulated user", lambda: _endpoint(config.simulation.user, wait_s, ()))
    if config.instructions.paraphrase:
        yield _tried("paraphraser", lambda: _endpoint(config.instructions.paraphraser, wait_s, ()))
    if config.verification.judge is not None:
        judge = config.verification.judge
        yield _tried("judge", lambda: _endpoint(judge, wait_s, ()))


def _tried(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look())
    except WritError as error:
        return Finding(subject, "", error)


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for name in PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} is not installed")
    return ", ".join(found)


def _store(config: RunConfig) -> str:
    store = open_store(config.out, s3=config.s3)
    store.probe()
    _put_once(store)
    return f"{store.url} can be written and read, and two writers of one artifact end with one"


def _put_once(store: Store) -> None:
    """What manifests are written with: the second of two puts under one name must not win. Raises: ArtifactError."""
    key = f"doctor-{uuid.uuid4().hex}"
    try:
        won = [store.put_if_absent(key, text) for text in (b"first", b"second")]
        if won != [True, False] or store.get(key) != b"first":
            raise ArtifactError(f"{store.url}: of two conditional writes the second won; use a store that honours them, or one writer at a time")
    finally:
        store.delete(key)


NEEDED_GB = 1.0
"""A run of 2,000 conversations takes a tenth of this."""


def _disk(config: RunConfig) -> str:
    """Room where artifacts go, or, with a store elsewhere, where temporary files do."""
    folder = Path(tempfile.gettempdir()) if config.out.startswith("s3://") else Path(open_store(config.out).url)
    while not folder.is_dir():
        folder = folder.parent
    free_gb = shutil.disk_usage(folder).free / 1e9
    if free_gb < NEEDED_GB:
        raise Unavailable(f"{folder} has {free_gb:.1f} GB left, and a run may need {NEEDED_GB:g}; free some space, or name another disk with --out")
    return f"{free_gb:,.0f} GB left at {folder}"


def _domains(config: RunConfig, into: list[DomainSnapshot]) -> str:
    """Opens every domain as the first stage would."""
    facts = []
    for snapshot in snapshots(config.domains, seed=config.seed, content=fingerprint(config.domains)):
        open_domain(snapshot)
        into.append(snapshot)
        facts.append(f"{snapshot.name} ({len(snapshot.tools)} tools, {snapshot.origin})")
    if not facts:
        raise ConfigError("domains.names is empty; name at least one domain, such as retail")
    return ", ".join(facts)


def _endpoint(settings: EndpointSettings, wait_s: float, tools: Sequence[Mapping[str, Any]]) -> str:
    """Raises: ConfigError, Unavailable as the preflight of a run would."""
    if not settings.base_url:
        if settings.model not in EMBEDDED:
            raise ConfigError(f"model '{settings.model}' has no base_url; set it to an OpenAI-compatible URL such as http://host:8000/v1")
        return "the embedded scripted model; it starts with the run"
    asyncio.run(_ask(settings.model_copy(update={"ready_within_s": wait_s, "call_deadline_s": min(wait_s, settings.call_deadline_s)}), tools))
    parsed = "" if not tools else ", and its tool calls are parsed" if settings.tool_probe else "; whether it calls tools was not asked"
    return f"'{settings.model}' answers at {settings.base_url}{parsed}"


async def _ask(settings: EndpointSettings, tools: Sequence[Mapping[str, Any]]) -> None:
    endpoint = open_endpoint(settings, api_key(settings))
    try:
        await preflight(endpoint, tools)
    except TimeoutError as e:
        raise Unavailable(f"{endpoint.subject} gave no answer in time; start it, or raise --wait") from e
    finally:
        await endpoint.close()
