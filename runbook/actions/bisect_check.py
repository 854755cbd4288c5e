"""One step of ``git bisect run``: an engine command in the clone, in bisect's exit codes."""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.contracts.discovery import EngineChoice
from pipeline.contracts.faults import ExitCode, OperatorError
from pipeline.platform.engine_choice import own_engine
from pipeline.platform.engine_copy import PACKAGE
from pipeline.platform.engine_files import read_engine
from runbook.probes.workspace import Workspace

CANNOT_TRY = 125
STEP_SECONDS = 600.0


class Trial(Workspace):
    """A clone at one commit of a range that a person agreed to try: its engine needs no further consent."""

    def engine_choice(self) -> EngineChoice:
        """Raises SettingsError, StorageError, OSError."""
        return own_engine(self.root, read_engine(self.root / PACKAGE))


def main(arguments: list[str]) -> int:
    """0 good, 1 bad, 125 cannot be tried: anything but a plain failed check."""
    clone, *command = arguments
    try:
        ran = Trial(Path(clone)).engine(command, seconds=STEP_SECONDS)
    except (OperatorError, OSError):
        return CANNOT_TRY
    return ran.exit_code if ran.exit_code in (ExitCode.OK, ExitCode.CHECK_FAILED) else CANNOT_TRY


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
