"""The smallest honest Textual app: one line that says which digit was pressed last.

The console's figures are ratios to this one, measured in the same run on the same terminal.
"""

from __future__ import annotations

from textual import events  # noqa: TID253 (this is the app)
from textual.app import App, ComposeResult  # noqa: TID253
from textual.widgets import Static  # noqa: TID253


class MinimalApp(App[None]):
    ENABLE_COMMAND_PALETTE = False

    def compose(self) -> ComposeResult:
        yield Static("key 0 was pressed, and this app is READY", id="line")

    def on_key(self, event: events.Key) -> None:
        self.query_one("#line", Static).update(f"key {event.key} was pressed", layout=False)


if __name__ == "__main__":
    MinimalApp().run()
