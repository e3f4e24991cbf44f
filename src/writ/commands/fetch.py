"""`writ model fetch`: the weights of a model that another server will serve."""

import os
from pathlib import Path

import click
from pydantic import SecretStr, ValidationError

from writ.errors import ConfigError
from writ.runners.weights import Folder, Hub, Source
from writ.runners.weights import fetch as fetched
from writ.storage import S3Settings, open_store


@click.command()
@click.argument("source", metavar="SOURCE")
@click.option("--revision", default="", help="Commit or branch of the hub; of a store's folder, the checksum of its SHA256SUMS or its beginning.")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="The folder to fill.")
@click.option("--hub", default="https://huggingface.co", show_default=True, metavar="URL", help="The hub, or a mirror of it.")
@click.option("--token-env", default="HF_TOKEN", show_default=True, help="Environment variable with the hub's token, where one is needed.")
@click.option("--s3", "s3_settings", default="{}", metavar="JSON", help="How to reach S3, as the key s3 of the settings.")
def fetch(source: str, revision: str, folder: Path, hub: str, token_env: str, s3_settings: str) -> None:
    """Fill a folder with a model's weights, once, each file checked; `_COMPLETE` in it says what stands there.

    SOURCE is hf://ORG/NAME, or a folder of a store (s3://…, or a path) with a SHA256SUMS beside its files.

    Example: writ model fetch hf://Qwen/Qwen3-4B-Instruct-2507 --revision main --to /models/qwen3-4b
    """
    token = os.environ.get(token_env)
    chosen: Source
    if source.startswith("hf://"):
        chosen = Hub(source.removeprefix("hf://"), hub, SecretStr(token) if token else None)
    else:
        chosen = Folder(open_store(source, s3=s3_of(s3_settings)))
    fetched(chosen, revision or ("main" if source.startswith("hf://") else ""), folder, click.echo)


def s3_of(text: str) -> S3Settings:
    """The settings that `--s3` gives as JSON. Raises: ConfigError with the key at fault."""
    try:
        return S3Settings.model_validate_json(text)
    except ValidationError as e:
        error = e.errors(include_url=False)[0]
        key = ".".join(map(str, error["loc"])) or "text"
        raise ConfigError(f'--s3 {text}: {key}: {error["msg"]}; write --s3 \'{{"endpoint_url": "http://host:8333"}}\'') from e
