"""Show what a workspace's own code is, and ask a person once whether it may run.

What changed since it was trusted last is shown as a diff, before any of it runs.
"""

from __future__ import annotations

import sys
from pathlib import Path

from pipeline.platform.code_question import code_of, code_question
from pipeline.platform.engine_choice import NOT_TRUSTED, Stakes, stakes_of, trust, trust_needed
from pipeline.platform.trust_difference import difference, told
from pipeline.platform.voice import Voice


def can_ask(stakes: Stakes, voice: Voice) -> bool:
    """Whether somebody is there to be asked, and there is something to agree to."""
    return bool(stakes.digest) and not voice.json and sys.stdin.isatty() and sys.stderr.isatty()


def agrees(stakes: Stakes, voice: Voice) -> bool:
    """Show what would run and ask for its code. False where nobody is there to be asked, and without it."""
    if not can_ask(stakes, voice):
        return False
    for line in told(stakes, difference(stakes)):
        voice.note(line)
    code = code_of(stakes.digest)
    voice.prompt(f"{code_question(code, 'trust it from now on', 'nothing of it runs')}\n> ")
    return sys.stdin.readline().strip() == code


def settle_trust(root: Path, voice: Voice, *, programs: bool = False) -> None:
    """Before something of ``root`` runs that a person has not trusted: ask, and remember the answer.

    ``programs``: the command starts what the settings name, too. Raises TrustNeededError where nobody
    agrees, SettingsError, StorageError.
    """
    stakes = stakes_of(root)
    needs_programs = programs and not stakes.programs_are_trusted
    if stakes.engine_is_trusted and not needs_programs:
        return
    if not agrees(stakes, voice):
        why = f"{NOT_TRUSTED}{f' ({stakes.trouble})' if stakes.trouble else ''}"
        if stakes.engine_is_trusted:
            why = f"the programs that its settings name are not trusted ({', '.join(stakes.programs)})"
        raise trust_needed(root, why, was_shown=can_ask(stakes, voice))
    if stakes_of(root).digest != stakes.digest:
        raise trust_needed(root, "its code changed while you looked at it")
    trust(stakes)
