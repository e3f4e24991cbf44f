"""What the documents tell a reader to type works: verbs and options exist, settings are valid, links lead somewhere; the cheap ones are run."""

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import NamedTuple

import click
import pytest
import yaml

from writ.artifacts import list_runs
from writ.cli import app
from writ.commands.configuration import read_config, validated
from writ.pipeline import plan
from writ.runners.execute import read_stage
from writ.settings import RunConfig
from writ.storage import open_store

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCED = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")
SHELL = ("", "bash", "sh", "console")
LIBRARY = ["domains.names=[library]", "domains.code={library: examples/library}", "domains.users=80", "dataset.count=8", "tasks.workers=1"]
OWN_FILE = "run.yaml"
"""What pages call the reader's own file; every other file of settings lies in the repository."""
RUN = {"run", "plan", "stage", "stages", "show", "report", "domain"}
"""Verbs that are run for real, over the library desk; the others need a model, a benchmark's files or a minute."""


class Command(NamedTuple):
    page: str
    words: tuple[str, ...]


def fenced():
    for page in PAGES:
        for language, block in FENCED.findall(page.read_text(encoding="utf-8")):
            if language in SHELL:
                whole = block.replace("\\\n", " ")  # a line that goes on
                for text in re.findall(r"(?:^|[;&|] *|until |\$ )(writ [^;|&\n]*)", whole, re.MULTILINE):
                    yield Command(str(page.relative_to(ROOT)), tuple(shlex.split(text, comments=True)[1:]))


def inline():
    for page in PAGES:
        prose = FENCED.sub("", page.read_text(encoding="utf-8"))
        for text in INLINE.findall(prose):
            if text.startswith("writ ") and "…" not in text:
                yield Command(str(page.relative_to(ROOT)), tuple(text.split()[1:]))


COMMANDS = list(dict.fromkeys(fenced()))
MENTIONED = list(dict.fromkeys(inline()))


def names(commands):
    return [f"{command.page}: {' '.join(command.words)}" for command in commands]


def found(words):
    """The command that the words call, and what is left of them."""
    command, rest = app, list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        below = command.get_command(click.Context(command), rest[0])
        assert below is not None, f"there is no verb '{rest[0]}'"
        command, rest = below, rest[1:]
    return command, rest


@pytest.mark.parametrize("command", COMMANDS, ids=names(COMMANDS))
def test_command_of_a_page_parses_and_its_settings_are_valid(command):
    verb, rest = found(command.words)
    params = verb.make_context("writ", rest).params
    if "sets" in params:
        file = params["config_file"] if params["config_file"] != OWN_FILE else None
        read_config(file and str(ROOT / file), params["sets"])


@pytest.mark.parametrize("command", MENTIONED, ids=names(MENTIONED))
def test_command_that_is_mentioned_has_its_verb_and_options(command):
    verb, rest = found(command.words)
    known = {name for param in verb.params for name in (*param.opts, *param.secondary_opts)} | {"--help", "-h", "--version"}
    assert {word.partition("=")[0] for word in rest if word.startswith("-")} <= known


def test_every_verb_of_the_command_line_is_shown_in_a_page():
    shown = {command.words[0] for command in COMMANDS}
    assert shown >= set(app.list_commands(click.Context(app)))


def test_make_targets_and_scripts_that_pages_name_exist():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        assert set(re.findall(r"(?:`|^)make ([a-z0-9-]+)", text, re.MULTILINE)) <= targets, page.name
        assert [name for name in re.findall(r"`python ([\w/]+\.py)", text) if not (ROOT / name).is_file()] == []


@pytest.mark.long
def test_readme_shows_the_keys_of_a_run_of_today():
    shown = dict(re.findall(r"^(run|dataset|report) +(?:….*?/(?:dataset|report)/)?(\w{16})", (ROOT / "README.md").read_text(), re.MULTILINE))
    today = plan(RunConfig())
    assert shown == {"run": today.run_id, "dataset": today.keys["dataset"], "report": today.keys["report"]}, (
        "a revision or a default setting changed: type 'make run' in a fresh clone and put what it prints into README.md"
    )


def snippets():
    for page in PAGES:
        for language, block in FENCED.findall(page.read_text(encoding="utf-8")):
            if language == "yaml" and not block.lstrip().startswith("apiVersion"):
                yield page, yaml.safe_load(block)


@pytest.mark.parametrize(("page", "tree"), list(snippets()), ids=lambda value: value.name if isinstance(value, Path) else "")
def test_settings_of_a_page_are_valid(page, tree):
    validated(tree, page.name)


def links(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    return [link.partition("#") for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


def anchors(page):
    titles = re.findall(r"^#+ (.+)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page_lead_to_files_and_headings(page):
    for path, _, anchor in links(page):
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_every_page_is_in_the_contents():
    contents = (ROOT / "docs" / "index.md").read_text()
    entries = [line for block in re.findall(r"```{toctree}\n(.*?)```", contents, re.DOTALL) for line in block.splitlines() if line[:1].isalpha()]
    pages = [str(page.relative_to(ROOT / "docs").with_suffix("")) for page in PAGES if "docs" in page.relative_to(ROOT).parts]
    assert [page for page in pages if page != "index" and not any(fnmatch(page, entry) for entry in entries)] == []


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with one finished run of the library desk."""
    folder = str(tmp_path_factory.mktemp("store"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        call(["run", "--plain"], folder)
    return folder


def call(words, folder):
    """Runs a command over the library desk in the folder. Raises where the command fails."""
    verb, _ = found(words)
    options = {param.name for param in verb.params}
    words = [word for word in words if word != "--open"]
    if "sets" in options:
        words += [word for text in LIBRARY for word in ("--set", text)]
    if "out" in options:
        words += ["--out", folder]
    if "plain" in options:
        words += ["--plain"]
    app.main(words, prog_name="writ", standalone_mode=False)


def placeholders(folder):
    """What stands for the ids in capitals."""
    store = open_store(folder)
    run = next(iter(list_runs(store)))
    conversation = next(iter(read_stage(store, run.keys, "simulate")))
    return {"RUN": run.run_id, "TASK": conversation.task_id, "CONVERSATION": conversation.id}


ELSEWHERE = {"--domain-data", "replay", "examples/two-models.yaml", OWN_FILE}
"""Words of commands that need files or models which are not here."""

RUNNABLE = [
    command
    for command in COMMANDS
    if command.words[0] in RUN and not ELSEWHERE & set(command.words) and not command.page.startswith("docs/reference/")
]


@pytest.mark.parametrize("command", RUNNABLE, ids=names(RUNNABLE))
def test_command_of_a_page_does_what_it_says(command, store, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    real = placeholders(store)
    call([real.get(word, word) for word in command.words], store)
    assert capsys.readouterr().out.strip()
