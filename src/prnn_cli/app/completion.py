"""Shell completion: commands and choices are completed here; groups and options by Hydra."""

import re
from collections.abc import Sequence

from prnn_cli.commands import WORD_COMMANDS
from prnn_cli.errors import UserError
from prnn_cli.extensions import commands, config_folders, own_configs, take_flags
from prnn_cli.loading import loading

BASH = r"""
_prnn() {
  local line="${COMP_LINE:0:COMP_POINT}" current="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
  [[ $current == "=" ]] && current=""
  local word="${line##* }" found
  local split_off="${word%"$current"}"  # readline breaks words at = and :
  found=($(prnn completion query "$line" 2>/dev/null))
  COMPREPLY=("${found[@]#"$split_off"}")
  [[ ${#found[@]} == 1 && ${found[0]} != *[=./] ]] && COMPREPLY[0]+=" "
}
complete -o nospace -o default -F _prnn prnn
"""

ZSH = r"""
_prnn() {
  local -a found
  found=("${(@f)$(prnn completion query "${(j: :)words[1,CURRENT]}" 2>/dev/null)}")
  [[ -n $found ]] && compadd -Q -S '' -- $found || _files
}
compdef _prnn prnn
"""

FISH = r"""
complete -c prnn -f -a '(prnn completion query (commandline -cp | string collect) 2>/dev/null)'
"""

HOW = 'eval "$(prnn completion bash)", or zsh, or prnn completion fish | source'
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}


def complete_or_print_script(arguments: Sequence[str]) -> int:
    """Prints the script of the shell bash, zsh or fish, or answers `query LINE`, which the scripts ask. Returns 0."""
    match list(arguments):
        case [shell] if shell in SCRIPTS:
            print(SCRIPTS[shell].strip())
        case ["query", line]:
            print("\n".join(query(line)))
        case ["-h" | "--help"]:
            print(f"prnn completion SHELL prints what a shell needs to complete prnn's words; {HOW}")
        case _:
            raise UserError(f"choose a shell: {HOW}")
    return 0


def query(line: str) -> list[str]:
    """The completions of the last word of a command line that begins with prnn."""
    words = take_flags(line.split(" ")[1:])
    if len(words) <= 1:
        return [command for command in (*commands(), *WORD_COMMANDS) if command.startswith("".join(words))]
    command, *overrides = words
    if command == "completion":
        return [shell for shell in SCRIPTS if shell.startswith(overrides[-1])]
    if command == "datasets":
        words = ["describe", *_choices("dataset")]
        return [each for each in words if each.startswith(overrides[0])] if len(overrides) == 1 else []
    if command == "fetch":
        return [each for each in _choices("dataset") if each.startswith(overrides[0])]
    if command not in commands():
        return []
    if (choice := re.fullmatch(r"(\w+)=(\w*)", overrides[-1])) and (choices := _choices(choice[1])):
        return [f"{choice[1]}={each}" for each in choices if each.startswith(choice[2])]
    with loading():
        return _query_hydra(command, " ".join(overrides))


def _choices(group: str) -> list[str]:
    """The choices of a group, without Hydra, which takes longer to import; none where prnn has no such group."""
    return sorted({file.stem for folder in config_folders() for file in (folder / group).glob("*.yaml")})


def _query_hydra(command: str, line: str) -> list[str]:
    from hydra import initialize_config_dir
    from hydra._internal.core_plugins.bash_completion import BashCompletion
    from hydra.core.global_hydra import GlobalHydra

    from prnn_cli.experiment.settings import register_schemas

    class Completion(BashCompletion):
        """Hydra's, which would compose part of the configuration anew to list each group."""

        def _query_config_groups(
            self, word: str, config_name: str | None, words: list[str]
        ) -> tuple[list[str], bool]:
            if re.fullmatch(r"[\w.]*", word) is None:
                groups: tuple[list[str], bool] = super()._query_config_groups(word, config_name, words)
                return groups
            return [
                each for each in (*(f"{group}=" for group in _groups()), "hydra") if each.startswith(word)
            ], False

    register_schemas()
    with initialize_config_dir(str(own_configs()), version_base="1.3"):
        loader = GlobalHydra.instance().config_loader()
        found: list[str] = Completion(loader)._query(command, line)
        return sorted(set(found))


def _groups() -> set[str]:
    """The groups of prnn and of extensions: the folders of configs."""
    return {file.parent.name for folder in config_folders() for file in folder.glob("*/*.yaml")}
