"""The plan to trust a workspace's own code: what changed since it was trusted is read before any of it runs.

A start that would run code which nobody trusts is answered by this plan instead: the code of the plan is
typed below the diff, and the start is asked for again.
"""

from __future__ import annotations

from pathlib import Path

from console.control.feed import CommandPlan
from pipeline.contracts.plurals import plural
from pipeline.contracts.shell_words import joined
from pipeline.contracts.untrusted import visible
from pipeline.platform.engine_choice import Stakes, stakes_of, trust, trust_needed
from pipeline.platform.trust_difference import DIFF_LINES, Difference, difference

ACTION = "engine.trust"
_MOST_NAMES = 5


def plan(root: Path, *, programs: bool = True) -> CommandPlan | None:
    """None where all that would run is trusted. ``programs``: what the settings name would be started, too.

    Raises SettingsError where the engine is not the user's, TrustNeededError where it cannot be trusted.
    """
    stakes = stakes_of(root)
    if stakes.engine_is_trusted and (stakes.programs_are_trusted or not programs):
        return None
    if not stakes.digest:
        raise trust_needed(root, f"its engine cannot be trusted as it is: {stakes.trouble}")
    found = difference(stakes)
    return CommandPlan(
        ACTION,
        "PROGRAMS THAT NOBODY HAS TRUSTED" if found is None else "THE WORKSPACE'S CODE IS NOT TRUSTED",
        arguments=(stakes.digest,),
        command=("distill", "trust", str(root), "--trust", stakes.digest),
        changes=tuple(_told(stakes, found)),
        stays=("every file of the workspace: trust is recorded in your own state folder",),
        way_back=joined(["distill", "trust", "--revoke", str(root)]),
        yes="yes, trust this version",
        no="no, run nothing of it",
        critical=True,
        difference=_bounded(found),
    )


def _told(stakes: Stakes, found: Difference | None) -> list[str]:
    told = [
        f"{name} = {visible(' '.join(words), 300)}: may be started" for name, words in stakes.programs.items()
    ]
    if found is None:
        return told
    told.append(f"pipeline/: may run; compared {found.in_words}")
    for names, word in ((found.changed, "changed"), (found.added, "new"), (found.removed, "gone")):
        if names:
            more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
            told.append(f"{word}: {', '.join(map(visible, names[:_MOST_NAMES]))}{more}")
    return told


def _bounded(found: Difference | None) -> tuple[str, ...]:
    if found is None or len(found.lines) <= DIFF_LINES:
        return () if found is None else found.lines
    left = plural(len(found.lines) - DIFF_LINES, "more line")
    return (*found.lines[:DIFF_LINES], f"… {left}: distill trust --show")


def carry_out(root: Path, agreed: CommandPlan) -> str:
    """Trust what was shown and nothing else. Raises TrustNeededError where it changed since, StorageError."""
    stakes = stakes_of(root)
    if (stakes.digest,) != agreed.arguments:
        raise trust_needed(root, "its code changed while you looked at it")
    trust(stakes)
    return "this version is trusted from now on; nothing was started yet"
