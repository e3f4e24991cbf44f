"""`writ ablate`: models of several arms at an equal budget, side by side."""

import io
import json
from pathlib import Path
from typing import Any

import click

from writ.commands.configuration import config_options, over, read_config, validated
from writ.commands.files import make_folder, write_file
from writ.commands.progress import Display
from writ.commands.revision import revision
from writ.commands.train import packages
from writ.errors import ConfigError
from writ.runners.ablate import Ablated, ablate
from writ.scoring.arms import ArmFigures
from writ.settings import RunConfig


@click.command(name="ablate")
@config_options
@click.option("--to", "target", required=True, type=click.Path(path_type=Path, file_okay=False), help="Folder for the table and the plot.")
@click.option("--plain", is_flag=True, help="Plain lines instead of a live display.")
def ablation(config_file: str | None, sets: tuple[str, ...], out: str | None, domain_data: str | None, target: Path, plain: bool) -> None:
    """Train models on different conversations at an equal budget, and ask all of them the same two exams: cells that no arm saw, and the others.

    Arms, seeds, budget and cells are the section `ablation` of the settings. Every model is trained to the end of its schedule. Conversations, models
    and attempts are artifacts of the store: what stands is reused, what was interrupted goes on. Needs the packages of requirements/train.txt
    (train-cpu.txt without a GPU).

    Example: writ ablate --config recipes/ablate-smoke.yaml --out runs --to ablation
    """
    config = read_config(config_file, sets, out, domain_data)
    arms = {name: arm_of(config, name, differing) for name, differing in config.ablation.arms.items()}
    if not arms:
        raise ConfigError("ablation.arms is empty; name at least one arm, such as {mixed: {}}")
    packages()
    make_folder(target)
    with Display(plain=plain) as display:
        found = ablate(config, arms, {"base model": config.training.model, "code": revision()}, display.listen, click.echo)
    table = report(config, found)
    write_file(target / "ablation.md", table)
    write_file(target / "ablation.json", json.dumps(_figures(found), indent=2) + "\n")
    write_file(target / "ablation.svg", plot(found))
    click.echo(table)
    click.echo(f"table, figures and plot in {target}")


def arm_of(config: RunConfig, name: str, differing: object) -> RunConfig:
    """Raises: ConfigError naming the arm, for a key that does not fit."""
    whole = over(config.model_dump(mode="json"), differing if isinstance(differing, dict) else {})
    mix = (differing.get("tasks") or {}).get("mix") if isinstance(differing, dict) else None
    if mix is not None:
        whole["tasks"]["mix"] = mix  # a mix is one value: what an arm leaves out of it, it does not want
    return validated(whole, f"arm '{name}'")


def report(config: RunConfig, found: Ablated) -> str:
    """The table, as Markdown."""
    asked = config.ablation
    lines = ["# Ablation", ""]
    lines += [
        f"Budget: equal {asked.budget}. Seeds: {', '.join(map(str, asked.seeds))}.",
        f"Exams: held-out persons of another database (seed {asked.exam_seed}).",
        f"Unseen cells (writes x burden): {', '.join(asked.unseen_cells)}. Intervals: {config.evaluation.confidence:.0%}, by resampling tasks.",
        "",
        "| arm | seed | rows | tokens | steps | model |",
        "|---|---|---|---|---|---|",
        *(f"| {each.arm} | {each.seed} | {each.rows:,} | {each.tokens:,} | {each.steps} | `{each.key}` |" for each in found.models),
    ]
    for exam in found.chance:
        lines += [
            "",
            f"## {exam}",
            "",
            f"Chance: {found.chance[exam]:.1%}.",
            "",
            "| arm | success | by seed | against the first | by cell |",
            "|---|---|---|---|---|",
        ]
        lines += [_line(each) for each in found.figures if each.exam == exam]
    return "\n".join(lines) + "\n"


def _line(each: ArmFigures) -> str:
    value, low, high = each.success
    seeds = ", ".join(f"{success:.1%}" for success in each.by_seed.values())
    cells = ", ".join(f"{name} {success:.0%}" for name, success in each.cells.items())
    against = "·"
    if each.against_first is not None:
        difference, least, most = each.against_first
        against = f"{100 * difference:+.1f} points [{100 * least:+.1f}, {100 * most:+.1f}]"
    return f"| {each.arm} | {value:.1%} [{low:.1%}, {high:.1%}] | {seeds} | {against} | {cells} |"


def _figures(found: Ablated) -> dict[str, object]:
    return {
        "models": [model._asdict() for model in found.models],
        "figures": [each.model_dump(mode="json") for each in found.figures],
        "chance": dict(found.chance),
    }


def plot(found: Ablated) -> bytes:
    """Success of every arm per exam, a dot per seed, with intervals and the line of chance, as SVG."""
    from matplotlib.figure import Figure

    exams = list(found.chance)
    figure = Figure(figsize=(4.5 * len(exams), 3.5))
    panels: Any = figure.subplots(1, len(exams), squeeze=False)
    for axes, exam in zip(panels[0], exams, strict=True):
        shown = [each for each in found.figures if each.exam == exam]
        for place, each in enumerate(shown):
            value, low, high = each.success
            axes.bar(place, value, yerr=[[value - low], [high - value]], capsize=4, color="#8fb8de", zorder=1)
            axes.scatter([place] * len(each.by_seed), list(each.by_seed.values()), color="#1f3b57", s=14, zorder=2)
        axes.axhline(found.chance[exam], linestyle="--", color="#888888")
        axes.set_xticks(range(len(shown)), [each.arm for each in shown], rotation=20)
        axes.set_ylim(0, 1)
        axes.set_title(f"{exam} (dashed: chance)", fontsize=9)
        axes.set_ylabel("success")
    figure.tight_layout()
    sink = io.BytesIO()
    figure.savefig(sink, format="svg", metadata={"Date": None})
    return sink.getvalue()
