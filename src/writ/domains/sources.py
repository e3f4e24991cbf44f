"""The domain stage: what the rest of a run sees of its domains, from a benchmark's files or from a seeded generator."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from writ.domains.database import parsed
from writ.domains.prompts import AGENT_PROMPT, USER_PROMPT
from writ.domains.registry import load_domain
from writ.errors import ArtifactError, ConfigError
from writ.schema import DomainSnapshot
from writ.settings import DomainsConfig

GUIDELINES = "{global_user_sim_guidelines_with_persona}"
"""What a benchmark's user prompt holds for the text of `user_guidelines.md`."""


def snapshots(config: DomainsConfig, *, seed: int, content: str) -> Iterator[DomainSnapshot]:
    """One snapshot per domain, in the order of the config. `content`: hash of the files that are read (`fingerprint`); enters the key.

    Raises: ConfigError (a file is missing), ArtifactError (a file is torn or of another shape).
    """
    for name in config.names:
        yield _from_files(config, name) if config.data else _generated(config, name, seed)


def fingerprint(config: DomainsConfig) -> str:
    """Hash of every file that `snapshots` will read, so that a run's keys are known before anything runs; empty without files."""
    if config.data is None:
        return ""
    digest = hashlib.sha256()
    for path in _files(config):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(_bytes(path)).digest())
    return digest.hexdigest()[:16]


def _files(config: DomainsConfig) -> Iterator[Path]:
    root = Path(config.data or ".")
    yield from (root / "agent_prompt.txt", root / "user_prompt.txt", root / "user_guidelines.md")
    for name in config.names:
        yield from (root / name / "db.json", root / name / "policy.md", root / name / "tools.json", root / name / "tasks.json")


def _generated(config: DomainsConfig, name: str, seed: int) -> DomainSnapshot:
    code = config.code.get(name, name)
    domain = load_domain(code)
    return DomainSnapshot(
        name=name,
        code=code,
        database=domain.generate(seed, config.users, deep=config.deep),
        policy=domain.policy,
        tools=tuple(domain.toolkit.schemas()),
        agent_prompt=AGENT_PROMPT,
        user_prompt=USER_PROMPT,
        origin=f"generated:{seed}:{config.users}{':deep' if config.deep else ''}",
        license=domain.license,
    )


def _from_files(config: DomainsConfig, name: str) -> DomainSnapshot:
    root = Path(config.data or ".")
    code = config.code.get(name, name)
    domain = load_domain(code)
    data = _bytes(root / name / "db.json")
    database = parsed(data, str(root / name / "db.json"))
    if not isinstance(database, dict):
        raise ArtifactError(f"{root / name / 'db.json'} holds a {type(database).__name__}, not tables of records by id; take the file as published")
    tools = domain.toolkit.schemas_from(_bytes(root / name / "tools.json"), str(root / name / "tools.json"))
    return DomainSnapshot(
        name=name,
        code=code,
        database=database,
        policy=_text(root / name / "policy.md"),
        tools=tuple(tools),
        agent_prompt=_text(root / "agent_prompt.txt"),
        user_prompt=_text(root / "user_prompt.txt").replace(GUIDELINES, _text(root / "user_guidelines.md")),
        origin=f"files:{hashlib.sha256(data).hexdigest()}",
        license="as published with the files; record it where you publish data made from them",
        benchmark_tasks=tuple(benchmark_tasks(root / name / "tasks.json")),
    )


def benchmark_tasks(path: Path) -> list[dict[str, Any]]:
    """Tasks of a benchmark's file. Raises: ConfigError (missing), ArtifactError (not a list of objects)."""
    tasks = parsed(_bytes(path), str(path))
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise ArtifactError(f"{path} is not a list of tasks; take the benchmark's tasks.json")
    return tasks


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise ConfigError(f"domain data: {path} cannot be read ({e.strerror}); --domain-data names the folder that holds <domain>/db.json") from e


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode()
    except UnicodeDecodeError as e:
        raise ArtifactError(f"{path} is not UTF-8 (byte {e.start}); take the file as published") from e
