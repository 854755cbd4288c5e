"""``[phases]`` in ``distill.toml``: which commit stands for which phase.

The file is edited in its own words: comments, order and spacing of everything else stay.
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError
from pipeline.platform import disk
from pipeline.platform.git import resolve
from pipeline.release.git_gates import NEXT_PHASE, PHASES, is_own_phase
from pipeline.settings.load import load_settings


def record_phase(workspace: Path, phase: str, revision: str) -> str:
    """Set a phase to the full id of the commit that ``revision`` names; returns the id.

    Raises SettingsError (unknown phase, no such commit, a file that cannot be edited safely).
    """
    if phase not in PHASES and not is_own_phase(phase):
        known = f"{', '.join(PHASES)}, or one of your own from {NEXT_PHASE} on"
        raise _refused(f"{phase} is no phase", f"Name one of {known}.", phase)
    commit = resolve(workspace, revision)
    if commit is None:
        raise _refused(f"{revision} names no commit of this repository", "See: git log --oneline", revision)
    load_settings(workspace)  # an edit starts from a file that is whole
    path = workspace / paths.SETTINGS
    text = disk.read_plain(path).decode()
    try:
        document = tomlkit.parse(text)
        table = document.setdefault("phases", tomlkit.table())
        table[phase] = commit
        edited = tomlkit.dumps(document)
    except TOMLKitError as error:
        raise _refused(
            f"distill.toml cannot be edited: {error}", "Set it by hand in [phases].", phase
        ) from error
    expected = tomllib.loads(text)
    expected.setdefault("phases", {})[phase] = commit
    if tomllib.loads(edited) != expected:
        raise _refused("the edit would change more than the phase", "Set it by hand in [phases].", phase)
    disk.write_file(path, edited.encode(), mode=path.stat().st_mode & 0o777)
    return commit


def _refused(why: str, do_next: str, value: str) -> SettingsError:
    return SettingsError.of(
        code="phase_not_recorded",
        what_happened=f"The phase was not recorded: {why}.",
        kept_safe="distill.toml is as it was.",
        do_next=do_next,
        file=str(paths.SETTINGS),
        value=value,
    )
