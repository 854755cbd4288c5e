"""Find the workspace, and say how an engine is started.

Standard library only, and no settings model: this has to answer while the engine's own
settings code is broken. Whoever starts an engine process builds its argv and environment
here, so that no caller spells an interpreter flag by hand. Which engine runs in a workspace is told by
``pipeline/platform/engine_choice.py``.
"""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError

WORKSPACE_VARIABLE = "DISTILL_WORKSPACE"
# The interpreter and the package from which the installed firewall runs, handed down to a
# workspace's own engine, which must not be trusted to choose it.
INSTALLED_PYTHON_VARIABLE = "DISTILL_INSTALLED_PYTHON"
INSTALLED_PACKAGE_VARIABLE = "DISTILL_INSTALLED_PACKAGE"
# Where the files of a workspace's own engine lie that runs from a copy: what it names are those.
ENGINE_DIRECTORY_VARIABLE = "DISTILL_ENGINE_DIRECTORY"
# What a prepared firewall and who asks it agree on: a question's size, and the byte that says it is begun.
MOST_QUESTION_BYTES = 1 << 17
QUESTION_BEGUN = b"+"


@dataclass(frozen=True)
class EngineChoice:
    """Which engine runs: ``installed``, or ``workspace`` with the directory that holds it.

    ``path`` is a folder with a copy of that engine's package and nothing beside it, so that no
    ``sitecustomize.py`` or ``hashlib.py`` of the directory is imported; without one it is ``directory``.
    ``untrusted`` says why the engine that the workspace asks for does not run, and is empty otherwise.
    """

    source: str
    directory: Path | None
    why: str
    path: Path | None = None
    untrusted: str = ""

    def in_the_workspace(self, text: str) -> str:
        """``text``, in which the engine names its files, with the workspace's for those of its copy."""
        if self.path is None or self.directory is None:
            return text
        return text.replace(str(self.path), str(self.directory))

    def environment(self, base: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of an engine process: PYTHONPATH is ours to set, nobody else's."""
        env = dict(os.environ if base is None else base)
        for name in ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", ENGINE_DIRECTORY_VARIABLE):
            env.pop(name, None)
        env[INSTALLED_PYTHON_VARIABLE] = sys.executable
        env.setdefault(INSTALLED_PACKAGE_VARIABLE, str(Path(__file__).resolve().parents[1]))
        place = self.path or self.directory
        if place is not None:
            env["PYTHONPATH"] = str(place)
            env[ENGINE_DIRECTORY_VARIABLE] = str(self.directory or place)
        return env


def _flags() -> tuple[str, ...]:
    """``-P`` keeps a ``pipeline/`` in the current directory out, and ``-s`` what else a user has installed,
    unless this very package is. Not ``-I``, which would not hear of PYTHONHASHSEED.

    ``-X utf8``: a file name means the same bytes in every locale, so a run does too.
    """
    mine = site.ENABLE_USER_SITE and Path(__file__).is_relative_to(site.getusersitepackages())
    return ("-X", "utf8", "-P") if mine else ("-X", "utf8", "-P", "-s")


ENGINE_FLAGS = _flags()


def engine_argv(arguments: Sequence[str]) -> list[str]:
    """argv of an engine command."""
    return [sys.executable, *ENGINE_FLAGS, "-m", "pipeline", *arguments]


def firewall_argv(arguments: Sequence[str]) -> list[str]:
    """argv of the firewall, which always runs from the installation."""
    python = os.environ.get(INSTALLED_PYTHON_VARIABLE, sys.executable)
    return [python, *ENGINE_FLAGS, "-m", "pipeline.firewall", *arguments]


def installed_package() -> Path:
    """The ``pipeline`` package of the installation, whichever engine this process is."""
    handed_down = os.environ.get(INSTALLED_PACKAGE_VARIABLE)
    return Path(handed_down) if handed_down else Path(__file__).resolve().parents[1]


def shown_place(file: str) -> str:
    """``file``, or where the workspace keeps it when it is one of an engine that runs from a copy."""
    directory, copy = os.environ.get(ENGINE_DIRECTORY_VARIABLE), Path(__file__).resolve().parents[2]
    if directory and is_of_a_workspace() and Path(file).is_relative_to(copy):
        return str(Path(directory) / Path(file).relative_to(copy))
    return file


def is_of_a_workspace() -> bool:
    """Whether this process is a workspace's own engine: its code is put back, not installed again."""
    return installed_package().resolve() != Path(__file__).resolve().parents[1]


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
        raise SettingsError.of(
            code="workspace_not_found",
            what_happened=f"{root} (from {origin}) is not a workspace: no distill.toml in it.",
            kept_safe="Nothing was read or written.",
            do_next=f"Name a workspace with -C, or make one: distill init {root}",
            file=str(root),
        )
    here = Path.cwd().resolve()
    for candidate in (here, *here.parents):
        if (candidate / paths.SETTINGS).is_file():
            return candidate
    raise SettingsError.of(
        code="workspace_not_found",
        what_happened=f"No workspace here: no distill.toml in {here} or above it.",
        kept_safe="Nothing was read or written.",
        do_next="Make one with: distill init   (or try the tour: distill demo)",
        file=str(here),
    )
