"""The reference is made from the code and up to date, and nothing that a person can set or meet is left without words."""

import inspect
import re

import click
import pytest
import reference

from writ import errors
from writ.verification.stage import CHECKS

PAGES = sorted(reference.pages())


@pytest.mark.parametrize("name", PAGES)
def test_page_as_committed_is_what_the_code_gives(name):
    committed = (reference.DOCS / name).read_text(encoding="utf-8")
    assert committed == reference.pages()[name], "out of date; run: python docs/reference.py"


def test_pages_of_the_reference_folder_are_all_generated():
    there = {f"reference/{path.name}" for path in (reference.DOCS / "reference").iterdir()}
    assert there == {name for name in PAGES if name.startswith("reference/")}


def test_every_verb_and_option_has_words():
    silent = [path for path, command in reference.commands() if not (command.help or "").strip()]
    for path, command in reference.commands():
        options = [option for option in command.params if isinstance(option, click.Option) and not option.hidden]
        silent += [f"{path} {option.opts[0]}" for option in options if not option.help]
    assert silent == []


def test_every_verb_and_option_is_on_the_page():
    page = reference.pages()["reference/cli.md"]
    for path, command in reference.commands():
        section = page.partition(f"# {path}\n")[2].partition("\n#")[0]
        assert section
        for option in command.params:
            if isinstance(option, click.Option) and not option.hidden:
                assert f"| `{option.opts[0]}" in section, f"{path} {option.opts[0]}"


def test_every_setting_has_a_meaning():
    silent = [f"{prefix}.{name}" for prefix, model, name in reference.settings() if not reference.meaning(prefix, model, name)]
    assert silent == [], "write a docstring under the field, then: python docs/reference.py"


def test_a_supplement_stands_only_where_a_field_has_no_docstring():
    keys = {f"{prefix}.{name}" if prefix else name: (model, name) for prefix, model, name in reference.settings()}
    assert set(reference.SUPPLEMENT) <= set(keys)
    assert [key for key in reference.SUPPLEMENT if keys[key][1] in reference.field_docs(keys[key][0])] == []


def test_every_setting_is_on_the_page_with_what_it_changes():
    page = reference.pages()["reference/configuration.md"]
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    for prefix, _, name in reference.settings():
        key = name if prefix in ("", "endpoint") else f"{prefix}.{name}"
        assert "what is made" in rows[key] or "how it runs" in rows[key]
    assert "how it runs" in rows["simulation.concurrency"]
    assert "what is made" in rows["simulation.max_steps"]
    assert "how it runs" in rows["s3.region"], "all below an execution section is execution"
    assert "what is made" in rows["evaluation.trials"], "but a verb of its own has keys of its own"


def test_every_metric_of_the_source_is_on_the_page_with_its_words():
    page = reference.pages()["reference/metrics.md"]
    source = (reference.DOCS.parent / "src/writ/runners/metrics.py").read_text(encoding="utf-8")
    names = set(re.findall(r'"(writ_[a-z_]+)"', source))
    assert len(names) > 10
    assert {name for name in names if f"| `{name}`" not in page and f"| `{name}_total`" not in page} == set()
    assert all(len(line.split("|")[4].strip()) > 5 for line in page.splitlines() if line.startswith("| `"))


def test_every_error_that_leaves_a_verb_is_on_the_page():
    classes = {name for name, value in vars(errors).items() if inspect.isclass(value) and issubclass(value, errors.WritError)}
    assert {name for name, _, _ in reference.error_types()} == classes - {"WritError", "ToolRefused"}


def test_every_check_says_what_it_asks():
    rows = {line.split("`")[1]: line.rstrip(" |").split("|")[-1].strip() for line in reference.checks_and_causes() if line.startswith("| `")}
    assert [name for name in CHECKS if not rows[name]] == []
