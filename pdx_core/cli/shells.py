"""The three shells: what they are told to do, and in which form they are answered.

click's own scripts break `-o Train.unit=epoch` apart at the `=` (bash), put a blank behind `Train.`, and let messages
of a plugin through to the terminal.
"""

from __future__ import annotations

import os
import re

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

_BASH = """\
%(complete_func)s() {
    local response line value
    COMPREPLY=()
    response=$(COMP_LINE="$COMP_LINE" COMP_POINT="$COMP_POINT" %(complete_var)s=bash_complete "$1" 2>/dev/null)
    while IFS= read -r line; do
        value=${line#*,}
        case ${line%%%%,*} in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            stem) compopt -o nospace 2>/dev/null; COMPREPLY+=("$value") ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done <<< "$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s 2>/dev/null || complete -F %(complete_func)s %(prog_name)s
"""
_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a response plain described stems
    local type key help
    (( ! $+commands[%(prog_name)s] )) && return 1
    response=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")
    for type key help in ${response}; do
        case $type in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            stem) stems+=("$key") ;;
            plain) if [[ $help == _ ]]; then plain+=("$key"); else described+=("${key//:/\\\\:}:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
    (( $#stems )) && compadd -U -S '' -V unsorted -a stems
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit; }
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = """\
function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete COMP_WORDS=(commandline -cp | string collect) \
COMP_CWORD=(commandline -t | string collect) %(prog_name)s 2>/dev/null)
    for item in $response
        set -l parts (string split -m 1 "," -- $item)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case plain stem
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class Bash(BashComplete):
    """Takes the line as it was typed, for bash itself breaks words at `=` and `:`."""

    source_template = _BASH

    def source(self) -> str:
        return ShellComplete.source(self)  # without starting a bash to ask for its version

    def get_completion_args(self) -> tuple[list[str], str]:
        typed = os.environ["COMP_LINE"].encode()[: int(os.environ["COMP_POINT"])].decode(errors="ignore")
        words = split_arg_string(typed)
        while words and re.match(r"\w+=", words[0]):  # CUDA_VISIBLE_DEVICES=0 pdx ...
            words.pop(0)
        incomplete = "" if typed[-1:].isspace() else words.pop()
        self._word = incomplete
        return words[1:], incomplete

    def format_completion(self, item: CompletionItem) -> str:
        """Only what replaces the part behind the last `=` or `:`, which is all that bash sees as the word."""
        value = str(item.value)
        seen = max(self._word.rfind("="), self._word.rfind(":")) + 1
        if value.startswith(self._word[:seen]):
            value = value[seen:]
        return f"{item.type},{value}"


class Zsh(ZshComplete):
    source_template = _ZSH

    def format_completion(self, item: CompletionItem) -> str:
        return f"{item.type}\n{item.value}\n{_one_line(item.help) or '_'}"


class Fish(FishComplete):
    source_template = _FISH

    def format_completion(self, item: CompletionItem) -> str:
        help_text = _one_line(item.help)
        return f"{item.type},{item.value}" + (f"\t{help_text}" if help_text else "")


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Make click use these instead of its own."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def script(shell: str, root: click.Command) -> str:
    """What the shell has to read once."""
    return SHELLS[shell](root, {}, "pdx", "_PDX_COMPLETE").source()


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split())
