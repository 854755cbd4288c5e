"""``distill`` and ``distill console``: the full-screen console, or what the terminal allows.

Everything is decided here, before Textual is imported: without a terminal a plain status is
printed, because Textual would write escape sequences into a log and never end.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from console import keymap
from console.reading.key_settings import read_keys
from console.terminal.link_profile import LinkProfile, Profile, choose_profile
from console.terminal.terminal_facts import gather
from pipeline.platform.voice import Voice


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = voice.workspace
    wanted = "plain" if arguments.plain else arguments.profile
    link = choose_profile(gather(), wanted=wanted)
    if link.profile is Profile.PLAIN or voice.json:
        if voice.json or not (link.has_terminal or arguments.plain):
            from console.commands.status import print_status

            return print_status(voice)
        voice.note(f"plain: {'; '.join(link.reasons)}")
        return _converse(voice, root, link, arguments.operate)
    _prepare(link)
    choice = read_keys(root)
    for fault in choice.faults:
        voice.fault(fault)
    keymap.configure(choice.keys)
    from console.tui.opening import open_console

    warnings = tuple(fault.what_happened for fault in choice.faults)
    return open_console(root, link, operate_because=arguments.operate, warnings=warnings)


def _converse(voice: Voice, root: Path, link: LinkProfile, reason: str | None) -> int:
    import asyncio

    from console.control.lease import ControlLease
    from console.live.live_feed import LiveFeed
    from console.plain.mode import PlainConsole
    from console.presentation.spans import ascii_text
    from console.state.view_state import Session
    from pipeline.platform.identity import user_name

    def out(text: str) -> None:
        voice.out_now(ascii_text(text) if link.ascii_only else text)

    session = Session(profile="plain", link=link.link, actor=user_name())
    lease = ControlLease(root, session.actor)
    console = PlainConsole(str(root), session, LiveFeed(root, lease=lease), out=out, lease=lease)
    try:
        return asyncio.run(console.run(reason))
    finally:
        lease.leave()


def _prepare(link: LinkProfile) -> None:
    """Settings that Textual reads while it is imported."""
    if not link.animation:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
