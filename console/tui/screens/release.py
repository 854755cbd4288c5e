"""Release: the six gates of release-freeze, live while it works, and the tag command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from console.presentation.checks import check_lines
from console.presentation.release import (
    gates_of,
    outdated,
    release_rows,
    release_state,
    tag_command,
)
from console.presentation.spans import EMPTY, Line, Span, line
from console.reading.check_runs import CheckRun, release_reader
from console.tui.screens.marked_list import MarkedList, Row
from console.tui.screens.page import Page
from pipeline.contracts import paths
from pipeline.contracts.status import Freshness, Origin
from pipeline.platform.lenient_json import Json
from pipeline.reading.check_report import Check
from pipeline.reading.report_files import Notes, read_object


class ReleaseScreen(MarkedList):
    place = "release"
    crumb: ClassVar[str] = "Release"
    silent: ClassVar[tuple[str, ...]] = ("screen.release",)
    first_hints: ClassVar[tuple[str, ...]] = ("freeze", "open", "copy command", "back")

    def __init__(self, workspace: str) -> None:
        super().__init__()
        self._root = Path(workspace)
        self._reader = release_reader(self._root)
        self.freeze = CheckRun("release-freeze")
        self._manifest: Json = {}
        self._was_read = False

    def look(self) -> None:
        self.freeze, self._was_read = self._reader.read(), True
        self._manifest = read_object(self._root, paths.RELEASE_MANIFEST, Notes()) or {}

    def head_lines(self, width: int) -> list[Line]:
        if not self._was_read:
            return [line(Span(" ? reading the last freeze", "dim")), EMPTY]
        return release_state(self.freeze, self.console.state.git, self.console.now(), width, self._why())

    def _why(self) -> str:
        """What has moved since the freeze, besides the tree."""
        state = self.console.state
        released = next(phase.origin for phase in state.phases if phase.id == "P9")
        return outdated(self.freeze, released, state.firewall.state, self.console.now())

    def rows(self, width: int) -> Sequence[Row]:
        if self.console.state.trouble and self.freeze.word == "never":
            return []
        git, now = self.console.state.git, self.console.now()
        rows = release_rows(self.freeze, self._manifest, git, now, width, self._why())
        return [Row(key, spans) for key, spans in rows]

    def open_marked(self, key: str) -> None:
        check = gates_of(self.freeze).get(key)
        if check is None:
            self.console.say("this gate was not evaluated yet")
        else:
            self.app.push_screen(GatePage(check))

    def command_to_copy(self) -> str | None:
        return tag_command(self.freeze, self.console.state.git, self._why()) or None


class GatePage(Page):
    """One gate, as it was when it was opened."""

    place = "page"

    def __init__(self, check: Check) -> None:
        super().__init__()
        self._check = check

    def trail(self) -> tuple[str, ...]:
        return ("Release", self._check.id)

    def page_lines(self, width: int) -> list[Line]:
        workspace = self.console.state.workspace
        as_reported = Origin(as_of=self._check.as_of, freshness=Freshness.FRESH)
        return check_lines(self._check, as_reported, workspace, self.console.now(), width)
