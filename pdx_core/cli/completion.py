"""`pdx completion`."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]), metavar="bash|zsh|fish")
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print what makes the shell complete commands, options, names, files and the keys of -o with the Tab key.

    \b
        echo 'eval "$(pdx completion bash)"' >> ~/.bashrc
        echo 'eval "$(pdx completion zsh)"' >> ~/.zshrc
        pdx completion fish > ~/.config/fish/completions/pdx.fish

    The lines work from the next shell on. Names come from the plugins that are installed when Tab is pressed.
    """
    from pdx_core.cli.shells import script

    click.echo(script(shell, ctx.find_root().command), nl=False)
