"""Find the workspace, and say which engine runs in it.

Standard library only, and no settings model: this has to answer while the engine's own
settings code is broken. Whoever starts an engine process builds its argv and environment
here, so that no caller spells an interpreter flag by hand.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, SettingsError
from pipeline.contracts.toml_document import parsed

WORKSPACE_VARIABLE = "DISTILL_WORKSPACE"
# The interpreter and the package from which the installed firewall runs, handed down to a
# workspace's own engine, which must not be trusted to choose it.
INSTALLED_PYTHON_VARIABLE = "DISTILL_INSTALLED_PYTHON"
INSTALLED_PACKAGE_VARIABLE = "DISTILL_INSTALLED_PACKAGE"


@dataclass(frozen=True)
class EngineChoice:
    """Which engine runs: ``installed``, or ``workspace`` with the directory that holds it."""

    source: str
    directory: Path | None
    why: str

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of an engine process: PYTHONPATH is ours to set, nobody else's."""
        env = dict(os.environ if base is None else base)
        for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP"):
            env.pop(name, None)
        env[INSTALLED_PYTHON_VARIABLE] = sys.executable
        env.setdefault(INSTALLED_PACKAGE_VARIABLE, str(Path(__file__).resolve().parents[1]))
        if self.directory is not None:
            env["PYTHONPATH"] = str(self.directory)
        return env


def engine_argv(arguments: Sequence[str]) -> list[str]:
    """argv of an engine command. ``-P`` keeps a ``pipeline/`` in the current directory out.

    ``-X utf8``: a file name means the same bytes in every locale, so a run does too.
    """
    return [sys.executable, "-X", "utf8", "-P", "-m", "pipeline", *arguments]


def firewall_argv(arguments: Sequence[str]) -> list[str]:
    """argv of the firewall, which always runs from the installation."""
    python = os.environ.get(INSTALLED_PYTHON_VARIABLE, sys.executable)
    return [python, "-X", "utf8", "-P", "-m", "pipeline.firewall", *arguments]


def installed_package() -> Path:
    """The ``pipeline`` package of the installation, whichever engine this process is."""
    handed_down = os.environ.get(INSTALLED_PACKAGE_VARIABLE)
    return Path(handed_down) if handed_down else Path(__file__).resolve().parents[1]


def firewall_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """An environment in which ``pipeline`` can only be the installed one."""
    return EngineChoice("installed", None, "firewall").environment(base)


def find_workspace(explicit: str | None) -> Path:
    """The workspace's root: ``-C DIR``, then ``DISTILL_WORKSPACE``, then upwards from here.

    Raises SettingsError when there is none.
    """
    named = explicit or os.environ.get(WORKSPACE_VARIABLE)
    if named:
        root = Path(named).expanduser().resolve()
        if (root / paths.SETTINGS).is_file():
            return root
        origin = "-C" if explicit else WORKSPACE_VARIABLE
        raise SettingsError(
            Fault(
                code="workspace_not_found",
                what_happened=f"{root} (from {origin}) is not a workspace: no distill.toml in it.",
                kept_safe="Nothing was read or written.",
                do_next=f"Name a workspace with -C, or make one: distill init {root}",
                file=str(root),
            )
        )
    here = Path.cwd().resolve()
    for candidate in (here, *here.parents):
        if (candidate / paths.SETTINGS).is_file():
            return candidate
    raise SettingsError(
        Fault(
            code="workspace_not_found",
            what_happened=f"No workspace here: no distill.toml in {here} or above it.",
            kept_safe="Nothing was read or written.",
            do_next="Make one with: distill init   (or try the tour: distill demo)",
            file=str(here),
        )
    )


def choose_engine(root: Path) -> EngineChoice:
    """Which engine the workspace asks for, and whether that may be honoured.

    The workspace's own ``pipeline/`` is code found in a directory, so it runs only when the
    directory and the package belong to the current user. Raises SettingsError otherwise.
    An unreadable ``distill.toml`` means the installed engine, which then names the mistake.
    """
    settings = root / paths.SETTINGS
    try:
        # A named pipe in its place would block whoever opens it.
        if not settings.is_file():
            return EngineChoice("installed", None, "distill.toml is no file")
        section = parsed(settings.read_bytes()).get("engine", {})
    except (OSError, ValueError, RecursionError):
        return EngineChoice("installed", None, "distill.toml cannot be read")
    source = section.get("source", "installed") if isinstance(section, dict) else "installed"
    if source != "workspace":
        return EngineChoice("installed", None, "engine.source")
    package = root / "pipeline"
    for place in (root, package):
        try:
            owner = place.lstat().st_uid
        except OSError:
            owner = -1
        if owner != os.getuid() or place.is_symlink():
            raise SettingsError(
                Fault(
                    code="engine_not_owned",
                    what_happened=(
                        f'{place} is missing, a link, or not yours, and [engine] source = "workspace" '
                        "would run code from it."
                    ),
                    kept_safe="No code of the workspace was run.",
                    do_next='Own the directory, or set [engine] source = "installed" in distill.toml.',
                    file=str(place),
                )
            )
    return EngineChoice("workspace", root, "engine.source")
