"""What every engine command is handed: the workspace, its settings, and where to write."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.contracts.discovery import choose_engine, find_workspace

if TYPE_CHECKING:
    from pipeline.engine.event_writer import EventWriter
    from pipeline.settings.load import LoadedSettings


@dataclass
class CommandContext:
    """``directory`` is what ``-C`` said. Properties raise SettingsError outside a workspace."""

    directory: str | None = None
    json: bool = False
    events_place: str | None = None
    argv: Sequence[str] = field(default_factory=tuple)

    @cached_property
    def workspace(self) -> Path:
        return find_workspace(self.directory)

    def settings(self) -> LoadedSettings:
        from pipeline.settings.load import load_settings

        return load_settings(self.workspace)

    @cached_property
    def engine_source(self) -> str:
        return choose_engine(self.workspace).source

    @cached_property
    def events(self) -> EventWriter:
        """The event stream, already writing to ``--events`` when that was given."""
        from pipeline.engine.event_writer import EventWriter

        writer = EventWriter()
        if self.events_place is not None:
            writer.add_place(self.events_place)
        return writer

    def out(self, text: str) -> None:
        """Data, to standard output."""
        sys.stdout.write(text + "\n")

    def out_json(self, value: Any) -> None:
        """One JSON value. Escaped to ASCII: what data may hold must not reach a terminal raw."""
        import json

        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=True) + "\n")

    def note(self, text: str) -> None:
        """Narration, to standard error."""
        sys.stderr.write(text + "\n")
