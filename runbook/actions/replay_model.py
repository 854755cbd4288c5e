"""Back to the default model: the line that names another one goes out of ``distill.toml``."""

from __future__ import annotations

from collections.abc import MutableMapping

import tomlkit

from pipeline.contracts import paths
from runbook.actions.stream_edit import parsed_settings, read_settings
from runbook.change.plan import Draft, Manual
from runbook.change.planning import Planning
from runbook.change.refusals import refused


def plan_default_model(planning: Planning) -> Draft:
    """Take ``model`` out of ``[replay]``; comments and order stay. Raises RefusedError."""
    before, text = read_settings(planning)
    document = parsed_settings(text)
    section = document.get("replay")
    if not isinstance(section, MutableMapping) or "model" not in section:
        raise refused(
            "no_model_named", "distill.toml names no model in [replay].", "See: distill config show"
        )
    named = str(section["model"])
    del section["model"]
    data = tomlkit.dumps(document).encode()
    says = f'Take model = "{named}" out of [replay]; the default, extractive, answers then.'
    by_hand = f'Delete the line model = "{named}" below [replay] in distill.toml.'
    step = planning.rewritten(str(paths.SETTINGS), before, data, says, by_hand)
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
