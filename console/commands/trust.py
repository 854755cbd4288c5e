"""``distill trust [DIR]``: look at a workspace's own code, and let it run from now on; or no longer."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from pipeline.contracts.discovery import find_workspace
from pipeline.contracts.faults import ExitCode, InputError
from pipeline.contracts.untrusted import visible
from pipeline.platform import trust_book
from pipeline.platform.engine_choice import TRUST_VARIABLE, Stakes, stakes_of, trust, trust_needed
from pipeline.platform.git import GitError, resolve
from pipeline.platform.trust_difference import difference, told
from pipeline.platform.trust_question import agrees, can_ask
from pipeline.platform.voice import Voice


def run(arguments: argparse.Namespace, voice: Voice) -> int:
    root = find_workspace(arguments.dir) if arguments.dir else voice.workspace
    if arguments.revoke:
        return _revoke(root, voice)
    if arguments.range is not None:
        return _trust_range(root, arguments.range, voice)
    stakes = stakes_of(root)
    if arguments.show:
        _show(stakes, voice)
        return ExitCode.OK
    if not stakes.digest and not stakes.trouble:
        voice.note(f"{visible(str(root))} runs the installed engine and names no program: nothing to trust.")
        return ExitCode.OK
    named = os.environ.get(TRUST_VARIABLE, "")
    if not (stakes.is_named if named else agrees(stakes, voice)):
        raise trust_needed(root, _why_not(stakes, named), was_shown=not named and can_ask(stakes, voice))
    if stakes_of(root).digest != stakes.digest:
        raise trust_needed(root, "its code changed while you looked at it")
    trust(stakes)
    voice.note(f"This version is trusted from now on: {visible(str(root))}")
    if voice.json:
        voice.out_json(_data(stakes))
    return ExitCode.OK


def _why_not(stakes: Stakes, named: str) -> str:
    if stakes.trouble:
        return f"its engine cannot be trusted as it is: {stakes.trouble}"
    if named:
        return f"its digest is not the one that was named ({visible(named, 80)})"
    return "its code is not trusted"


def _show(stakes: Stakes, voice: Voice) -> None:
    if voice.json:
        voice.out_json(_data(stakes))
        return
    for line in told(stakes, difference(stakes), None):
        voice.out(line)
    for name, is_trusted in _answers(stakes).items():
        voice.out(f"{name:<10} {'trusted' if is_trusted else 'not trusted'}")
    if trouble := trust_book.read_book().trouble:
        voice.note(f"the trust is not recorded: {visible(trouble)}")


def _answers(stakes: Stakes) -> dict[str, bool]:
    answers = {"engine": stakes.engine_is_trusted} if stakes.wants_own else {}
    return answers | ({"programs": stakes.programs_are_trusted} if stakes.programs else {})


def _data(stakes: Stakes) -> dict[str, object]:
    found = difference(stakes)
    return {
        "workspace": str(stakes.root),
        "digest": stakes.digest,
        "own_engine": stakes.wants_own,
        "files": len(stakes.files.digests) if stakes.files is not None else 0,
        "programs": {name: list(words) for name, words in stakes.programs.items()},
        "trusted": _answers(stakes),
        "trouble": stakes.trouble,
        "compared_with": found.base if found is not None else "",
        "changed": [*found.changed] if found is not None else [],
        "added": [*found.added] if found is not None else [],
        "removed": [*found.removed] if found is not None else [],
        "ranges": [*trust_book.read_book().of(stakes.root).ranges],
    }


def _revoke(root: Path, voice: Voice) -> int:
    was = trust_book.forget(root)
    voice.note(f"{visible(str(root))}: {'not trusted any more' if was else 'was not trusted'}.")
    return ExitCode.OK


def _trust_range(root: Path, text: str, voice: Voice) -> int:
    """Let the engines of these commits be tried in throw-away clones, by ``git bisect``."""
    good, dots, bad = text.partition("..")
    try:
        first, last = resolve(root, good), resolve(root, bad or "HEAD")
    except GitError as error:
        raise _no_range(text, str(error)) from error
    if not dots or first is None or last is None:
        raise _no_range(text, "GOOD..BAD names two commits")
    trust_book.remember(root, commits=f"{first}..{last}")
    voice.note(f"The engines of {first[:12]}..{last[:12]} may be tried in throw-away clones.")
    return ExitCode.OK


def _no_range(text: str, why: str) -> InputError:
    return InputError.of(
        "no_such_range",
        f"{visible(text, 200)} is no range of commits here: {visible(why, 200)}.",
        "Nothing was trusted.",
        "See them: git log --oneline -- pipeline",
    )
