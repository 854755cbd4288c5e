"""The workspace as the runbook sees it: files, a repository, and an engine behind a subprocess.

Settings are read raw, without the engine's model of them, which may be what is broken.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.discovery import EngineChoice, engine_argv
from pipeline.contracts.toml_document import parsed
from pipeline.platform.engine_choice import engine_to_change
from pipeline.platform.engine_modules import EngineModules, load_all
from pipeline.platform.git_objects import Repository
from pipeline.platform.lenient_json import bytes_or_empty
from pipeline.platform.process import run
from pipeline.platform.process_end import Ended
from pipeline.reading import touched
from pipeline.reading.facts import Facts, read_facts
from pipeline.reading.kept_clear import Heard, heard
from pipeline.reading.report_files import Notes
from pipeline.reading.settings_glance import StreamGlance, read_settings, streams_of
from pipeline.reading.source_files import files_of
from runbook.probes import engine_look
from runbook.probes.engine_look import EngineLook

_MOST_OUTPUT_BYTES = 16 * 2**20
# An engine that is asked to end stops at a safe point, and gives the lock back.
_GRACE_SECONDS = 5.0


def _to_nobody(_words: str) -> None:
    """Nobody waits."""


class Workspace:
    """The workspace at ``root``. ``history`` is where its repository lies, when that is elsewhere.

    ``tell`` hears how far a long look is; it may be called from any thread.
    """

    def __init__(self, root: Path, *, history: Path | None = None) -> None:
        self.root = root
        self.git = Repository(history or root)
        self.tell: Callable[[str], None] = _to_nobody
        self._facts: Facts | None = None
        self._engine_look: EngineLook | None = None

    def facts(self) -> Facts:
        """What glances look at, as it is now. Raises OSError."""
        return self._facts or read_facts(self.root, time.time())

    def at_this_moment(self) -> Workspace:
        """The same workspace for several who ask at once: its facts are read and its engine is started a
        single time.
        """
        same = copy.copy(self)
        same._facts = self.facts()
        same._engine_look = EngineLook(self.root)
        return same

    def settings(self) -> dict[str, Any]:
        """``distill.toml`` as it is, unchecked; empty when it cannot be read."""
        try:
            return dict(parsed(bytes_or_empty(self.root / paths.SETTINGS)))
        except (OSError, ValueError, RecursionError):
            return {}

    def section(self, name: str) -> dict[str, Any]:
        """One table of the settings; empty when it is not a table."""
        found = self.settings().get(name, {})
        return found if isinstance(found, dict) else {}

    def streams(self) -> tuple[StreamGlance, ...]:
        """The streams that ``distill.toml`` declares."""
        return streams_of(self.settings())

    def files_of(self, stream: StreamGlance) -> list[Path]:
        """The files that its globs find now, sorted. Raises OSError, ValueError."""
        return sorted(files_of(self.root, read_settings(self.root, Notes()), stream))

    @property
    def last_good_tag(self) -> str:
        """The tag to which wizards restore."""
        tag = self.section("workspace").get("last_good_tag", paths.DEFAULT_TAG)
        return tag if isinstance(tag, str) and tag else paths.DEFAULT_TAG

    @property
    def runs_own_engine(self) -> bool:
        """Whether ``[engine] source = "workspace"``: only then does restoring code repair it."""
        return self.section("engine").get("source") == "workspace"

    def is_touched_since(self, when: float | None) -> bool:
        """Whether anything that checks judge was touched; true for an unknown time, too."""
        return touched.is_touched_since(self.root, when, own_engine=self.runs_own_engine)

    def engine_choice(self) -> EngineChoice:
        """Raises SettingsError or TrustNeededError when the workspace's own engine may not be run.

        What is seen here speaks of that engine, and the installed one could not answer in its place.
        """
        return engine_to_change(self.root)

    def engine(self, arguments: Sequence[str], *, seconds: float) -> Ended:
        """``distill ARGUMENTS`` by the engine in use. Raises as ``engine_choice``, and for nothing else."""
        argv = engine_argv(engine_look.in_workspace(self.root, arguments))
        choice = self.engine_choice()
        told = self._engine_look.answer(choice, arguments) if self._engine_look is not None else None
        ran = told or self._run(argv, choice.environment(), seconds)
        return replace(ran, stderr=choice.in_the_workspace(ran.narration).encode())

    def engine_modules(self) -> EngineModules:
        """Whether every module of the engine in use loads. Raises as ``engine_choice``."""
        choice = self.engine_choice()
        if self._engine_look is not None:
            return self._engine_look.modules(choice)
        return load_all(choice, limit_seconds=engine_look.SECONDS)

    def firewall(self) -> Heard:
        """What the installed firewall says of the live export, whatever engine is in use.

        For those who ask ``at_this_moment``, what it found CLEAR and nobody touched since will do.
        """
        return heard(self.root, from_kept=self._facts is not None)

    def _run(self, argv: Sequence[str], environment: Mapping[str, str], seconds: float) -> Ended:
        return run(
            argv,
            limit_seconds=seconds,
            cwd=self.root,
            env=environment,
            keep_bytes=_MOST_OUTPUT_BYTES,
            grace_seconds=_GRACE_SECONDS,
        )
