"""The one place where settings are read: a YAML file, `--set KEY=VALUE`, and options that stand for a key."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

import click
import yaml
from pydantic import BaseModel, SecretStr, ValidationError

from writ.errors import ConfigError
from writ.llm import EndpointSettings
from writ.settings import RunConfig

F = TypeVar("F", bound=Callable[..., Any])


def keys(model: Any = RunConfig, prefix: str = "") -> Iterator[str]:
    """Every key of the settings, such as `dataset.count`."""
    for name, field in model.model_fields.items():
        inner = [part for part in (field.annotation, *get_args(field.annotation)) if isinstance(part, type) and issubclass(part, BaseModel)]
        yield from keys(inner[0], f"{prefix}{name}.") if inner else (f"{prefix}{name}",)


def complete_key(context: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What the Tab key offers behind --set."""
    return [f"{key}=" for key in keys() if key.startswith(incomplete)]


def config_options(command: F) -> F:
    """The options that every verb with a run's settings has."""
    options = (
        click.option("--config", "config_file", metavar="FILE", help="Settings as YAML; what it leaves out has a default that runs offline."),
        click.option(
            "--set",
            "sets",
            multiple=True,
            metavar="KEY=VALUE",
            shell_complete=complete_key,
            help="Override one key, such as dataset.count=500; may repeat.",
        ),
        click.option("--out", metavar="DIR|s3://…", help="The store of artifacts (key: out)."),
        click.option("--domain-data", metavar="DIR", help="Folder with a benchmark's <domain>/db.json and its kin (key: domains.data)."),
    )
    for option in reversed(options):
        command = option(command)
    return command


def read_config(
    config_file: str | None, sets: Sequence[str], out: str | None = None, domain_data: str | None = None, platform_file: str | None = None
) -> RunConfig:
    """One frozen tree. `platform_file`: settings of an installation, which go beneath. Raises: ConfigError naming key, value and what is allowed."""
    tree = from_file(config_file) if config_file else {}
    if platform_file:
        tree = over(from_file(platform_file), tree)
    for text in sets:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text}: no '='; write --set dataset.count=500")
        _put(tree, key.strip().split("."), _value(key, value))
    if out is not None:
        tree["out"] = out
    if domain_data is not None:
        _put(tree, ["domains", "data"], domain_data)
    return validated(tree, config_file or "the settings")


def validated(tree: Mapping[str, Any], source: str) -> RunConfig:
    """Raises: ConfigError for the first key that does not fit, names of checks and faults included."""
    try:
        config = RunConfig.model_validate(tree)
    except ValidationError as e:
        raise ConfigError(_complaint(e, source)) from e
    if config.verification.required:
        from writ.verification.stage import required_checks

        required_checks(config.verification)
    if config.simulation.faults:
        from writ.simulation.scripted.faults import checked

        checked(config.simulation.faults)
    return config


def known_domains(config: RunConfig) -> None:
    """For verbs that foretell a run without opening its domains. Raises: ConfigError for a name that no code stands behind."""
    from writ.domains.registry import load_domain

    for name in config.domains.names:
        load_domain(config.domains.code.get(name, name))


def from_file(name: str) -> dict[str, Any]:
    """What a file of settings holds. Raises: ConfigError."""
    try:
        tree = yaml.safe_load(Path(name).read_text(encoding="utf-8"))
    except OSError as e:
        raise ConfigError(f"config file '{name}' cannot be read ({e.strerror}); name an existing YAML file") from e
    except UnicodeDecodeError as e:
        raise ConfigError(f"config file '{name}' is not UTF-8 (byte {e.start}); save it as UTF-8") from e
    except yaml.YAMLError as e:
        raise ConfigError(f"config file '{name}' is not YAML ({' '.join(str(e).split())}); mend it") from e
    if tree is not None and not isinstance(tree, dict):
        raise ConfigError(f"config file '{name}' holds a {type(tree).__name__}, not keys and values; see examples/")
    return tree or {}


def over(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees; where both say something, what `top` says."""
    merged = dict(base)
    for key, value in top.items():
        nested = isinstance(value, dict) and isinstance(merged.get(key), dict)
        merged[key] = over(merged[key], value) if nested else value
    return merged


def _value(key: str, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as e:
        raise ConfigError(f"--set {key}={text}: the value is not YAML; quote it") from e


def _put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        node = tree.setdefault(name, {})
        if not isinstance(node, dict):
            raise ConfigError(f"key '{'.'.join(path)}': '{name}' is a value, not a section; see `writ run --help`")
        tree = node
    tree[path[-1]] = value


def _complaint(e: ValidationError, source: str) -> str:
    error = e.errors(include_url=False)[0]
    key = ".".join(str(part) for part in error["loc"] if part != "[key]") or "(top)"
    if error["type"] == "extra_forbidden":
        return f"{source}: there is no key '{key}'; {_neighbours(error['loc'])}"
    wanted = error["msg"].removeprefix("Value error, ").replace("Input should be", "it should be")
    return f"{source}: key '{key}' is {error['input']!r}, which does not fit: {wanted}; set it so (docs/reference/configuration.md)"


def _neighbours(path: Sequence[int | str]) -> str:
    """The keys that are allowed where an unknown one was met; the likely one first."""
    model: Any = RunConfig
    for part in path[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = getattr(field, "annotation", None)
    names = list(getattr(model, "model_fields", ()))
    close = get_close_matches(str(path[-1]), names, 1)
    prefix = "".join(f"{part}." for part in path[:-1])
    meant = f"did you mean '{prefix}{close[0]}'? " if close else ""
    return f"{meant}allowed here: {', '.join(names)}" if names else "docs/reference/configuration.md lists the keys"


def api_key(endpoint: EndpointSettings) -> SecretStr | None:
    """The endpoint's key, from the environment variable that its settings name."""
    value = os.environ.get(endpoint.api_key_env) if endpoint.api_key_env else None
    return SecretStr(value) if value else None
