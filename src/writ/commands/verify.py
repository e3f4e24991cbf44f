"""`writ verify FILE`: judge conversations that were made elsewhere."""

from collections import Counter
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from writ.commands.domain import data_option, opened
from writ.commands.files import NewFile, write_file
from writ.dataset.diversity import PRESCRIBED, Diversity
from writ.errors import ArtifactError
from writ.report.terminal import visible
from writ.schema import Verdict
from writ.verification.foreign import Foreign, read_foreign
from writ.verification.stage import CHECKS, judge


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--domain", "name", required=True, help="Domain of the conversations: retail, airline, or a folder with domain.py.")
@data_option
@click.option("--to", "target", type=NewFile(), metavar="FILE", help="File for the verdicts, as JSON lines.")
def verify(file: Path, name: str, domain_data: str | None, target: Path | None) -> None:
    """Judge conversations that were made elsewhere.

    FILE holds conversations in OpenAI form (JSON lines, one JSON list, or a list of messages), or is a results file of tau2-bench or tau-bench;
    a check whose input is missing says not_applicable.

    Example: writ verify results.json --domain retail --domain-data tau2-bench
    """
    site = opened(name, domain_data)
    judged: list[tuple[Foreign, Verdict]] = []
    for foreign in read_foreign(file, site.name):
        judged.append((foreign, judge(site, foreign.trajectory, foreign.task, None, certified=False)))
    if not judged:
        raise ArtifactError(f"{file} holds no conversation; name a results file, or JSON lines of OpenAI messages")
    if target is not None:
        write_file(target, "".join(verdict.model_dump_json() + "\n" for _, verdict in judged))
    _show(judged)


def _show(judged: list[tuple[Foreign, Verdict]]) -> None:
    console = Console(highlight=False)
    table = Table(title=f"{len(judged)} conversations", title_justify="left")
    for heading in ("check", "pass", "fail", "unclear", "not applicable"):
        table.add_column(heading, justify="left" if heading == "check" else "right")
    for check_name in CHECKS:
        results = Counter(check.result for _, verdict in judged for check in verdict.checks if check.name == check_name)
        counts = (results["pass"], results["fail"], results["unclear"], results["not_applicable"])
        table.add_row(check_name, *(str(number or "·") for number in counts))
    console.print(table)
    _compare(console, judged)
    _wording(console, [foreign for foreign, _ in judged])


def _compare(console: Console, judged: list[tuple[Foreign, Verdict]]) -> None:
    """Our end state and reward against the recorded ones, where they were recorded and we judged them."""
    states = [(foreign, next(check.result for check in verdict.checks if check.name == "end_state")) for foreign, verdict in judged]
    _agree(console, "end state", [(each, ours == "pass", each.recorded_db_match) for each, ours in states if ours != "not_applicable"])
    _agree(console, "reward", [(each, verdict.reward, each.recorded_reward) for each, verdict in judged if each.comparable])


def _agree(console: Console, what: str, pairs: list[tuple[Foreign, object, object]]) -> None:
    both = [(foreign, ours == theirs) for foreign, ours, theirs in pairs if theirs is not None and ours is not None]
    if both:
        differing = [foreign.trajectory.task_id for foreign, same in both if not same]
        named = f"; they differ in task {', '.join(differing)}" if differing else ""
        console.print(f"{what} as recorded in {len(both) - len(differing)} of {len(both)}{named}")


def _wording(console: Console, judged: list[Foreign]) -> None:
    """How varied the words are, by the measures of a dataset's card: a yardstick for what we make."""
    diversity = Diversity()
    for foreign in judged:
        diversity.add([{"role": message.role, "content": message.content} for message in foreign.trajectory.messages])
    for role in ("user", "assistant"):
        for sentence, share in diversity.commonest(role, PRESCRIBED, most=1):
            said = f"{share:.2%} of its sentences are the commonest one ('{visible(sentence)}')"
            console.print(f"wording of the {role}: {said}; {diversity.distinct_trigrams(role):.3f} distinct trigrams", soft_wrap=True, markup=False)
