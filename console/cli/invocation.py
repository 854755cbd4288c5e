"""What a console command is handed: the global flags, and where it may write.

A console command is a module ``console/commands/<name>.py`` with two functions::

    def add_arguments(parser: argparse.ArgumentParser) -> None
    def run(arguments: argparse.Namespace, invocation: Invocation) -> int

It is imported only when it is called.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.contracts.discovery import find_workspace


@dataclass(frozen=True, slots=True)
class Invocation:
    """``directory`` is what ``-C`` said, made absolute; ``events`` what ``--events`` said."""

    directory: str | None = None
    json: bool = False
    events: str | None = None

    def workspace(self) -> Path:
        """The workspace's root. Raises SettingsError when there is none."""
        return find_workspace(self.directory)

    def out(self, text: str) -> None:
        """Data, to standard output. What its encoding cannot say is written as an escape."""
        encoding = sys.stdout.encoding or "ascii"
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    def out_json(self, value: Any) -> None:
        import json

        sys.stdout.write(json.dumps(value, indent=2) + "\n")

    def note(self, text: str) -> None:
        """Narration, to standard error."""
        sys.stderr.write(text + "\n")
