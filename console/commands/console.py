"""``distill`` and ``distill console``: the full-screen console, or what the terminal allows.

Everything is decided here, before Textual is imported: without a terminal a plain status is
printed, because Textual would write escape sequences into a log and never end.
"""

from __future__ import annotations

import argparse
import os

from console.commands.status import print_status
from console.invocation import Invocation
from console.link_profile import LinkProfile, Profile, choose_profile
from console.terminal_facts import gather


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--operate", metavar="REASON", help="start armed for 15 minutes; the reason is kept with what is done"
    )
    parser.add_argument("--profile", choices=[str(name) for name in Profile], help="how to draw")
    parser.add_argument("--plain", action="store_true", help="plain lines instead of a screen")


def run(arguments: argparse.Namespace, invocation: Invocation) -> int:
    root = invocation.workspace()
    wanted = "plain" if arguments.plain else arguments.profile
    link = choose_profile(gather(), wanted=wanted)
    if link.profile is Profile.PLAIN or invocation.json:
        if link.has_terminal:
            invocation.note(f"plain: {'; '.join(link.reasons)}")
        return print_status(invocation)
    _prepare(link)
    from console.app import open_console

    return open_console(root, link, operate_because=arguments.operate)


def _prepare(link: LinkProfile) -> None:
    """Settings that Textual reads while it is imported."""
    if not link.animation:
        os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
        os.environ.setdefault("TEXTUAL_SMOOTH_SCROLL", "0")
