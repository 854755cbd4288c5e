"""Shell completion: scripts that ask ``distill --complete`` for every word, and its answer.

The answer is made from the table of commands and from what lies in the workspace. Nothing is
evaluated by the shell: words come as lines, and what is no plain word is quoted for it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from console.cli.commands import BATCH, BY_NAME, COMMANDS
from pipeline.contracts.command import Argument, Command, Kind, arg
from pipeline.contracts.shell_words import quoted
from pipeline.contracts.untrusted import visible
from pipeline.platform.command_line import SHARED

# Before a command; the console's own flags open it without its name.
_GLOBAL = (
    *SHARED,
    *BY_NAME["console"].arguments,
    arg("--batch", action="store_true", help=BATCH.help),
    arg("--version", action="store_true", help="print the version"),
)
_HELP = arg("--help", action="store_true", help="say what it takes")
# What a shell completes better than we do: the script hands it back.
_BY_SHELL = {"file": ":files", "directory": ":directories"}

_BASH = """\
# eval "$(distill completion bash)", or write it where bash-completion looks for it.
_distill() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files|:directories)
        compopt -o filenames 2>/dev/null
        local kind=-f
        [ "$line" = :directories ] && kind=-d
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen $kind -- "$2") ;;
      *) COMPREPLY+=("$line") ;;
    esac
  done < <("$1" --complete bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _distill distill"""
_ZSH = """\
#compdef distill
# Write it as _distill into a directory of $fpath, or: eval "$(distill completion zsh)"
_distill() {
  local line
  local -a values shown
  for line in "${(@f)$("${words[1]}" --complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    case $line in
      :files) _files ;;
      :directories) _files -/ ;;
      ?*) values+=("${line%%$'\\t'*}"); shown+=("${line/$'\\t'/  -- }") ;;
    esac
  done
  (( $#values )) && compadd -l -d shown -a values
}
if [ "${zsh_eval_context[-1]}" = loadautofunc ]; then _distill "$@"; else compdef _distill distill; fi"""
_TCSH = """\
complete distill 'p@*@`distill --complete tcsh "$COMMAND_LINE"`@'"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "tcsh": _TCSH}


@dataclass(frozen=True)
class Candidate:
    value: str
    help: str = ""


def answer(shell: str, words: Sequence[str]) -> list[str]:
    """One line a candidate, as the shell's script reads it. The last word is the one to complete."""
    if shell == "tcsh":
        line = " ".join(words)
        words = [*_plain(line.split())[1:], *([""] if line.endswith(" ") else [])]
    else:
        words = _plain(words)
    words = _joined(words)
    typed = words[-1] if words else ""
    found = list(candidates(words))
    if shell == "zsh":
        return [f"{each.value}\t{visible(each.help)}" if each.help else each.value for each in found]
    # Bash breaks words at these, and replaces what stands behind the last one.
    cut = max(typed.rfind("="), typed.rfind(":")) + 1 if shell == "bash" else 0
    values = [each.value.removeprefix(typed[:cut]) for each in found]
    return [value if value in _BY_SHELL.values() else quoted(value) for value in values]


def candidates(words: Sequence[str]) -> Iterator[Candidate]:
    """What may stand in place of the last of ``words``, which follow ``distill`` on the line."""
    before, typed = _walk(words[:-1]), words[-1] if words else ""
    arguments = _arguments(before.command)
    if before.waiting is not None:
        yield from _values(before.waiting, typed, before)
    elif typed.startswith("--") and "=" in typed:
        flag, _, value = typed.partition("=")
        for argument in arguments:
            if flag in argument.flags and argument.takes_value:
                for each in _values(argument, value, before):
                    known = each.value in _BY_SHELL.values()
                    yield each if known else Candidate(f"{flag}={each.value}", each.help)
    elif typed.startswith("-"):
        for argument in arguments:
            longest = max(argument.flags, key=len)
            used = argument.flags[0] in before.used and not argument.is_repeatable
            if longest.startswith(typed) and not argument.is_positional and not used:
                default = str(argument.options.get("default"))
                yield Candidate(longest, argument.help.replace("%(default)s", default))
    elif before.command is None:
        yield from (Candidate(each.name, each.help) for each in COMMANDS if each.name.startswith(typed))
    else:
        places = [each for each in before.command.arguments if each.is_positional]
        at = len(before.given)
        if at < len(places) or (places and places[-1].is_repeatable):
            yield from _values(places[min(at, len(places) - 1)], typed, before)


@dataclass
class _Before:
    """What the words before say: the command, its positionals, and an option that waits for its value."""

    command: Command | None = None
    directory: str | None = None
    given: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    waiting: Argument | None = None


def _walk(words: Sequence[str]) -> _Before:
    before = _Before()
    for word in words:
        if before.waiting is not None:
            if before.waiting.flags[0] == "-C":
                before.directory = word
            before.waiting = None
        elif word == BATCH.name and before.command is None:
            before.command = BATCH
        elif word.startswith("-"):
            flag, equals, _ = word.partition("=")
            argument = next((each for each in _arguments(before.command) if flag in each.flags), None)
            if argument is not None:
                before.used += (argument.flags[0],)
                before.waiting = argument if argument.takes_value and not equals else None
        elif before.command is None:
            before.command = BY_NAME.get(word) or Command(word, "", "", "console")
        else:
            before.given += (word,)
    return before


def _arguments(command: Command | None) -> tuple[Argument, ...]:
    return (*_GLOBAL, _HELP) if command is None else (*SHARED, *command.arguments, _HELP)


def _values(argument: Argument, typed: str, before: _Before) -> Iterator[Candidate]:
    if argument.choices:
        yield from (Candidate(each) for each in argument.choices if each.startswith(typed))
        return
    kind: Kind = ""
    if isinstance(argument.completes, str):
        kind = argument.completes
    elif before.given:
        kind = argument.completes.get(before.given[0], "")
    if kind in _BY_SHELL:
        yield Candidate(_BY_SHELL[kind])
    elif kind:
        from console.cli.values import values_of

        # A name with control characters cannot be typed, nor shown in a list, as what it is.
        names = values_of(kind, before.directory, typed)
        yield from (Candidate(name) for name in names if name.startswith(typed) and visible(name) == name)


def _plain(words: Sequence[str]) -> list[str]:
    """Words as the shell would hand them on: without their quotes, an open one closed."""
    plain = []
    for word in words:
        try:
            plain.append("".join(shlex.split(word)) if word else "")
        except ValueError:
            plain.append(word.lstrip("'\"").replace("\\", ""))
    return plain


def _joined(words: Sequence[str]) -> list[str]:
    """Bash hands ``--stream=x`` and ``a:b`` on as three words."""
    joined: list[str] = []
    glue = False
    for word in words:
        if joined and (glue or word in ("=", ":")):
            joined[-1] += word
        else:
            joined.append(word)
        glue = word in ("=", ":")
    return joined
