"""
``trustedproxy completion``: what lets a shell complete this command.

In:  a shell's name.
Out: a script that the shell reads.
"""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from ..options import Choice, prints
from ..screen import Screen

#: Where each shell looks for such a script, for the help.
SHELLS = {
    "bash": "~/.local/share/bash-completion/completions/trustedproxy",
    "zsh": "a file _trustedproxy in a folder of $fpath",
    "fish": "~/.config/fish/completions/trustedproxy.fish",
}


@click.command("completion")
@click.argument("shell", type=Choice("SHELL", lambda: SHELLS))
@prints
def command(*, shell: str, screen: Screen) -> None:
    """
    Print what lets a shell complete this command: bash, zsh or fish.

    For bash: trustedproxy completion bash >
    ~/.local/share/bash-completion/completions/trustedproxy
    """
    from ..program import program

    found = get_completion_class(shell)
    assert found is not None
    name = "trustedproxy"
    script = found(program, {}, name, f"_{name.upper()}_COMPLETE").source()
    screen.show(
        as_json=lambda: {"shell": shell, "script": script},
        as_text=script.rstrip,
    )
