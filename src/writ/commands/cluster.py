"""`writ submit`, `watch`, `logs`, `cancel` and `runs`: runs on a cluster, from a laptop or from a pod."""

import os
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

import click
from pydantic import SecretStr

from writ.artifacts import read_manifest
from writ.commands.configuration import config_options, known_domains, read_config
from writ.errors import ArtifactError, ConfigError, Unavailable, WritError
from writ.pipeline import STAGES, Plan
from writ.pipeline import plan as planned
from writ.runners.cluster import Cluster, open_cluster
from writ.runners.workflows import Submitted, config_text, failure, news
from writ.settings import ClusterConfig, RunConfig
from writ.storage import open_store

F = TypeVar("F", bound=Callable[..., object])


def cluster_options(command: F) -> F:
    """Which cluster and namespace: options that go before the settings' section `cluster`."""
    for option in (
        click.option("--server", metavar="URL", help="An Argo Server instead of the Kubernetes API (key: cluster.server)."),
        click.option("--context", metavar="NAME", help="Context of the kubeconfig (key: cluster.context)."),
        click.option("--namespace", "-n", metavar="NAME", help="Namespace; the kubeconfig's by default (key: cluster.namespace)."),
    ):
        command = option(command)
    return command


def on_cluster(command: Callable[..., None]) -> Callable[..., None]:
    """Options for a verb that needs no settings but those of the cluster; it is handed the open Cluster."""

    @click.option("--config", "config_file", metavar="FILE", help="Settings as YAML; the section `cluster` counts.")
    @cluster_options
    @wraps(command)
    def wrapped(config_file: str | None, namespace: str | None, context: str | None, server: str | None, **others: Any) -> None:
        command(_open(read_config(config_file, ()).cluster, namespace, context, server), **others)

    return wrapped


def _open(settings: ClusterConfig, namespace: str | None, context: str | None, server: str | None) -> Cluster:
    given = {"namespace": namespace, "context": context, "server": server}
    settings = settings.model_copy(update={name: value for name, value in given.items() if value is not None})
    token = os.environ.get(settings.token_env)
    return open_cluster(settings, SecretStr(token) if token else None)


@click.command()
@config_options
@cluster_options
@click.option("--shards", default=8, show_default=True, type=click.IntRange(1, 256), help="Pods among which simulation is dealt.")
@click.option(
    "--platform", "platform_file", metavar="FILE", help="Settings of the installation, beneath the run's; in a pod /etc/writ/platform.yaml."
)
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the run to its end.")
def submit(
    config_file: str | None,
    sets: tuple[str, ...],
    out: str | None,
    domain_data: str | None,
    namespace: str | None,
    context: str | None,
    server: str | None,
    shards: int,
    platform_file: str | None,
    wait: bool,
) -> None:
    """Start a run on a cluster, with the settings of a laptop.

    A run that is at work there already is joined, and one that is done is not started again. First it prints what the run will reuse and what it will
    make, if the store can be reached from here.

    Example: writ submit --config run.yaml --out s3://bucket/writ -n writ
    """
    config = read_config(config_file, sets, out, domain_data, platform_file)
    if not config.out.startswith("s3://"):
        raise ConfigError(f"out is '{config.out}', which no pod can reach; set out to s3://bucket/prefix")
    known_domains(config)
    text, keys = config_text(config), planned(config)
    click.echo(f"run {keys.run_id} in {config.out}")
    if _foretell(config, keys):
        click.echo("every artifact stands: there is nothing to submit")
        return
    cluster = _open(config.cluster, namespace, context, server)
    found, made = cluster.start(keys.run_id, {"config": text, "store": config.out, "shards": str(shards)})
    click.echo(f"{'submitted' if made else 'at work already'}: Workflow {found.name} in namespace {cluster.namespace}")
    if wait:
        _follow(cluster, found.name)


def _foretell(config: RunConfig, keys: Plan) -> bool:
    """Prints the plan. True if nothing is left to make."""
    store = open_store(config.out, s3=config.s3.model_copy(update={"retry_within_s": min(3.0, config.s3.retry_within_s)}))
    try:
        standing = {stage.name: read_manifest(store, stage.name, keys.keys[stage.name]) for stage in STAGES}
    except (ConfigError, Unavailable) as e:
        click.echo(f"  the store cannot be read from here ({' '.join(str(e).split())}): the Workflow's plan will say what is reused", err=True)
        return False
    for name, manifest in standing.items():
        click.echo(f"  {name:<13} {keys.keys[name]}  {f'reuse {manifest.records:,} records' if manifest else 'make'}")
    return all(standing.values())


@click.command()
@click.argument("run_id", metavar="RUN")
@on_cluster
def watch(cluster: Cluster, run_id: str) -> None:
    """Follow a run on a cluster to its end; the exit code is that of the step that failed.

    Example: writ watch 2b563d -n writ
    """
    _follow(cluster, _newest(cluster, run_id).name)


@click.command()
@click.argument("run_id", metavar="RUN")
@click.option("--step", default="", metavar="NAME", help="Only steps whose name begins so, such as simulate.")
@on_cluster
def logs(cluster: Cluster, run_id: str, step: str) -> None:
    """Print what the steps of a run on a cluster have said. Pods that succeeded are soon gone; then it says where Argo put their logs.

    Example: writ logs 2b563d --step simulate -n writ
    """
    for said_by, line in cluster.logs(_newest(cluster, run_id).name):
        if said_by.name.startswith(step):
            click.echo(f"{said_by.name}: {line}")


@click.command()
@click.argument("run_id", metavar="RUN")
@on_cluster
def cancel(cluster: Cluster, run_id: str) -> None:
    """Stop a run on a cluster: its pods save what they have, and the next submit goes on from there.

    Example: writ cancel 2b563d -n writ
    """
    found = _newest(cluster, run_id)
    if found.over:
        click.echo(f"Workflow {found.name} is over already ({found.phase.lower()})")
        return
    cluster.stop(found.name)
    click.echo(f"stopping Workflow {found.name}")


@click.command()
@on_cluster
def runs(cluster: Cluster) -> None:
    """List the runs on a cluster.

    Example: writ runs -n writ
    """
    found = cluster.all()
    if not found:
        click.echo(f"no run in namespace {cluster.namespace}")
    for each in found:
        done = sum(step.phase == "Succeeded" for step in each.steps)
        click.echo(f"{each.run_id or '-':<17} {each.phase.lower():<10} {done:>3}/{len(each.steps)} pods  {each.started or '-':<21} {each.name}")


def _newest(cluster: Cluster, run_id: str) -> Submitted:
    """The run's last Workflow. The name of one will do as well."""
    everything = cluster.all()
    if named := [each for each in everything if each.name == run_id]:
        return named[0]
    found = [each for each in everything if each.run_id.startswith(run_id) and each.run_id]
    if not found:
        raise ConfigError(f"no Workflow of a run '{run_id}' in namespace '{cluster.namespace}'; `writ runs` lists them")
    if len({each.run_id for each in found}) > 1:
        raise ConfigError(f"'{run_id}' begins {len({each.run_id for each in found})} run ids; give more of it")
    return found[-1]


def _follow(cluster: Cluster, name: str) -> None:
    """Raises: what the failed step's exit code says."""
    last: list[Submitted] = []

    def listen(now: Submitted) -> None:
        for line in news(last[-1] if last else None, now):
            click.echo(line)
        last[:] = [now]

    end = cluster.follow(name, listen)
    click.echo(f"Workflow {name}: {end.phase.lower()}")
    if end.phase != "Succeeded":
        raise _error(end)


_BY_CODE: dict[int | None, type[WritError]] = {2: ConfigError, 3: ArtifactError, 75: Unavailable, 137: Unavailable, 143: Unavailable}


def _error(end: Submitted) -> WritError:
    step = failure(end)
    if step is None:
        return Unavailable(f"Workflow {end.name} ended as {end.phase.lower()} ({end.message or 'no message'}); submit again to go on")
    kind = _BY_CODE.get(step.exit_code, WritError)
    why = f"`writ logs {end.name}` shows why, and a new submit goes on from there"
    return kind(f"Workflow {end.name}: step {step.name} failed ({step.message}); {why}")
