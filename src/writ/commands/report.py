"""`writ report`: the page of a run, or of two runs side by side."""

import json
import webbrowser
from pathlib import Path
from typing import Any

import click

from writ.commands.configuration import validated
from writ.commands.files import NewFile, write_file
from writ.commands.stored import Stored, find_run
from writ.report.head import Head, domain_facts
from writ.report.index import Index
from writ.report.page import compare_page
from writ.report.stage import index_of, write_report


@click.command()
@click.argument("runs", nargs=-1, required=True, metavar="RUN [OTHER]")
@click.option("--out", metavar="DIR|s3://…", help="The store of the runs (key: out).")
@click.option("--config", "config_file", metavar="FILE", help="Settings as YAML, for a store on S3.")
@click.option("--to", "target", type=NewFile(), metavar="FILE", help="Write the page to this file instead of the store.")
@click.option("--open", "opening", is_flag=True, help="Open the page in a browser.")
def report(runs: tuple[str, ...], out: str | None, config_file: str | None, target: Path | None, opening: bool) -> None:
    """Make a run's page, or one that compares two runs.

    RUN is a run's id or its beginning; STORE/ID names one in another store. The page is one HTML file that needs no network. `writ run` ends with
    the same page; this verb makes it anew, from what the store holds.

    Example: writ report 2b563d --open
    """
    if len(runs) > 2:
        raise click.UsageError(f"{len(runs)} runs are named; a page shows one run, or compares two")
    found = [find_run(name, config_file, out) for name in runs]
    first = found[0]
    name, page = ("report.html", page_of(first)) if len(found) == 1 else (f"compare-{found[1].run.run_id}.html", comparison(*found))
    place = _put(first, name, page, target, opening)
    click.echo(place)
    if opening:
        webbrowser.open(Path(place).absolute().as_uri())


def _put(stored: Stored, name: str, page: bytes, target: Path | None, opening: bool) -> str:
    """Where the page stands now. A browser needs a file: a page of a store on S3 is then written beside the caller too."""
    remote = stored.store.url.startswith("s3://")
    if target is None and remote and opening:
        target = Path(f"{stored.run.run_id}-{name}")
    if target is not None:
        write_file(target, page)
        return str(target)
    key = f"report/{stored.run.keys['report']}/{name}"
    stored.store.put(key, page)
    return f"{stored.store.url}/{key}"


def page_of(stored: Stored) -> bytes:
    """Raises: ArtifactError where a stage of the run is unfinished."""
    emitted: list[bytes] = []
    made = write_report(
        _config(stored),
        domain=stored.records("domain"),
        **_inputs(stored),
        emit=lambda _, page: emitted.append(page),
        certificate=_certificate(stored),
        run_id=stored.run.run_id,
    )
    for _ in made:
        pass
    return emitted[0]


def comparison(one: Stored, other: Stored) -> bytes:
    """The page of two runs side by side."""
    return compare_page([_counted(one), _counted(other)])


def _counted(stored: Stored) -> tuple[dict[str, Any], Index]:
    head = Head(_config(stored), stored.run.run_id)
    head.domains = [domain_facts(snapshot) for snapshot in stored.records("domain")]
    index = index_of(head, **_inputs(stored))
    return head.facts(), index


def _inputs(stored: Stored) -> dict[str, Any]:
    names = {"tasks": "tasks", "instructions": "instructions", "trajectories": "simulate", "verdicts": "verify", "rows": "dataset"}
    return {argument: stored.records(stage) for argument, stage in names.items()}


def _config(stored: Stored) -> Any:
    return validated(stored.run.config, f"run {stored.run.run_id}")


def _certificate(stored: Stored) -> Any:
    return json.loads(stored.store.get(f"dataset/{stored.run.keys['dataset']}/decontamination.json"))
