"""How a program ended, and in which words that is told."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from pipeline.contracts.faults import WHAT_HAPPENED, ExitCode
from pipeline.contracts.untrusted import visible
from pipeline.platform.starvation import is_starved_in_words

# A program does not end itself by these; the kernel's killer, a service manager or a person does.
_ENDED_BY_OTHERS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU)
_LAST_LINES = 3


@dataclass(frozen=True, slots=True)
class Ended:
    """How a program ended. ``exit_code`` is negative for a signal, and None when there is no answer.

    ``why`` then says so: it did not start, reached its time limit, or wrote too much; it is empty
    otherwise. ``returncode`` has what the system says all the same. Of ``stderr`` the end is kept.
    ``processor_seconds`` has what it used, and those of its children that it waited for.
    ``could_start`` is False where the system did not begin it.
    """

    exit_code: int | None
    stdout: bytes = b""
    stderr: bytes = b""
    why: str = ""
    took_seconds: float = 0.0
    processor_seconds: float = 0.0
    timed_out: bool = False
    returncode: int | None = None
    could_start: bool = True

    @property
    def has_no_say(self) -> bool:
        """Whether its end tells of the machine and not of the program: out of time, killed or starved."""
        if self.exit_code is None:
            return self.could_start or is_starved_in_words(self.why)
        return -self.exit_code in _ENDED_BY_OTHERS or is_starved_in_words("\n".join(self.said[-_LAST_LINES:]))

    @property
    def text(self) -> str:
        return self.stdout.decode(errors="replace")

    @property
    def narration(self) -> str:
        return self.stderr.decode(errors="replace")

    @property
    def said(self) -> tuple[str, ...]:
        """The lines of ``stderr`` that are not empty, hidden characters shown."""
        return tuple(visible(line.strip(), 300) for line in self.narration.splitlines() if line.strip())

    @property
    def last_words(self) -> str:
        """The last line that it narrated; empty when it said nothing."""
        return self.said[-1] if self.said else ""

    @property
    def reason(self) -> str:
        """One line for why this is no good end: our word, else what it said that happened, else its last
        word, else its exit code."""
        return self.why or self._happened or self.last_words or exit_in_words(self.exit_code)

    @property
    def refusal(self) -> str:
        """Which wrong word or setting it refused to begin with; empty where it refused none."""
        return self._happened if self.exit_code == ExitCode.USAGE else ""

    @property
    def _happened(self) -> str:
        told = (line.removeprefix(WHAT_HAPPENED) for line in self.said if line.startswith(WHAT_HAPPENED))
        return next(told, "")


def exit_in_words(exit_code: int | None) -> str:
    """``exit 3``; where a signal ended it, ``killed by SIGKILL``."""
    if exit_code is None or exit_code >= 0:
        return f"exit {exit_code}"
    try:
        return f"killed by {signal.Signals(-exit_code).name}"
    except ValueError:
        return f"killed by signal {-exit_code}"
