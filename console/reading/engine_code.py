"""The digest of the code that would run here now, without running or importing any of it."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pipeline.contracts.discovery import EngineChoice, installed_package
from pipeline.contracts.faults import OperatorError
from pipeline.platform.code_digest import ROW_PACKAGES, Stamp, code_digest, code_stamps
from pipeline.platform.engine_choice import choose_engine

# In place of the digest of code that nobody trusts: no report's is like it.
UNTRUSTED = "not trusted"


class EngineCode:
    """Kept and asked again: a quiet engine is only stat-ed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._seen: list[Stamp] = []
        self._digest: str | None = None
        self.choice: EngineChoice | None = None
        """The engine of the last ``digest``, not to be run; None where it may not, and before the first."""

    def digest(self) -> str | None:
        """Hex sha256, UNTRUSTED, or None where the engine may not run or its files cannot be read."""
        self.choice = None
        try:
            choice = self.choice = choose_engine(self._root, to_run=False)
            if choice.untrusted:
                return UNTRUSTED
            directory = choice.directory
            package = installed_package() if directory is None else directory / "pipeline"
            stamps = code_stamps(package, ROW_PACKAGES)
        except (OperatorError, OSError):
            return None
        if stamps != self._seen:
            self._seen, self._digest = stamps, None
            with contextlib.suppress(OSError):
                self._digest = code_digest(package, stamps)
        return self._digest
