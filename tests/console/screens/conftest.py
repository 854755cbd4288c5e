"""How a screen looks, kept as text, or as a picture where its colours matter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.console.screens.looks import IN_COLOUR, text_of

if TYPE_CHECKING:
    from console.tui.app import ConsoleApp

LOOKS = Path(__file__).with_name("__looks__")


@pytest.fixture
def look_compare(snap_compare: Callable[..., bool], request: pytest.FixtureRequest) -> Callable[..., bool]:
    """Whether an app looks as before. After a wanted change: --snapshot-update."""
    name = request.node.name
    if name in IN_COLOUR:
        return snap_compare
    golden = LOOKS / request.node.path.stem / f"{name}.txt"

    def compare(
        app: ConsoleApp,
        press: Iterable[str] = (),
        terminal_size: tuple[int, int] = (80, 24),
        run_before: Any = None,
    ) -> bool:
        from textual._doc import take_svg_screenshot

        svg = take_svg_screenshot(app=app, press=press, terminal_size=terminal_size, run_before=run_before)
        text = text_of(svg) + "\n"
        if request.config.option.update_snapshots:
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text, encoding="utf-8")
        before = golden.read_text(encoding="utf-8")
        differs = list(unified_diff(before.splitlines(), text.splitlines(), "before", "now", lineterm=""))
        assert not differs, "\n".join(differs[:80])
        return True

    return compare
