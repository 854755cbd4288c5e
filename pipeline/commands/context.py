"""What every engine command is handed: a voice, the workspace's settings, and the event stream."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pipeline.contracts.discovery import is_of_a_workspace
from pipeline.contracts.faults import ExitCode, worst
from pipeline.platform.voice import Voice

if TYPE_CHECKING:
    from pipeline.engine.event_writer import EventWriter
    from pipeline.engine.run_session import Request
    from pipeline.settings.load import LoadedSettings


@dataclass
class CommandContext(Voice):
    """Properties raise SettingsError outside a workspace."""

    argv: Sequence[str] = field(default_factory=tuple)

    def settings(self) -> LoadedSettings:
        from pipeline.settings.load import load_settings

        return load_settings(self.workspace)

    @cached_property
    def engine_source(self) -> str:
        """Which engine this process is, as its receipts say it."""
        return "workspace" if is_of_a_workspace() else "installed"

    def request(self, arguments: argparse.Namespace) -> Request:
        """What this call asks of the engine. Raises SettingsError for an impossible ``--recorded-at``."""
        from pipeline.engine.clock import checked_recorded_at
        from pipeline.engine.run_session import Request

        recorded_at = checked_recorded_at(getattr(arguments, "recorded_at", None))
        return Request(arguments.command, self.argv, recorded_at, self.events, self.engine_source)

    def end(self, code: int) -> int:
        """The exit code of a command that came to its end with ``code``: events that were lost are told."""
        writer: EventWriter | None = self.__dict__.get("events")
        if writer is None or writer.fault is None:
            return code
        self.fault(writer.fault)
        return worst((code, ExitCode.NOT_EVALUABLE))

    @cached_property
    def events(self) -> EventWriter:
        """The event stream, already writing to ``--events`` when that was given."""
        from pipeline.engine.event_writer import EventWriter
        from pipeline.platform.drawing import Progress

        writer = EventWriter()
        progress = Progress()
        writer.on_progress, writer.on_check = progress.event, progress.checking
        if self.events_place is not None:
            writer.add_place(self.events_place)
        return writer
