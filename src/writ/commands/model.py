"""`writ model serve`: the embedded models, and trained weights, over HTTP, for the simulator and for any other OpenAI-compatible client."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from writ.artifacts import Manifest, read_manifest, read_records
from writ.commands.fetch import fetch, s3_of
from writ.domains.registry import open_domain
from writ.errors import ArtifactError, ConfigError, Unavailable
from writ.llm import EMBEDDED
from writ.llm import server as front
from writ.llm.faults import FaultPlan, Faulty
from writ.runners.metrics import ServerMetrics
from writ.runners.scripted import EveryRun
from writ.schema import DomainSnapshot, Instruction
from writ.simulation.scripted.server import Scripted
from writ.storage import S3Settings, Store, open_store


@click.group()
def model() -> None:
    """Serve the embedded models, or weights of your own, over HTTP.

    Example: writ model serve --out runs --domain KEY --instructions KEY
    """


model.add_command(fetch)


@model.command()
@click.option("--out", default="runs", show_default=True, metavar="DIR|s3://…", help="The store that holds the two artifacts.")
@click.option("--domain", "domain_key", metavar="KEY", help="Key of the `domain` artifact (`writ plan` prints it).")
@click.option("--instructions", "instructions_key", metavar="KEY", help="Key of the `instructions` artifact; without either: every run's.")
@click.option(
    "--weights", type=click.Path(path_type=Path), help="Serve these weights instead: the folder that `writ train --to` made, or one of such."
)
@click.option(
    "--reader", default="", metavar="NAME", help="How calls are read out of text: hermes or llama3_json; by the chat template where absent."
)
@click.option("--at-once", default=32, show_default=True, help="Requests that are decoded together, with --weights.")
@click.option("--threads", default=2, show_default=True, help="Threads of a matrix product, with --weights and no GPU.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--port", default=8008, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free one.")
@click.option("--name", "names", multiple=True, default=EMBEDDED, show_default=True, help="Served model name; may repeat.")
@click.option("--fault", "faults", multiple=True, metavar="NAME=RATE", help="Make a labelled fault at this rate, such as wrong_argument=0.2.")
@click.option("--latency-s", default=0.0, show_default=True, help="Seconds before each answer, as a real model takes some.")
@click.option("--s3", "s3_settings", default="{}", metavar="JSON", help="How to reach S3, as the key s3 of the settings.")
@click.option("--with-input", is_flag=True, help="End when standard input ends: with the process that started this one.")
def serve(
    out: str,
    domain_key: str | None,
    instructions_key: str | None,
    weights: Path | None,
    reader: str,
    at_once: int,
    threads: int,
    host: str,
    port: int,
    names: tuple[str, ...],
    faults: tuple[str, ...],
    latency_s: float,
    s3_settings: str,
    with_input: bool,
) -> None:
    """Serve the scripted model, or with --weights a trained one. Prints its URL when it listens; counts what it does at `/metrics`, for Prometheus.

    The scripted model is agent and user of the conversations of one `instructions` artifact, or of every run of a store and of the folders in it. A
    request's `user` field says which side of which conversation it is for: `agent:<instruction id>:<rollout>`. Asked as `scripted-plain`, it
    always says a thing in the same words.

    --weights is for tests and for machines without a GPU: it renders as training did, decodes waiting requests together, and reads tool calls as
    vLLM does. It needs the packages of requirements/train.txt (train-cpu.txt without a GPU). The name served is `scripted` unless --name says
    otherwise; of a folder of models each is served by the name of its own folder.

    Example: writ model serve --out runs --domain 7c45b97e7b633f2a --instructions 8db1587507eb7a95 --port 8008
    """
    if weights is not None:
        folders = _folders(weights)
        names = tuple(folders) or names
        several = {name: _trained(folder, reader, at_once, threads) for name, folder in folders.items()}
        answer = _by_name(several) if several else _trained(weights, reader, at_once, threads)
    else:
        rates = dict(_rate(text) for text in faults)
        answer = _scripted(out, s3_of(s3_settings), domain_key, instructions_key, rates)
    _listen(Faulty(answer, FaultPlan(latency_s=latency_s)) if latency_s else answer, names, host, port, with_input)


def _listen(answer: front.Answer, names: tuple[str, ...], host: str, port: int, with_input: bool) -> None:
    counted = None if with_input else ServerMetrics(answer)  # the process that starts an embedded model counts for itself
    serving = front.serve_until_signalled(
        counted or answer,
        models=names,
        host=host,
        port=port,
        announce=_announce,
        with_input=with_input,
        metrics=counted.text if counted else None,
    )
    try:
        asyncio.run(serving)
    except socket.gaierror as e:
        raise ConfigError(f"--host {host}: {e.strerror}; name an address of this machine, or 0.0.0.0 for all") from e
    except OSError as e:
        raise Unavailable(f"cannot listen on {host}:{port} ({e.strerror}); choose another --port") from e


def _scripted(out: str, s3: S3Settings, domain_key: str | None, instructions_key: str | None, rates: dict[str, float]) -> front.Answer:
    if domain_key and instructions_key:
        store = open_store(out, s3=s3)
        sites = {snapshot.name: open_domain(snapshot) for snapshot in _records(store, "domain", domain_key, DomainSnapshot)}
        _manifest(store, "instructions", instructions_key)
        return Scripted(sites, _lookup(store, instructions_key), rates)
    if domain_key or instructions_key:
        raise ConfigError("--domain and --instructions go together; give both, or neither to serve every run of the store")
    return EveryRun(lambda folder: open_store(f"{out}/{folder}".rstrip("/"), s3=s3), rates)


def _folders(weights: Path) -> dict[str, Path]:
    """Name -> folder of each model in a folder of models; empty for a model's own folder."""
    if (weights / "config.json").is_file() or not weights.is_dir():
        return {}
    return {path.name: path for path in sorted(weights.iterdir()) if (path / "config.json").is_file()}


def _by_name(served: Mapping[str, front.Answer]) -> front.Answer:
    async def answer(request: dict[str, Any]) -> front.Reply:
        return await served[request["model"]](request)  # the front refuses a name that is not served

    return answer


def _trained(weights: Path, reader: str, at_once: int, threads: int) -> front.Answer:
    if find_spec("torch") is None or find_spec("transformers") is None:
        from writ.commands.train import INSTALL

        raise ConfigError(f"--weights needs torch and transformers; {INSTALL}")
    from writ.training.calls import READERS
    from writ.training.serving import Served, load

    if reader and reader not in READERS:
        raise ConfigError(f"--reader {reader}: there are {' and '.join(READERS)}")
    return Served(load(weights, threads), reader=reader, at_once=at_once)


def _announce(running: front.RunningServer) -> None:
    print(running.base_url, flush=True)


def _manifest(store: Store, stage: str, key: str) -> Manifest:
    manifest = read_manifest(store, stage, key)
    if manifest is None:
        raise ArtifactError(f"{store.url}/{stage}/{key} is not a finished artifact; `writ plan` prints the keys of a run")
    return manifest


def _records(store: Store, stage: str, key: str, record: type) -> list:  # type: ignore[type-arg]
    return list(read_records(store, _manifest(store, stage, key), record))


def _lookup(store: Store, key: str) -> Callable[[str], Instruction]:
    """Instructions by id, read when the first is asked for: the server listens at once."""
    found: dict[str, Instruction] = {}

    def find(instruction_id: str) -> Instruction:
        if not found:
            found.update({instruction.id: instruction for instruction in _records(store, "instructions", key, Instruction)})
        return found[instruction_id]

    return find


def _rate(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate)
    except ValueError as e:
        raise ConfigError(f"--fault {text}: the rate is no number; write --fault wrong_argument=0.2") from e
