"""One process of the engine for all who ask it something in one look.

It imports every module, which is a question of its own, and answers the others in forks. Where a module
does not load it answers none of them: a command then says by itself how far it comes.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from pipeline.contracts.discovery import EngineChoice
from pipeline.platform.engine_modules import EngineModules, load_all
from pipeline.platform.process_end import Ended

# What detectors ask of the engine at each look: the smallest command that imports what every command
# imports and loads the settings as a run does, and its own check of schemas, lock and golden rows.
STARTS = ("config", "show", "--json")
SCHEMAS_AGREE = ("schema", "check", "--json")
_COMMANDS = (STARTS, SCHEMAS_AGREE)
SECONDS = 60.0


class EngineLook:
    """The engine as it is when the first asks. Detectors ask from several threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._lock = threading.Lock()
        self._choice: EngineChoice | None = None
        self._modules = EngineModules()

    def modules(self, choice: EngineChoice) -> EngineModules:
        """Whether each module of the engine loads."""
        with self._lock:
            if self._choice != choice:
                asked = [in_workspace(self._root, each) for each in _COMMANDS]
                self._modules = load_all(choice, limit_seconds=SECONDS, commands=asked, cwd=self._root)
                self._choice = choice
            return self._modules

    def answer(self, choice: EngineChoice, arguments: Sequence[str]) -> Ended | None:
        """How the command ends; None where it has to be started to know."""
        if tuple(arguments) not in _COMMANDS:
            return None
        answers = self.modules(choice).answers
        return answers[_COMMANDS.index(tuple(arguments))] if answers else None


def in_workspace(root: Path, arguments: Sequence[str]) -> list[str]:
    """The words of an engine command that is to run in the workspace ``root``."""
    return [arguments[0], "-C", str(root), *arguments[1:]]
