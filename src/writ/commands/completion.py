"""`writ completion`: verbs, options and keys of settings on the Tab key."""

from typing import Any

import click
from click.shell_completion import get_completion_class

from writ.errors import WritError

VARIABLE = "_WRIT_COMPLETE"
"""Set by the shell's script when it asks for words; click answers it."""


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print a shell's completion script: verbs, options and, behind --set, the keys of settings.

    For bash, put `eval "$(writ completion bash)"` into ~/.bashrc; for zsh the same with zsh into ~/.zshrc; for fish,
    `writ completion fish > ~/.config/fish/completions/writ.fish`.

    Example: writ completion bash
    """
    found = get_completion_class(shell)
    if found is None:
        raise WritError(f"no completion for {shell}; name bash, zsh or fish")
    root: Any = context.find_root().command
    click.echo(found(root, {}, "writ", VARIABLE).source())
