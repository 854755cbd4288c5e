"""What this terminal is, gathered in one place before Textual is imported."""

from __future__ import annotations

import locale
import os
import shutil
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

_ANCESTORS_LIMIT = 32


@dataclass(frozen=True, slots=True)
class TerminalFacts:
    """Plain observations. ``colours`` is truecolor, 256, 16 or none; ``background`` may be unknown."""

    stdin_is_tty: bool
    stdout_is_tty: bool
    stderr_is_tty: bool
    term: str
    columns: int
    lines: int
    encoding: str
    locale_name: str
    colours: str
    background: str
    no_color: bool
    ssh: bool
    mosh: bool
    tmux: bool
    screen: bool

    @property
    def is_terminal(self) -> bool:
        """Textual reads keys from standard input and draws on standard error."""
        return self.stdin_is_tty and self.stderr_is_tty

    @property
    def is_utf8(self) -> bool:
        return self.encoding.lower().replace("-", "").replace("_", "") in ("utf8", "utf8sig")


def gather(
    environment: Mapping[str, str] | None = None, ancestors: Collection[str] | None = None
) -> TerminalFacts:
    """Look at this process's terminal and environment. Asks the terminal itself nothing.

    ``ancestors`` are the names of the processes that we descend from: mosh leaves no variable,
    and sudo scrubs those of ssh.
    """
    env = os.environ if environment is None else environment
    ancestors = _ancestors() if ancestors is None else ancestors
    size = shutil.get_terminal_size((80, 24))
    term = env.get("TERM", "")
    return TerminalFacts(
        stdin_is_tty=_is_tty(sys.__stdin__),
        stdout_is_tty=_is_tty(sys.__stdout__),
        stderr_is_tty=_is_tty(sys.__stderr__),
        term=term,
        columns=size.columns,
        lines=size.lines,
        encoding=(getattr(sys.__stderr__, "encoding", None) or locale.getpreferredencoding(False)),
        locale_name=env.get("LC_ALL") or env.get("LC_CTYPE") or env.get("LANG") or "",
        colours=_colours(term, env.get("COLORTERM", "")),
        background=_background(env.get("COLORFGBG", "")),
        no_color=bool(env.get("NO_COLOR")),
        ssh=bool(env.get("SSH_CONNECTION") or env.get("SSH_TTY") or "sshd" in ancestors),
        mosh="mosh-server" in ancestors,
        tmux=bool(env.get("TMUX")),
        screen=bool(env.get("STY")),
    )


def _is_tty(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:  # closed by whoever started us
        return False


def _colours(term: str, colorterm: str) -> str:
    if term in ("", "dumb"):
        return "none"
    if colorterm.lower() in ("truecolor", "24bit"):
        return "truecolor"
    return "256" if "256color" in term else "16"


def _background(colorfgbg: str) -> str:
    """``COLORFGBG`` is ``foreground;background`` in palette numbers, where a terminal sets it."""
    last = colorfgbg.rpartition(";")[2]
    if not last.isdigit():
        return "unknown"
    return "light" if int(last) in (7, 15) else "dark"


def _ancestors() -> frozenset[str]:
    """Names of our parents up to the first process, where ``/proc`` tells them."""
    names: set[str] = set()
    pid = os.getppid()
    for _ in range(_ANCESTORS_LIMIT):
        try:
            head, _, rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            pid = int(rest.split()[1])
        except (OSError, ValueError, IndexError):
            break
        names.add(head.partition("(")[2])
        if pid <= 1:
            break
    return frozenset(names)
