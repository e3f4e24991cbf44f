"""`writ pod`: the entry point of the pipeline's containers."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import yaml

from writ.artifacts import read_manifest
from writ.commands.configuration import from_file, over, validated
from writ.commands.evaluate import Sidecar, evaluate_pod
from writ.commands.progress import Display
from writ.commands.run import keys_of
from writ.commands.train import packages, trained
from writ.errors import ConfigError
from writ.pipeline import TRAIN, Plan, key_of
from writ.pipeline import plan as planned
from writ.runners.execute import Listener
from writ.runners.launch import launch
from writ.runners.pods import MODEL_PODS, PODS, Pod, heartbeat, open_run, progress_file, release_run, run_pod, show
from writ.runners.train import fetch
from writ.settings import RunConfig
from writ.storage import open_store


@click.command()
@click.argument("name", type=click.Choice(["plan", *PODS, *MODEL_PODS, "release", "reap"]))
@click.option("--config-text", default="", help="The run's settings as YAML text.")
@click.option("--platform", "platform_file", metavar="FILE", help="The platform's own settings (endpoints, S3), under the run's; may be absent.")
@click.option("--out", required=True, metavar="s3://…", help="The store of artifacts.")
@click.option("--outputs", default="out", show_default=True, type=click.Path(path_type=Path), help="Folder for files that Argo carries on.")
@click.option("--owner", default="", help="The Workflow, as NAMESPACE/UID; it holds the run's lease.")
@click.option("--shard", default=0, show_default=True, help="Which shard of a simulation this is, from 0.")
@click.option("--shards", default=1, show_default=True, help="How many shards the simulation has.")
@click.option("--wait-s", default=80000.0, show_default=True, help="Seconds that `plan` waits for another Workflow of the same run.")
@click.option(
    "--server", default="", metavar="URL", help="A server in this pod: `evaluate` measures each model that it serves, and evaluation.models."
)
@click.option("--server-wait-s", default=1800.0, show_default=True, help="Seconds that `evaluate` waits for that server.")
@click.option("--gpu-wait-s", default=1800.0, show_default=True, help="Seconds that `launch` waits for a pod that trains.")
@click.option("--progress-file", envvar="ARGO_PROGRESS_FILE", type=click.Path(path_type=Path), hidden=True)
def pod(
    name: str,
    config_text: str,
    platform_file: str | None,
    out: str,
    outputs: Path,
    owner: str,
    shard: int,
    shards: int,
    wait_s: float,
    server: str,
    server_wait_s: float,
    gpu_wait_s: float,
    progress_file: Path | None,
) -> None:
    """Run what one container of the Argo pipeline runs; `reap`: what the reaper's CronJob runs.

    Example: writ pod plan --out s3://bucket/writ --config-text '{dataset: {count: 500}}'
    """
    config = _config(config_text, platform_file, out)
    if name == "reap":
        _reap(config)
        return
    if not 0 <= shard < shards <= 256:
        raise ConfigError(f"--shard {shard} --shards {shards}: there are 1 to 256 shards, numbered from 0")
    here = Pod(config, planned(config), open_store(out, s3=config.s3), outputs, owner)
    if name == "plan":
        open_run(here, shards, click.echo, wait_s=wait_s)
    elif name == "release":
        release_run(here, click.echo)
    elif name in MODEL_PODS:
        _model_pod(here, name, config_text, Sidecar(server, server_wait_s), gpu_wait_s)
    else:
        with Display(plain=True, log=config.log) as display:
            listen = _listener(display, progress_file, config, name, shards)
            click.echo(run_pod(here, name, listen, keys_of(config), shard=shard, shards=shards).model_dump_json())


def _model_pod(here: Pod, name: str, text: str, sidecar: Sidecar, gpu_wait_s: float) -> None:
    """What comes after the dataset: its packages are imported by the pod that has them."""
    plan = Plan({**here.plan.keys, TRAIN.name: key_of(TRAIN, here.config, here.plan.keys)})
    with heartbeat(here), Display(plain=True, log=here.config.log) as display:
        if name == "launch":
            from writ.jobs.cluster import ClusterJobs

            jobs = ClusterJobs(here.owner.rpartition("/")[0] or "default")
            launch(here.config, plan, here.store, jobs, click.echo, text=text, owner=here.owner, run=here.plan.run_id, wait_s=gpu_wait_s)
        elif name == "train":
            trained(here.config, plan, here.store, display.listen)
        elif name == "weights":
            _weights(here, plan.keys[TRAIN.name])
            return
        else:
            evaluate_pod(replace(here, plan=plan), sidecar, display)
            return
    manifest = read_manifest(here.store, TRAIN.name, plan.keys[TRAIN.name])
    if manifest is not None:
        show(replace(here, plan=plan), manifest)


def _weights(here: Pod, key: str) -> None:
    """The model just trained, and beside it the one before, where that can be made here: a model of a hub is fetched by whoever serves it."""
    fetch(here.store, key, here.outputs / "tuned")
    if here.config.training.model == "tiny":
        packages()
        from writ.training.sft import save_base

        save_base(here.config.training, here.outputs / "tuned", here.outputs / "base")


def _reap(config: RunConfig) -> None:
    """What the reaper's CronJob does: the only one here that asks a cluster, with its service account."""
    from writ.runners.kubernetes_api import KubernetesApi
    from writ.runners.reaper import reap

    api = KubernetesApi()
    count = reap(api, config.out, lambda url: open_store(url, s3=config.s3), click.echo, time.time())
    click.echo(f"namespace {api.namespace}: {count} things of Workflows that are over removed")


def _listener(display: Display, progress: Path | None, config: RunConfig, name: str, shards: int) -> Listener:
    total = max(1, config.dataset.count // (shards if name == "simulate" else 1))
    return progress_file(progress, total, display.listen) if progress else display.listen


def _config(text: str, platform_file: str | None, out: str) -> RunConfig:
    """The run's settings over the platform's. Raises: ConfigError."""
    run = _tree(text, "the parameter `config`")
    base = from_file(platform_file) if platform_file and Path(platform_file).exists() else {}
    return validated(over(base, run) | {"out": out}, "the parameter `config`")


def _tree(text: str, source: str) -> dict[str, Any]:
    try:
        tree = yaml.safe_load(text) or {}
    except yaml.YAMLError as e:
        raise ConfigError(f"{source} is not YAML ({' '.join(str(e).split())}); mend it") from e
    if not isinstance(tree, dict):
        raise ConfigError(f"{source} holds a {type(tree).__name__}, not keys and values; see examples/")
    return tree
