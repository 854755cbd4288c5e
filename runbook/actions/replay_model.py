"""Back to the default model: the line that names another one goes out of ``distill.toml``."""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping

import tomlkit
from tomlkit.exceptions import TOMLKitError

from pipeline.contracts import paths
from runbook.change.files import read_bytes
from runbook.change.plan import Draft, FileState, Kept, Manual, WriteFile
from runbook.wizard.planning import Planning
from runbook.wizard.refusals import refused

_PATH = str(paths.SETTINGS)


def plan_default_model(planning: Planning) -> Draft:
    """Take ``model`` out of ``[replay]``; comments and order stay. Raises RefusedError."""
    before = planning.state(_PATH)
    if before.sha256 is None or before.mode is None:
        raise refused("no_settings", "There is no distill.toml.", "Restore it: distill restore distill.toml")
    try:
        document = tomlkit.parse(read_bytes(planning.workspace.root, _PATH).decode())
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise refused("settings_broken", f"distill.toml cannot be parsed: {error}.", "Correct it.") from error
    section = document.get("replay")
    if not isinstance(section, MutableMapping) or "model" not in section:
        raise refused(
            "no_model_named", "distill.toml names no model in [replay].", "See: distill config show"
        )
    named = str(section["model"])
    del section["model"]
    data = tomlkit.dumps(document).encode()
    digest = hashlib.sha256(data).hexdigest()
    step = WriteFile(
        path=_PATH,
        before=before,
        after=FileState(sha256=digest, bytes=len(data), mode=before.mode),
        content=Kept(sha256=digest),
        says=f'Take model = "{named}" out of [replay]; the default, extractive, answers then.',
        by_hand=f'Delete the line model = "{named}" below [replay] in distill.toml.',
    )
    return planning.draft(
        "default_model",
        "Back to the default model",
        [step],
        undo="Put distill.toml back as it was.",
        contents=[data],
    )


def plan_unset(planning: Planning, variable: str, value: str) -> Draft:
    """The environment names the model: only whoever set it can take it out."""
    step = Manual(
        says=f"{variable}={value} beats distill.toml. Take it out of the shell, unit or crontab that sets "
        "it, and start what runs in there again.",
        by_hand=f"unset {variable}",
    )
    return planning.draft(
        "unset_model",
        f"Take {variable} out of the environment",
        [step],
        undo=f"Set {variable} again.",
        reversible=False,
    )
