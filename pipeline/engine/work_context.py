"""What every chunk of a run shares: settings, compiled streams, look-ups, digests.

Forked workers inherit the parent's context; a worker on another machine loads it from the
workspace and refuses to work when that, the engine or the settings there are not those of the run:
it would put its rows into the cache under the name of the run's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.contracts import paths
from pipeline.contracts.faults import CHUNKS_KEPT, Fault, IntegrityError
from pipeline.contracts.untrusted import visible
from pipeline.engine.chunk_cache import ChunkCache
from pipeline.engine.code_digest import engine_digest
from pipeline.engine.likeness import Likeness, load_likeness
from pipeline.engine.render_check import RenderCheck, load_render_check
from pipeline.engine.tokenizer import TokenCounter, load_tokenizer
from pipeline.evaluation.sets import EvaluationIndex, load_sets
from pipeline.platform.identity import who_acts
from pipeline.platform.lock import last_holder
from pipeline.settings.digest import rows_digest, stream_digest
from pipeline.settings.load import load_settings
from pipeline.settings.model import Settings, StreamSettings
from pipeline.storage.digests import digest_of
from pipeline.streams.files import stream_files
from pipeline.streams.lookup import LookupTable, load_lookup

if TYPE_CHECKING:
    from pipeline.streams.compiled import CompiledStream


@dataclass(frozen=True)
class ContextName:
    """How a task names its context: small enough to travel with every chunk."""

    workspace: str
    settings_digest: str
    engine: str
    pipeline_run_id: str = ""


class WorkContext:
    """Built once per process; streams are compiled and look-ups read when first needed."""

    def __init__(self, workspace: Path, settings: Settings) -> None:
        self.workspace = workspace
        self.settings = settings
        self.cache = ChunkCache(workspace)
        self.pipeline_run_id = ""
        self._compiled: dict[str, CompiledStream] = {}
        self._lookups: dict[str, LookupTable] = {}

    @cached_property
    def settings_digest(self) -> str:
        return rows_digest(self.settings)

    @property
    def name(self) -> ContextName:
        return ContextName(str(self.workspace), self.settings_digest, engine_digest(), self.pipeline_run_id)

    def stream(self, name: str) -> StreamSettings:
        return next(stream for stream in self.settings.streams if stream.name == name)

    def lookup(self, name: str) -> LookupTable:
        """The table of a look-up stream. Raises InputError when its files cannot be listed."""
        if name not in self._lookups:
            stream = self.stream(name)
            files = stream_files(self.workspace, self.settings, stream)
            self._lookups[name] = load_lookup(stream, files)
        return self._lookups[name]

    @cached_property
    def evaluation(self) -> EvaluationIndex:
        """The declared evaluation sets; empty where none is. Raises InputError when one is unusable."""
        return load_sets(self.workspace, self.settings)

    @cached_property
    def render_check(self) -> RenderCheck | None:
        """The chat template that rows are held against. Raises SettingsError when it cannot be used."""
        return load_render_check(self.workspace, self.settings)

    @cached_property
    def tokens(self) -> TokenCounter | None:
        """What counts tokens, None for an estimate. Raises SettingsError when it cannot be used."""
        return load_tokenizer(self.workspace, self.settings)

    @cached_property
    def likeness(self) -> Likeness | None:
        """What near-duplicates are found by. Raises SettingsError when its library is not installed."""
        return load_likeness(self.settings.export)

    @property
    def tokens_digest(self) -> str:
        return self.tokens.digest if self.tokens is not None else ""

    @property
    def render_digest(self) -> str:
        return self.render_check.digest if self.render_check is not None else ""

    def compiled(self, name: str) -> CompiledStream:
        if name not in self._compiled:
            stream = self.stream(name)
            lookups = {other.name: self.lookup(other.name) for other in self._lookup_streams(stream)}
            # Not at the top: P3 and P4 alone must not need the mappers.
            from pipeline.streams.compiled import compile_stream

            self._compiled[name] = compile_stream(stream, lookups)
        return self._compiled[name]

    def _lookup_streams(self, stream: StreamSettings) -> list[StreamSettings]:
        # Which look-ups a stream uses is known only once it is compiled; tables are small and
        # shared, so all of them are offered to every stream that is no look-up itself.
        if stream.role == "lookup":
            return []
        return [other for other in self.settings.streams if other.role == "lookup"]

    def chunk_context(self, stream_name: str, depth: str) -> str:
        """Digest of all that is not in the bytes but touches the rows of a stream's chunks.

        ``depth`` is how far a chunk is taken: ``evidence``, or ``all`` stages.
        """
        stream = self.stream(stream_name)
        lookups: dict[str, str] = {}
        if stream.role != "lookup":
            lookups = {name: self.lookup(name).digest for name in self.compiled(stream_name).lookup_names}
        parts: list[Any] = [engine_digest(), stream_digest(self.settings, stream), lookups, depth]
        if depth == "all":
            parts += [self.evaluation.digests, self.render_digest, self.tokens_digest]
            if self.likeness is not None:
                parts.append(self.likeness.version)
        return digest_of(parts)


_contexts: dict[ContextName, WorkContext] = {}


def provide(context: WorkContext, pipeline_run_id: str) -> ContextName:
    """Make the context available to this process and the workers forked from it."""
    context.pipeline_run_id = pipeline_run_id
    _contexts[context.name] = context
    return context.name


def obtain(name: ContextName) -> WorkContext:
    """The context called ``name``. Raises IntegrityError when the settings are not the run's."""
    context = _contexts.get(name)
    if context is None:
        workspace = Path(name.workspace)
        context = WorkContext(workspace, load_settings(workspace).settings)
        context.pipeline_run_id = name.pipeline_run_id
        if context.settings_digest != name.settings_digest:
            raise IntegrityError.of(
                code="settings_changed",
                what_happened="distill.toml was edited while a run was using it.",
                kept_safe=CHUNKS_KEPT,
                do_next="Run again with the settings as they are now: distill run-all",
                file=str(workspace / paths.SETTINGS),
            )
        _contexts.clear()  # a worker serves one run after the other
        _contexts[name] = context
    return context


def unfit(name: ContextName) -> Fault | None:
    """Why this process, which did not start the run, cannot work for it; None when it can."""
    here = visible(who_acts().host, 100)
    if name.engine != engine_digest():
        return Fault(
            code="worker_engine_differs",
            what_happened=f"The Dask worker on {here} runs engine {engine_digest()[:12]}, "
            f"the run {name.engine[:12]}.",
            kept_safe=CHUNKS_KEPT,
            do_next=f"Install the same distill-console on {here}, restart its workers, then run again",
            value=engine_digest(),
        )
    workspace = Path(name.workspace)
    try:
        holder = last_holder(workspace, paths.LOCK)
    except OSError:
        holder = None
    if holder is None or holder.pipeline_run_id != name.pipeline_run_id:
        return Fault(
            code="worker_sees_no_workspace",
            what_happened=f"The Dask worker on {here} does not see this run's workspace "
            f"at {visible(name.workspace, 300)}.",
            kept_safe=CHUNKS_KEPT,
            do_next=f"Mount the workspace at the same path on {here}, or use --executor processes",
            file=name.workspace,
        )
    return None
