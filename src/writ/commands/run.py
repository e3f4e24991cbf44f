"""`writ run`, `plan`, `stages` and `stage`."""

import json

import click

from writ.commands.configuration import api_key, config_options, known_domains, read_config
from writ.commands.progress import Display
from writ.commands.summary import summarize
from writ.errors import ConfigError, YieldError
from writ.pipeline import BY_NAME, STAGES
from writ.pipeline import plan as planned
from writ.runners.local import Finished, run_stage
from writ.runners.local import run as run_locally
from writ.runners.simulate import Keys, join
from writ.settings import RunConfig
from writ.storage import open_store


@click.command()
@config_options
@click.option("--plain", is_flag=True, help="Plain lines instead of a live display.")
def run(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None, plain: bool) -> None:
    """Make verified conversations: every stage, on this machine.

    Without settings it is offline: generated databases, and the embedded scripted model as agent and user. What is finished is skipped; what was
    interrupted goes on.

    Example: writ run --domain-data tau2-bench --set dataset.count=2000
    """
    config = read_config(config_file, sets, out, domain_data)
    with Display(plain=plain, log=config.log) as display:
        finished = run_locally(config, display.listen, keys_of(config))
    summarize(finished, config.dataset.count)
    _check_yield(config, finished)


def keys_of(config: RunConfig) -> Keys:
    """API keys of the endpoints, from the environment variables that the settings name."""
    sides, judge = config.simulation, config.verification.judge
    return Keys(api_key(sides.agent), api_key(sides.user), api_key(config.instructions.paraphraser), api_key(judge) if judge else None)


def _check_yield(config: RunConfig, finished: Finished) -> None:
    attempted, kept = finished.manifests["simulate"].records, finished.manifests["dataset"].records
    if attempted and kept / attempted < config.dataset.min_kept_share:
        raise YieldError(
            f"kept {kept} of {attempted} conversations, below dataset.min_kept_share={config.dataset.min_kept_share:g}; "
            "the funnel above names the causes of loss; mend the commonest, or lower the share"
        )


@click.command()
@config_options
def plan(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None) -> None:
    """Show what a run would reuse and what it would make, without making it.

    Example: writ plan --set dataset.count=500
    """
    from writ.artifacts import read_manifest

    config = read_config(config_file, sets, out, domain_data)
    known_domains(config)
    store, keys = open_store(config.out, s3=config.s3), planned(config)
    click.echo(f"run {keys.run_id} in {store.url}")
    for stage in STAGES:
        manifest = read_manifest(store, stage.name, keys.keys[stage.name])
        state = f"reuse   {manifest.records} records" if manifest else "make"
        click.echo(f"  {stage.name:<13} {keys.keys[stage.name]}  {state}")


@click.command()
@click.option("--checks", is_flag=True, help="The checks of verification and the causes of loss instead.")
def stages(checks: bool) -> None:
    """Print the stage table.

    Example: writ stages
    """
    if checks:
        from writ.verification.causes import CAUSES
        from writ.verification.stage import CHECKS

        click.echo("checks: " + ", ".join(CHECKS))
        for name, cause in CAUSES.items():
            click.echo(f"  {name:<22} {cause.owner:<15} {cause.meaning}")
        return
    click.echo(f"{'stage':<13} {'reads':<58} {'writes':<15} {'image':<13} revision")
    for stage in STAGES:
        reads = ", ".join(stage.reads.values()) or "settings"
        click.echo(f"{stage.name:<13} {reads:<58} {stage.writes.__name__:<15} writ-{stage.image or stage.name:<8} {stage.revision}")


@click.command()
@click.argument("name", type=click.Choice([stage.name for stage in STAGES]))
@config_options
@click.option("--shard", default=0, show_default=True, help="Which shard of a simulation this is, from 0.")
@click.option("--shards", default=1, show_default=True, help="How many shards the simulation has.")
@click.option("--join", "joining", is_flag=True, help="Join the finished shards of the simulation instead.")
def stage(
    name: str,
    config_file: str | None,
    sets: tuple[str, ...],
    out: str | None,
    domain_data: str | None,
    shard: int,
    shards: int,
    joining: bool,
) -> None:
    """Run one stage; what a container of the pipeline does. Prints the manifest as JSON.

    Example: writ stage tasks --config run.yaml --out s3://bucket/writ
    """
    config = read_config(config_file, sets, out, domain_data)
    if not 0 <= shard < shards or (shards > 1 and name != "simulate"):
        raise ConfigError(f"--shard {shard} --shards {shards}: shards are numbered from 0, and only 'simulate' has them")
    store, keys = open_store(config.out, s3=config.s3), planned(config)
    if joining and name != "simulate":
        raise ConfigError(f"--join: stage '{name}' has no shards; only 'simulate' has")
    if joining:
        manifest = join(keys, store, shards)
    else:
        with Display(plain=True, log=config.log) as display:
            manifest = run_stage(BY_NAME[name], config, keys, store, display.listen, keys_of(config), shard=shard, shards=shards)
    click.echo(json.dumps(manifest.model_dump(mode="json")))
