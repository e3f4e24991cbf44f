"""`writ submit`, `watch`, `cancel` and `runs`: runs on a cluster, from a laptop or from a pod."""

from collections.abc import Callable
from typing import TypeVar

import click

from writ.artifacts import read_manifest
from writ.commands.configuration import config_options, read_config
from writ.errors import ArtifactError, ConfigError, Unavailable, WritError
from writ.pipeline import STAGES, Plan
from writ.pipeline import plan as planned
from writ.runners.cluster import Cluster
from writ.runners.workflows import Submitted, config_text, failure, news
from writ.settings import RunConfig
from writ.storage import open_store

F = TypeVar("F", bound=Callable[..., object])


def cluster_options(command: F) -> F:
    """Which cluster and namespace."""
    for option in (
        click.option("--context", metavar="NAME", help="Context of the kubeconfig; its current one by default."),
        click.option("--namespace", "-n", metavar="NAME", help="Namespace; the context's by default."),
    ):
        command = option(command)
    return command


@click.command()
@config_options
@cluster_options
@click.option("--shards", default=8, show_default=True, type=click.IntRange(1, 256), help="Pods among which simulation is dealt.")
@click.option("--wait/--no-wait", default=True, show_default=True, help="Follow the run to its end.")
def submit(
    config_file: str | None,
    sets: tuple[str, ...],
    out: str | None,
    domain_data: str | None,
    namespace: str | None,
    context: str | None,
    shards: int,
    wait: bool,
) -> None:
    """Start a run on a cluster, with the settings of a laptop.

    A run that is at work there already is joined, and one that is done is not started again. First it prints what the run will reuse and what it will
    make, if the store can be reached from here.

    Example: writ submit --config run.yaml --out s3://bucket/writ -n writ
    """
    config = read_config(config_file, sets, out, domain_data)
    if not config.out.startswith("s3://"):
        raise ConfigError(f"out is '{config.out}', which no pod can reach; set out to s3://bucket/prefix")
    text, keys = config_text(config), planned(config)
    click.echo(f"run {keys.run_id} in {config.out}")
    if _foretell(config, keys):
        click.echo("every artifact stands: there is nothing to submit")
        return
    cluster = Cluster(namespace, context)
    found, made = cluster.start(keys.run_id, {"config": text, "store": config.out, "shards": str(shards)})
    click.echo(f"{'submitted' if made else 'at work already'}: Workflow {found.name} in namespace {cluster.namespace}")
    if wait:
        _follow(cluster, found.name)


def _foretell(config: RunConfig, keys: Plan) -> bool:
    """Prints the plan. True if nothing is left to make."""
    try:
        store = open_store(config.out, s3=config.s3.model_copy(update={"retry_within_s": 3.0}))
        standing = {stage.name: read_manifest(store, stage.name, keys.keys[stage.name]) for stage in STAGES}
    except (ConfigError, Unavailable) as e:
        click.echo(f"  the store cannot be read from here ({' '.join(str(e).split())}): the Workflow's plan will say what is reused", err=True)
        return False
    for name, manifest in standing.items():
        click.echo(f"  {name:<13} {keys.keys[name]}  {f'reuse {manifest.records:,} records' if manifest else 'make'}")
    return all(standing.values())


@click.command()
@click.argument("run_id", metavar="RUN")
@cluster_options
def watch(run_id: str, namespace: str | None, context: str | None) -> None:
    """Follow a run on a cluster to its end; the exit code is that of the step that failed.

    Example: writ watch 2b563d -n writ
    """
    cluster = Cluster(namespace, context)
    _follow(cluster, _newest(cluster, run_id).name)


@click.command()
@click.argument("run_id", metavar="RUN")
@cluster_options
def cancel(run_id: str, namespace: str | None, context: str | None) -> None:
    """Stop a run on a cluster: its pods save what they have, and the next submit goes on from there.

    Example: writ cancel 2b563d -n writ
    """
    cluster = Cluster(namespace, context)
    found = _newest(cluster, run_id)
    if found.over:
        click.echo(f"Workflow {found.name} is over already ({found.phase.lower()})")
        return
    cluster.stop(found.name)
    click.echo(f"stopping Workflow {found.name}")


@click.command()
@cluster_options
def runs(namespace: str | None, context: str | None) -> None:
    """List the runs on a cluster.

    Example: writ runs -n writ
    """
    cluster = Cluster(namespace, context)
    found = cluster.all()
    if not found:
        click.echo(f"no run in namespace {cluster.namespace}")
    for each in found:
        done = sum(step.phase == "Succeeded" for step in each.steps)
        click.echo(f"{each.run_id or '-':<17} {each.phase.lower():<10} {done:>3}/{len(each.steps)} pods  {each.started or '-':<21} {each.name}")


def _newest(cluster: Cluster, run_id: str) -> Submitted:
    found = [each for each in cluster.all() if each.run_id.startswith(run_id) and each.run_id]
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
    return kind(
        f"Workflow {end.name}: step {step.name} failed ({step.message}); `argo logs {end.name}` shows why, and a new submit goes on from there"
    )
