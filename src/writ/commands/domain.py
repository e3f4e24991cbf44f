"""`writ domain`: list, check, show and replay."""

import sys
from pathlib import Path

import click

from writ.domains.registry import BUILT_IN, OpenDomain, open_domain
from writ.domains.sources import snapshots
from writ.errors import ArtifactError, ConfigError
from writ.settings import DomainsConfig

data_option = click.option("--domain-data", metavar="DIR", help="Folder with <domain>/db.json and its kin; without it, a generated database.")


def opened(name: str, data: str | None, seed: int = 7, users: int = 500) -> OpenDomain:
    """A domain by name, or by the folder or module of its code. Raises: ConfigError, ArtifactError."""
    short = Path(name).name if "/" in name else name
    config = DomainsConfig(names=(short,), code={} if name in BUILT_IN else {short: name}, data=data, users=users)
    return open_domain(next(snapshots(config, seed=seed, content="")))


@click.group()
def domain() -> None:
    """List, check, show and replay domains.

    Example: writ domain check retail
    """


@domain.command("list")
def list_() -> None:
    """The built-in domains.

    Example: writ domain list
    """
    for name in BUILT_IN:
        site = opened(name, None, users=1)
        kinds = site.domain.kinds
        click.echo(f"{name:<8} {len(site.snapshot.tools)} tools, {len(kinds)} kinds of wishes, {len(site.domain.rules)} rules")
    click.echo("any other: name its folder (with domain.py) or its module, such as examples/library")


@domain.command()
@click.argument("name")
@data_option
def check(name: str, domain_data: str | None) -> None:
    """Prove a domain sound: writes write, reads do not, refusals leave no trace, schemas are whole, references resolve.

    Example: writ domain check examples/library
    """
    from writ.domains.soundness import findings

    site = opened(name, domain_data)
    problems = 0
    for finding in findings(site):
        problems += not finding.sound
        click.echo(f"{'ok  ' if finding.sound else 'FAIL'} {finding.claim}" + (f": {finding.detail}" if finding.detail else ""))
    if problems:
        raise ArtifactError(f"domain '{name}' is unsound in {problems} ways; mend what is marked FAIL")


@domain.command()
@click.argument("name")
@data_option
def show(name: str, domain_data: str | None) -> None:
    """Tools, rules, kinds of wishes and the size of the database.

    Example: writ domain show airline
    """
    site = opened(name, domain_data)
    click.echo(f"{name} ({site.snapshot.origin})")
    click.echo("tables:  " + ", ".join(f"{table} {len(records):,}" for table, records in site.database.tables.items()))
    click.echo("tools:   " + ", ".join(f"{tool.name} ({tool.kind})" for tool in site.domain.toolkit.tools.values()))
    click.echo("wishes:")
    for kind in site.domain.kinds.values():
        click.echo(f"  {kind.name:<26} -> {', '.join(kind.tools) or 'declined'}")
    click.echo("rules:")
    for rule in site.domain.rules.values():
        click.echo(f"  {rule.id:<26} {rule.clause}" + ("  [transfer]" if rule.transfer else ""))


@domain.command()
@click.argument("name")
@click.argument("file")
@data_option
def replay(name: str, file: str, domain_data: str | None) -> None:
    """Run recorded calls (JSON lines, or - for standard input), each from a fresh database; results as JSON lines on standard output.

    Example: writ domain replay retail calls.jsonl --domain-data tau2-bench
    """
    from writ.domains.replay import replay as replayed

    site = opened(name, domain_data)
    try:
        lines = sys.stdin.buffer if file == "-" else Path(file).open("rb")  # noqa: SIM115 - closed by the `with` below
    except OSError as e:
        raise ConfigError(f"{file} cannot be read ({e.strerror}); name a file of JSON lines, or - for standard input") from e
    with lines:
        for line in replayed(lines, site.domain.toolkit, site.database, source=file):
            sys.stdout.buffer.write(line)
    sys.stdout.flush()
