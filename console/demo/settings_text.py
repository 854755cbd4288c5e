"""The demo's ``distill.toml``, section by section, as its history adds them."""

from __future__ import annotations

from collections.abc import Mapping

from pipeline.contracts.paths import DEFAULT_TAG

HEADER = """\
# The settings of this demo workspace. It was made by `distill demo`, which may replace it.
# `distill config show` prints every setting, also those that are not here, and its origin.
"""
WORKSPACE = f"""\
[workspace]
name = "demo"
last_good_tag = "{DEFAULT_TAG}"
"""
ENGINE = """\
[engine]
# The engine that runs is the copy in pipeline/, so that restoring a file of it repairs it.
source = "workspace"
"""
SCORING = """\
[scoring]
accept_at = 1.0
partial_at = 0.5
"""
EXPORT = """\
[export]
validation_share = 0.1
"""
REPLAY = """\
[replay]
model = "extractive"
"""
DRIFT = """\
[drift]
warn_pct = 20.0
"""
_ORDER = ("header", "workspace", "engine", "scoring", "export", "replay", "drift", "phases", "streams")


def render(sections: Mapping[str, str]) -> str:
    """One file from named sections, always in the same order; streams, the longest part, last."""
    return "\n".join(sections[name] for name in _ORDER if name in sections)


def phases(commits: Mapping[str, str]) -> str:
    """The section that names the commit which finished each phase."""
    lines = ["[phases]", *(f'{phase} = "{commit}"' for phase, commit in commits.items())]
    return "\n".join(lines) + "\n"
