"""`make screenshots`: the pictures in the README, taken of the real console on a real demo.

python -m tests.screenshots      # writes docs/images/dashboard.svg and alarm.svg
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson

from console.live.live_feed import LiveFeed
from console.state.view_state import Session, ViewState, initial
from console.tui.app import ConsoleApp
from pipeline.contracts import paths
from pipeline.contracts.status import FirewallWord
from tests.console.apps import LINK
from tests.waiting import until

IMAGES = Path(__file__).resolve().parents[1] / "docs/images"
SIZE = (100, 27)
_LINK = replace(LINK, reasons=("a picture",), flush_seconds=0.05)


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory) / "demo"
        demo = ["demo", "--batch", "--rows", "20000", "--dir", str(root)]
        subprocess.run([sys.executable, "-P", "-m", "console", *demo], check=True, capture_output=True)
        asyncio.run(_take_pictures(root))


async def _take_pictures(root: Path) -> None:
    session = Session(profile=_LINK.profile, link=_LINK.link, actor="operator")
    app = ConsoleApp(initial(str(root), session), LiveFeed(root), _LINK)
    async with app.run_test(size=SIZE) as pilot:

        async def picture(name: str, is_ready: Callable[[ViewState], bool]) -> None:
            await until(pilot, lambda: is_ready(app.state), name)
            app.flush()
            await pilot.pause()
            IMAGES.mkdir(parents=True, exist_ok=True)
            svg = self_contained(app.export_screenshot(title="distill"))
            (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")

        await picture("dashboard", lambda state: state.firewall.state is FirewallWord.CLEAR)
        append_a_forbidden_row(root / paths.SFT_EXPORT)
        await picture("alarm", lambda state: state.firewall.state is FirewallWord.BREACH)


def self_contained(svg: str) -> str:
    """The picture without fonts from elsewhere: any monospaced font has the same cells."""
    svg = re.sub(r"@font-face\s*\{[^}]*\}\s*", "", svg)
    return svg.replace("Fira Code", "DejaVu Sans Mono")


def append_a_forbidden_row(export: Path) -> None:
    row = orjson.loads(export.read_bytes().partition(b"\n")[0])
    row["quality_score"] = "rejected"
    with export.open("ab") as file:
        file.write(orjson.dumps(row) + b"\n")


if __name__ == "__main__":
    main()
