"""Writes the pages of docs/reference from the code, and the computed blocks of docs/ideas.md. `python docs/reference.py`; `--check` only compares.

What a field means is the docstring under it, read from the source; so the words of the reference live beside the code they describe.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from types import NoneType
from typing import get_args

import click
import houston
from fields import cell, doc, field_docs, is_execution, model_of, plain, type_text
from metrics import PLACES, declared
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from writ import errors, schema
from writ.cli import VERBS, app
from writ.llm import EndpointSettings
from writ.pipeline import BY_NAME
from writ.schema import Record
from writ.settings import RunConfig
from writ.verification.causes import CAUSES, OWNERS
from writ.verification.stage import CHECKS, OUTCOME

DOCS = Path(__file__).parent
MADE = "<!-- Made by `python docs/reference.py`; do not edit. -->\n\n"

UNITS = {
    "usd_": "US dollars",
    "_s": "seconds",
    "_usd": "US dollars",
    "_tokens": "tokens",
    "_bytes": "bytes",
    "_share": "share, 0 to 1",
    "_words": "words",
}
"""Unit by how a key's name begins or ends; the first that fits."""

SUPPLEMENT = {
    "seed": "Seed of the whole run: databases, tasks, instructions and conversations are drawn from it. Same seed, same dataset.",
    "tasks.max_writes": "Most gold writes of one task.",
    "dataset.formats": "Files beside the JSON lines of the artifact: which forms of the dataset are written.",
    "endpoint.top_p": "Nucleus sampling; None: the server's default.",
    "endpoint.usd_per_million_prompt_tokens": "Price of a million prompt tokens in US dollars; 0: not counted.",
    "endpoint.usd_per_million_completion_tokens": "Price of a million completion tokens in US dollars; 0: not counted.",
    "s3.region": "Region of the bucket; None: what boto3's own chain finds.",
    "s3.connect_timeout_s": "Most seconds to open a connection.",
    "s3.read_timeout_s": "Most seconds to wait for the next bytes of an answer.",
    "s3.max_connections": "Connections kept open to the server.",
}
"""Meanings of keys whose field has no docstring; an entry whose field has one is an error (a test says so)."""


def main() -> None:
    stale = [name for name, text in pages().items() if not _path(name).is_file() or _path(name).read_text(encoding="utf-8") != text]
    if "--check" in sys.argv[1:]:
        sys.exit(f"out of date: {', '.join(stale)}; run: python docs/reference.py" if stale else 0)
    for name in stale:
        _path(name).write_text(pages()[name], encoding="utf-8")
        print(f"wrote docs/{name}")


def _path(name: str) -> Path:
    return DOCS / name


@lru_cache(maxsize=1)
def pages() -> Mapping[str, str]:
    """Every generated page, by its path under docs/."""
    bodies = {
        "cli": cli(),
        "configuration": configuration(),
        "records": records(),
        "exit-codes": exit_codes(),
        "checks-and-causes": checks_and_causes(),
        "stages": stages(),
        "metrics": metrics(),
    }
    made = {f"reference/{name}.md": MADE + "\n".join(lines).rstrip() + "\n" for name, lines in bodies.items()}
    ideas = (DOCS / "ideas.md").read_text(encoding="utf-8")
    return {**made, "ideas.md": with_blocks(ideas, houston.parts())}


def with_blocks(text: str, blocks: Mapping[str, str]) -> str:
    """Fills each fenced block that follows `<!-- houston: NAME -->`. Raises: KeyError for a name without a block."""
    return re.sub(
        r"(<!-- houston: (\w+) -->\n```text\n).*?(```\n)",
        lambda match: f"{match[1]}{blocks[match[2]]}\n{match[3]}",
        text,
        flags=re.DOTALL,
    )


def metrics() -> Iterator[str]:
    yield "# Metrics\n"
    yield (
        "For Prometheus. A stage exports them where [`metrics_port`](configuration.md) is set; the chart's dashboards and alerts ask for these names."
        " A histogram has `_bucket`, `_sum` and `_count`.\n"
    )
    for place, title in PLACES.items():
        yield f"## {title}\n"
        yield "| metric | kind | labels | what it counts |\n|---|---|---|---|"
        for metric in declared():
            if metric.where == place:
                yield f"| `{metric.name}` | {metric.kind} | {', '.join(f'`{label}`' for label in metric.labels)} | {metric.words} |"
        yield ""


# ------------------------------------------------------------------------------------------------------------------------- command line


def cli() -> Iterator[str]:
    yield "# Command line\n"
    yield "Every verb takes `--help`. What it ends with: [exit codes](exit-codes.md). Keys for `--set`: [configuration](configuration.md).\n"
    yield "| verb | what it does |\n|---|---|"
    yield from (f"| [`writ {name}`](#writ-{name}) | {line} |" for name, (_, line) in VERBS.items())
    yield ""
    for path, command in commands():
        yield from _command(path, command)


def commands(group: click.Group = app, path: str = "writ") -> Iterator[tuple[str, click.Command]]:
    """Every verb and every verb below it, with the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


def _command(path: str, command: click.Command) -> Iterator[str]:
    yield f"{'#' * (path.count(' ') + 1)} {path}\n"
    context = click.Context(command, info_name=path)
    if not isinstance(command, click.Group):
        yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```\n"
    text, _, example = inspect.cleandoc(command.help or "").partition("Example: ")
    yield text.strip() + "\n"
    if example:
        yield f"```bash\n{' '.join(example.split())}\n```\n"
    options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
    if options:
        yield "| option | default | meaning |\n|---|---|---|"
        yield from (_option(option, context) for option in options)
        yield ""


def _option(option: click.Option, context: click.Context) -> str:
    metavar = "" if option.is_flag else f" {option.make_metavar(context)}"
    default = "required" if option.required else plain(option.get_default(context)) if option.show_default else ""
    return f"| `{cell(', '.join(option.opts) + metavar)}` | {default} | {cell(option.help or '')} |"


# ------------------------------------------------------------------------------------------------------------------------ configuration


def configuration() -> Iterator[str]:
    yield "# Configuration\n"
    yield textwrap.dedent("""\
        A run's settings are one tree. `writ run --config FILE` reads it as YAML; `--set KEY=VALUE` overrides one key, such as
        `--set dataset.count=500`. What you leave out has the default below, and all defaults together run offline. An unknown key is an error that
        names the keys which are allowed there.

        The column *changes* says what a key does to artifacts. **what is made**: it enters the keys of the stages that read it, so a new value makes
        them anew. **how it runs**: it enters no key; finished work is reused whatever its value. `None` in a meaning is YAML's `null`.

        Sections that belong to a verb of their own, such as `evaluation`, enter the keys of what that verb makes, and none of `writ run`.
        """)
    yield from _section("", RunConfig, running=False)
    yield "## An endpoint\n"
    yield f"{doc(EndpointSettings)}\n"
    yield f"These keys stand under {_listed(f'`{name}`' for name in endpoints())}.\n"
    yield from _table("endpoint", EndpointSettings, running=False)


def _section(prefix: str, model: type[BaseModel], running: bool) -> Iterator[str]:
    """A table of the plain keys of a model, then one section per model below it."""
    if prefix:
        yield f"## {prefix}\n"
        yield f"{doc(model)}\n"
    else:
        yield "## Top level\n"
    yield from _table(prefix, model, running)
    for name, field in model.model_fields.items():
        below = model_of(field)
        if below not in (None, EndpointSettings):
            yield from _section(f"{prefix}.{name}" if prefix else name, below, running or (is_execution(field) and not own_verb(below)))


def _table(prefix: str, model: type[BaseModel], running: bool) -> Iterator[str]:
    yield "| key | type | default | changes | meaning |\n|---|---|---|---|---|"
    for name, field in model.model_fields.items():
        if model_of(field) not in (None, EndpointSettings):
            continue
        key = f"{prefix}.{name}" if prefix and prefix != "endpoint" else name
        changes = "how it runs" if running or is_execution(field) else "what is made"
        yield f"| `{key}` | {_typed(field, name)} | {_default(field)} | {changes} | {cell(meaning(prefix, model, name))} |"
    yield ""


def own_verb(model: type[BaseModel]) -> bool:
    """Whether a section that enters no key of a run says itself which of its keys are execution: those of another verb, such as `writ evaluate`."""
    return any(is_execution(field) for field in model.model_fields.values())


def meaning(prefix: str, model: type[BaseModel], name: str) -> str:
    """The docstring under a field, else its entry in SUPPLEMENT, else nothing."""
    return field_docs(model).get(name, "") or SUPPLEMENT.get(f"{prefix}.{name}" if prefix else name, "")


def settings(prefix: str = "", model: type[BaseModel] = RunConfig) -> Iterator[tuple[str, type[BaseModel], str]]:
    """Every key of the tree: section, its model, name. Those of an endpoint come once, under `endpoint`."""
    for name, field in model.model_fields.items():
        below = model_of(field)
        if below in (None, EndpointSettings):
            yield prefix, model, name
        else:
            yield from settings(f"{prefix}.{name}" if prefix else name, below)
    if model is RunConfig:
        yield from settings("endpoint", EndpointSettings)


def endpoints() -> tuple[str, ...]:
    """Keys that hold an endpoint."""
    return tuple(f"{prefix}.{name}" for prefix, model, name in settings() if model_of(model.model_fields[name]) is EndpointSettings)


def _typed(field: FieldInfo, name: str) -> str:
    """Type, bounds and unit of a field."""
    if model_of(field) is not None:
        return "[endpoint](#an-endpoint)" + (" or null" if NoneType in get_args(field.annotation) else "")
    bounds = [f"{sign} {getattr(rule, word)}" for rule in field.metadata for word, sign in SIGNS.items() if getattr(rule, word, None) is not None]
    unit = next((unit for part, unit in UNITS.items() if name.startswith(part) or name.endswith(part)), "")
    return ", ".join((type_text(field.annotation), *bounds, *([unit] if unit else [])))


SIGNS = {"gt": "&gt;", "ge": "&ge;", "lt": "&lt;", "le": "&le;"}


def _default(field: FieldInfo) -> str:
    if model_of(field) is not None:
        default = field.get_default()
        return "null" if default is None else f"model `{default.model}`"
    return "required" if field.is_required() else plain(field.get_default(call_default_factory=True))


# ------------------------------------------------------------------------------------------------------------------------------ records


def records() -> Iterator[str]:
    yield "# Records\n"
    yield textwrap.dedent(f"""\
        What stages exchange, from `src/writ/schema.py` (schema version {schema.SCHEMA_VERSION}). An artifact is a list of one of these, one JSON
        object per line, in zstd-compressed parts. All are closed: an unknown field is an error. A field without a default must be there.
        """)
    for record in record_types():
        yield f"## {record.__name__}\n"
        yield f"{doc(record)}\n"
        writers = [stage.name for stage in BY_NAME.values() if stage.writes is record]
        if writers:
            yield f"Written by the stage `{writers[0]}`.\n"
        yield "| field | type | default | meaning |\n|---|---|---|---|"
        for name, field in record.model_fields.items():
            yield f"| `{name}` | {_record_type(field)} | {_record_default(field)} | {cell(field_docs(record).get(name, ''))} |"
        yield ""


def record_types() -> Iterator[type[Record]]:
    """All records of schema.py, in the order of the file."""
    for value in vars(schema).values():
        if isinstance(value, type) and issubclass(value, Record) and value is not Record and value.__module__ == schema.__name__:
            yield value


def _record_type(field: FieldInfo) -> str:
    """The type; one that holds a record leads to it."""
    text, record = type_text(field.annotation), model_of(field)
    return text if record is None else f"[{text}](#{record.__name__.lower()})"


def _record_default(field: FieldInfo) -> str:
    if field.is_required():
        return ""
    value = field.get_default(call_default_factory=True)
    return "all defaults" if isinstance(value, BaseModel) else plain(value)


# --------------------------------------------------------------------------------------------------- exit codes, checks, causes, stages


def exit_codes() -> Iterator[str]:
    yield "# Exit codes\n"
    yield "A verb that fails prints one line on standard error: the error's type, its subject, the fact, and the next action.\n"
    yield "| code | error | what it means | what to do |\n|---|---|---|---|"
    yield "| 0 | | it is done | |"
    for name, kind, fact in error_types():
        yield f"| {kind.exit_code} | `{name}` | {cell(fact)} | {NEXT.get(name, NEXT[kind.exit_code])} |"
    yield "| 130 | | interrupted (Ctrl-C) | the same command goes on |\n"
    yield "Any other code is a fault of writ itself, with a traceback: please report it.\n"


NEXT: Mapping[str | int, str] = {
    2: "mend what the line names; nothing was made",
    3: "mend or remove the artifact that the line names, or make it anew",
    75: "run the same command again later; what is finished is kept",
    137: "run the same command with more memory; Argo does so by itself; what is finished is kept",
    "YieldError": "the funnel names the causes of loss: mend the commonest, or lower the share; the dataset stands",
    "BudgetReached": "run the same command with a larger budget; what is finished is kept",
}
"""What a person does next, by exit code; an error's own name goes first."""


def error_types() -> Iterator[tuple[str, type[errors.WritError], str]]:
    """The errors that leave a verb: name, class, fact, read off the tree that errors.py draws."""
    for name, fact in re.findall(r"[├└]── (\w+) +exit \d+ +(.+)", errors.__doc__ or ""):
        yield name, getattr(errors, name), fact


def checks_and_causes() -> Iterator[str]:
    yield "# Checks and causes\n"
    yield textwrap.dedent("""\
        Every check runs on every conversation. A conversation is *kept* if all required checks pass (`verification.required`; all by default).
        `writ stages --checks` prints the same lists.
        """)
    yield "## Checks\n\n| check | part of the reward | what it asks |\n|---|---|---|"
    for name, check in CHECKS.items():
        said = (inspect.getdoc(check) or "").split("\n\n")[0]
        yield f"| `{name}` | {'yes' if name in OUTCOME else ''} | {cell(said or CHECK_WORDS.get(name, ''))} |"
    yield "\n## Causes of loss\n"
    yield "A lost conversation has one cause: that of the first failed check by owner, in this order. So an agent is not blamed for what a server,"
    yield "the environment, the task or the user did before.\n"
    for owner in OWNERS:
        yield f"### {owner}\n\n| cause | meaning |\n|---|---|"
        yield from (f"| `{name}` | {cell(cause.meaning)} |" for name, cause in CAUSES.items() if cause.owner == owner)
        yield ""


CHECK_WORDS = {"grounding": "Every argument of every write comes from somewhere: said, shown, or derived by a formula of the domain."}
"""Of checks that are declared without a docstring."""


def stages() -> Iterator[str]:
    yield "# Stages\n"
    yield "The table is `STAGES` in `src/writ/pipeline.py`; `writ stages` prints it. A stage whose artifact stands is skipped. When its code gives"
    yield "another output for equal input, its revision rises and the artifact is made anew.\n"
    yield "The last three belong to `writ train` and `writ evaluate`.\n"
    yield "| stage | reads | writes | files beside | image | revision |\n|---|---|---|---|---|---|"
    for stage in BY_NAME.values():
        writes = f"[`{stage.writes.__name__}`](records.md#{stage.writes.__name__.lower()})" if stage.writes is not Record else "no records"
        reads = ", ".join(f"`{source}`" for source in stage.reads.values()) or "settings"
        files = ", ".join(f"`{name}`" for name in stage.files)
        yield f"| `{stage.name}` | {reads} | {writes} | {files} | `writ-{stage.image or stage.name}` | {stage.revision} |"


def _listed(names: Sequence[str] | Iterator[str]) -> str:
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


if __name__ == "__main__":
    main()
