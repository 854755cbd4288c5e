"""What is defined of a symptom, in words."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace

from pipeline.contracts import paths
from pipeline.contracts.severity import Severity

# Those that a viewer itself may be the first to see.
LEAK = "S1.P4.sft-leak"
ENGINE_DOES_NOT_START = "ENGINE.wont-start"
TAG = '"$TAG"'


_ENGINE_FILE = re.compile(r"\s+pipeline(?:/\S*)?(?=\s|$)")


@dataclass(frozen=True)
class ByHand:
    """One line of the page for the night on which the tool itself is down.

    ``"$TAG"`` in a command is the workspace's last-good tag. It is quoted, so that an unset one names
    nothing instead of something else.
    """

    says: str
    command: str = ""

    def command_for(self, tag: str) -> str:
        """The command as it is in a workspace with that last-good tag."""
        return self.command.replace(TAG, shlex.quote(tag))

    def without_engine(self) -> ByHand | None:
        """The line where the workspace holds no code of an engine: it names none of its files.

        None where the settings are not among what it looks at: then nothing is left of it.
        """
        left = _ENGINE_FILE.sub("", self.command)
        if left == self.command:
            return self
        return replace(self, command=left) if str(paths.SETTINGS) in left else None


@dataclass(frozen=True)
class Threshold:
    """The setting ``[section] key`` past which a symptom shows; ``default`` where it says nothing usable."""

    section: str
    key: str
    default: float


@dataclass(frozen=True)
class Definition:
    """A symptom in words. ``checks`` are those that lead here.

    ``live`` detectors look at the files themselves within a second; the others read the last report.
    ``explained_by`` are symptoms that, when they show too, are the likelier story. ``causes`` are
    (id, sentence) of everything that its diagnosis may conclude. ``thresholds`` are settings that decide
    when it shows. Of one severity, the lower ``rank`` is read first.
    """

    id: str
    severity: Severity
    title: str
    what_you_see: str
    why: str
    phases: tuple[str, ...]
    checks: tuple[str, ...]
    live: bool = True
    explained_by: tuple[str, ...] = ()
    causes: tuple[tuple[str, str], ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    rank: int = 50
    thresholds: tuple[Threshold, ...] = ()


SEVERITY_ORDER = {Severity.CRITICAL: 0, Severity.ERROR: 1, Severity.WARNING: 2, Severity.INFO: 3}
