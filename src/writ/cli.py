"""The command line: verbs, and what an error becomes. Each verb's code is imported when it runs, so that `writ --help` is instant."""

import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module

import click
from click.shell_completion import CompletionItem

from writ import __version__

VERBS = {
    "run": ("writ.commands.run:run", "Make verified conversations: every stage, on this machine."),
    "plan": ("writ.commands.run:plan", "Show what a run would reuse and what it would make."),
    "stages": ("writ.commands.run:stages", "Print the stage table."),
    "stage": ("writ.commands.run:stage", "Run one stage."),
    "pod": ("writ.commands.pod:pod", "Run what one container of the Argo pipeline runs."),
    "domain": ("writ.commands.domain:domain", "List, check, show and replay domains."),
    "tasks": ("writ.commands.tasks:tasks", "Show, count and export tasks."),
    "model": ("writ.commands.model:model", "Serve the embedded models over HTTP."),
    "report": ("writ.commands.report:report", "Make a run's page, or one that compares two runs."),
    "show": ("writ.commands.show:show", "Print a run, a task or a conversation."),
    "doctor": ("writ.commands.doctor:doctor", "Check a configuration end to end and say what to fix."),
    "train": ("writ.commands.train:train", "Fine-tune a model on a run's rows; the weights are an artifact."),
    "evaluate": ("writ.commands.evaluate:evaluate", "Measure models on held-out tasks or on a benchmark's own, and compare them."),
    "ablate": ("writ.commands.ablate:ablation", "Train models on different conversations at an equal budget, and compare them."),
    "submit": ("writ.commands.cluster:submit", "Start a run on a cluster, with the settings of a laptop."),
    "watch": ("writ.commands.cluster:watch", "Follow a run on a cluster to its end."),
    "logs": ("writ.commands.cluster:logs", "Print what the steps of a run on a cluster have said."),
    "cancel": ("writ.commands.cluster:cancel", "Stop a run on a cluster; the next submit goes on from there."),
    "runs": ("writ.commands.cluster:runs", "List the runs on a cluster."),
    "verify": ("writ.commands.verify:verify", "Judge conversations that were made elsewhere."),
    "completion": ("writ.commands.completion:completion", "Print a shell's completion script."),
}
"""Verb -> (where its command is, one line of help). The only place where a verb is declared."""


class LazyGroup(click.Group):
    """A group whose commands are imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in VERBS:
            return None
        module, _, attribute = VERBS[name][0].partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Verbs with their lines, without importing what is behind them."""
        verbs = [CompletionItem(name, help=line) for name, (_, line) in VERBS.items() if name.startswith(incomplete)]
        return verbs + click.Command.shell_complete(self, ctx, incomplete)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in VERBS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="writ")
def app() -> None:
    """Verified training conversations for agents that serve a user through tools.

    Start with `writ run`: it needs no model, no network and no configuration.
    """


def usage(e: click.ClickException) -> str:
    """What was typed wrong and where its help is, on one line."""
    context = getattr(e, "ctx", None) or click.Context(app, info_name="writ")
    text = " ".join(e.format_message().split()).rstrip(".")
    if isinstance(context.command, click.Group) and text.startswith("No such command"):
        text += f"; there are {', '.join(context.command.list_commands(context))}"
    return f"UsageError: {context.command_path}: {text}; '{context.command_path} --help' shows how"


COLLECT = (10_000, 10, 10)
"""Objects between two looks for garbage in cycles, of which records make none: at Python's 700 a third of the time to open a domain is spent looking,
and at 100,000 a thousand conversations in flight hold 60 MB more."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs a verb (`arguments`: those of the process by default); an error becomes one line on standard error and its exit code."""
    from writ.errors import WritError

    gc.set_threshold(*COLLECT)
    try:
        # verbs return nothing, so what comes back is the code of a click.exceptions.Exit
        sys.exit(app.main(arguments, prog_name="writ", standalone_mode=False) or 0)
    except click.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as e:
        e.show()
        sys.exit(2)
    except click.ClickException as e:
        click.echo(usage(e), err=True)
        sys.exit(2)
    except WritError as e:
        click.echo(f"{type(e).__name__}: {' '.join(str(e).split())}", err=True)
        sys.exit(e.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
