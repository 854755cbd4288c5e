"""What the operator takes along: text on their own clipboard, a screen kept in a file.

The clipboard is that of the machine they sit at, so it is reached through the terminal (OSC 52); what
goes there may be pasted into a shell next. A kept screen is under ``reports/console``, for its owner's eyes,
whole or not at all.
"""

from __future__ import annotations

import base64
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from console.tui.host import Host
from console.tui.screens.base import ConsoleScreen
from console.tui.widgets.canvas import screen_text
from pipeline.contracts.faults import OperatorError
from pipeline.contracts.untrusted import visible_lines
from pipeline.platform import confined, disk

if TYPE_CHECKING:
    from textual.app import App


class Capture:
    def __init__(self, app: App[Any]) -> None:
        self._app, self._host = app, cast(Host, app)

    def copy(self, text: str, what: str) -> None:
        """Put ``text`` on the operator's clipboard, or say that it is too long for that.

        It may be pasted into a terminal: of its lines nothing but what can be seen is copied.
        """
        text = "\n".join(visible_lines(text))
        sequence = osc52(text, inside_tmux="TMUX" in os.environ)
        if sequence is None:
            self._host.say(f"{what} is too long for a terminal's clipboard")
            return
        self._host.write_to_terminal(sequence)
        self._host.say(f"copied {what}: {text.splitlines()[0][:60] if text else ''}")

    def copy_marked(self) -> None:
        """What the screen on top has marked."""
        screen = self._app.screen
        text = screen.text_to_copy() if isinstance(screen, ConsoleScreen) else None
        if text:
            self.copy(text, "what is shown")

    def copy_command(self) -> None:
        """The command that does here what a key would: the screen's own, or the run's."""
        screen = self._app.screen
        command = screen.command_to_copy() if isinstance(screen, ConsoleScreen) else None
        if command is None:
            run = self._host.state.run
            running = run is not None and not run.ended
            plan = self._host.operations.preview("run.cancel" if running else "run.start")
            command = plan.command_line if plan is not None else None
        if command:
            self.copy(command, "the command")
        else:
            self._host.say("there is no command to copy here")

    def save_picture(self) -> None:
        """The screen as it looks."""
        self._save("svg", self._app.export_screenshot(title="distill"))

    def save_text(self) -> None:
        """The screen's characters, without colours."""
        self._save("txt", screen_text(self._app.screen) + "\n")

    def _save(self, kind: str, text: str) -> None:
        try:
            path = save_screen(Path(self._host.state.workspace), text, kind, self._host.now())
        except OperatorError as error:
            self._host.fail(error.fault)
        else:
            self._host.say(f"saved: {path}")


# Terminals cut or drop longer sequences; xterm's limit is the smallest that is documented.
LIMIT_BYTES = 74_994


def osc52(text: str, *, inside_tmux: bool) -> str | None:
    """The sequence for ``text``; None when it is too long for terminals to take.

    Within tmux it is sent twice, bare and wrapped: which of them tmux lets through depends on
    ``set-clipboard`` and ``allow-passthrough``, and copying the same text twice does no harm.
    """
    encoded = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode("ascii")
    if len(encoded) > LIMIT_BYTES:
        return None
    sequence = f"\x1b]52;c;{encoded}\x07"
    if not inside_tmux:
        return sequence
    return f"{sequence}\x1bPtmux;\x1b{sequence}\x1b\\"


FOLDER = Path("reports/console")
# A terminal that shows the file must not obey it; data was made visible long before.
_OBEYED = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def save_screen(root: Path, text: str, kind: str, now: float) -> Path:
    """Write ``text`` as ``screen-<time>-<random>.<kind>``; its path in the workspace.

    Raises StorageError. The file is 0600: a screen quotes data.
    """
    name = f"screen-{datetime.fromtimestamp(now, UTC):%Y%m%dT%H%M%SZ}-{disk.random_part()[:4]}.{kind}"
    data = _OBEYED.sub("", text).encode("utf-8", "backslashreplace")
    confined.write_file(root, FOLDER / name, data)
    return FOLDER / name
