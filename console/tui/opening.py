"""Put the console together on a workspace, and run it until it is left."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from console.control.lease import ControlLease
from console.live.live_feed import LiveFeed
from console.state.view_state import Session, initial
from console.terminal.lifeline import Lifeline
from console.terminal.link_profile import LinkProfile
from console.tui.app import ConsoleApp
from pipeline.platform.identity import user_name

# Readers work in threads; a key should not wait the usual five milliseconds for one of them.
_THREAD_SWITCH_SECONDS = 0.0005


def open_console(
    root: Path, link: LinkProfile, *, operate_because: str | None = None, warnings: Sequence[str] = ()
) -> int:
    """Run the console on a workspace until it is left; the exit code. Needs a terminal.

    ``operate_because`` arms it from the start, with that reason. 129 and 143 after a hang-up
    and SIGTERM.
    """
    session = Session(profile=link.profile, link=link.link, actor=user_name())
    lease = ControlLease(root, session.actor)
    feed = LiveFeed(root, lease=lease)
    state = initial(str(root), session)
    app = ConsoleApp(state, feed, link, operate_because=operate_because, lease=lease, warnings=warnings)
    sys.setswitchinterval(_THREAD_SWITCH_SECONDS)
    with Lifeline(app.leave):
        app.run(mouse=link.mouse)
    lease.leave()
    return app.return_code or 0
