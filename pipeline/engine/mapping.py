"""Map all sources on an executor and feed the reduce in order, with a bounded window."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import TypeVar

from pipeline.contracts import events
from pipeline.contracts.categories import CATEGORIES
from pipeline.contracts.faults import CHUNKS_KEPT, InputError, StorageError
from pipeline.contracts.skips import SkipReason
from pipeline.engine.chunk_index import ChunkIndex
from pipeline.engine.chunk_work import ChunkResult, digest_source, digests_of_source, work
from pipeline.engine.clock import monotonic
from pipeline.engine.emit import MappedChunk
from pipeline.engine.executors import is_loss_of_workers
from pipeline.engine.record_work import RecordTask, work_records
from pipeline.engine.reduce import Reducer
from pipeline.engine.run_session import Session
from pipeline.engine.run_state import SourceState
from pipeline.engine.source_plan import PlannedSource, tasks_of
from pipeline.engine.source_troubles import SourceLostError, of_one_file
from pipeline.engine.work_context import WorkContext

T = TypeVar("T")

_STOP_CHECK_SECONDS = 0.2


class CacheEntryGoneError(Exception):
    """A chunk that the last run finished is not whole any more: map without trusting the state."""


@dataclass
class Mapped:
    """All chunks of all sources, in order."""

    chunks: list[MappedChunk] = field(default_factory=list)
    sources: list[PlannedSource] = field(default_factory=list)
    processed: int = 0


class _Progress:
    """Counts for the progress events, and when to send one."""

    def __init__(self, session: Session, bytes_total: int) -> None:
        self._session = session
        self._started = monotonic()
        self.bytes_done = 0
        self.bytes_total = bytes_total
        self.chunks_done = 0

    def tell(self, reducer: Reducer, *, force: bool = False) -> None:
        if not force and not self._session.events.progress_is_due():
            return
        totals: Counter[str] = Counter()
        for counts in reducer.counts.values():
            totals.update(counts)
        elapsed = max(monotonic() - self._started, 1e-6)
        self._session.events.emit(
            events.StageProgress,
            stage="materialize",
            rows_in=totals["lines"],
            rows_out=totals["evidence"],
            skipped=totals["skipped"],
            bytes_done=self.bytes_done,
            bytes_total=self.bytes_total,
            rows_per_second=round(totals["lines"] / elapsed, 1),
            chunks_done=self.chunks_done,
            categories={name: totals[name] for name in CATEGORIES},
            by_stream={name: dict(counts) for name, counts in reducer.counts.items()},
        )


def map_sources(
    session: Session,
    context: WorkContext,
    sources: list[PlannedSource],
    executor: Executor,
    reducer: Reducer,
    *,
    window: int,
    chunk_bytes: int,
    depth: str,
    use_cache: bool,
) -> Mapped:
    """Every chunk through the stages; the reducer has seen all of them afterwards.

    ``window`` bounds the chunks under way, and with it the memory. Raises InterruptedRunError,
    OperatorError, CacheEntryGoneError, or SourceLostError.
    """
    mapped = Mapped(sources=sources)
    progress = _Progress(session, sum(source.size for source in sources))
    progress.tell(reducer, force=True)
    digests: list[tuple[PlannedSource, Future[str]]] = []
    waiting: deque[tuple[PlannedSource, int, Future[ChunkResult] | str]] = deque()
    work_items = _work_items(
        session, context, sources, executor, digests, chunk_bytes, depth, use_cache=use_cache
    )
    by_name = {(source.stream, source.file.relative): source for source in sources}
    exhausted = False
    while waiting or not exhausted:
        while not exhausted and len(waiting) < window:
            item = next(work_items, None)
            if item is None:
                exhausted = True
            else:
                waiting.append(item)
        if not waiting:
            break
        source, chunk_size, pending = waiting.popleft()
        session.check_stop()
        if isinstance(pending, str):
            key = pending
        else:
            result = _of_source(session, source, pending)
            key = result.key
            mapped.processed += result.processed
        index = _index_of(context, key)
        number = len(mapped.chunks)
        reducer.add(number, source.stream, source.role, index)
        mapped.chunks.append(MappedChunk(number, source.stream, source.role, source.file.relative, key))
        source.keys.append(key)
        if not source.are_rows_counted:
            source.rows += index.lines_read
        _note(index, source, by_name)
        progress.bytes_done += chunk_size
        progress.chunks_done += 1
        progress.tell(reducer)
    for source, future in digests:
        source.sha256 = _of_source(session, source, future)
    progress.tell(reducer, force=True)
    return mapped


def _note(index: ChunkIndex, own: PlannedSource, by_name: Mapping[tuple[str, str], PlannedSource]) -> None:
    """What became of the lines of each file. A chunk of groups holds lines of several."""

    def source_of(relative: str) -> PlannedSource:
        return by_name.get((own.stream, relative), own) if relative else own

    own.used += index.lines
    for origin in index.line_origins:
        if origin.members:
            own.used -= 1
            for relative, _, _ in origin.members:
                source_of(relative).used += 1
    for skip in index.skips:
        source = source_of(skip.source_file)
        source.skips[skip.reason] += 1
        if skip.reason == SkipReason.ARCHIVE_DAMAGED:
            source.damage = skip.detail


def _work_items(
    session: Session,
    context: WorkContext,
    sources: list[PlannedSource],
    executor: Executor,
    digests: list[tuple[PlannedSource, Future[str]]],
    chunk_bytes: int,
    depth: str,
    *,
    use_cache: bool,
) -> Iterator[tuple[PlannedSource, int, Future[ChunkResult] | str]]:
    """Chunks in order: a key where the last run's record holds, else a call under way."""
    for source in sources:
        if source.known is not None:
            source.sha256 = source.known.sha256
            share = source.size // max(1, len(source.known.keys))
            for key in source.known.keys:
                yield source, share, key
            continue
        after = _unchanged_beginning(session, executor, source, chunk_bytes)
        if after is not None:
            share = after.last_start // (len(after.keys) - 1)
            for key in after.keys[:-1]:
                yield source, share, key
        try:
            tasks = tasks_of(source, context.name, chunk_bytes, depth, use_cache=use_cache, after=after)
            for task in _interruptibly(session, tasks):
                if isinstance(task, RecordTask):
                    yield source, task.size, submit(session, executor, work_records, task)
                else:
                    yield source, task.chunk.end - task.chunk.start, submit(session, executor, work, task)
        except InputError as error:
            raise SourceLostError(source.stream, source.relative_of(error), error) from error
        if after is None:
            digest = submit(session, executor, digest_source, str(source.bytes_path), source.size)
            digests.append((source, digest))


def _interruptibly(session: Session, items: Iterator[T]) -> Iterator[T]:
    """The same items. A signal ends the search for the next one: a line may be as long as the disk."""
    while True:
        with session.interruptible():
            item = next(items, None)
        if item is None:
            return
        yield item


def _unchanged_beginning(
    session: Session, executor: Executor, source: PlannedSource, chunk_bytes: int
) -> SourceState | None:
    """The last run's record of a file that begins with all that it was then. All its chunks but the last,
    which ended the file, are then known. The file's digest is taken on the way."""
    known = source.grown
    if known is None or known.chunk_bytes != chunk_bytes:
        return None
    sizes = known.bytes, source.size
    pending = submit(session, executor, digests_of_source, str(source.bytes_path), sizes)
    beginning, whole = _of_source(session, source, pending)
    if beginning != known.sha256:
        return None
    source.sha256 = whole
    return known


def _of_source(session: Session, source: PlannedSource, pending: Future[T]) -> T:
    """As ``result_of``. Raises SourceLostError for what costs the source and not the run."""
    try:
        return result_of(session, pending)
    except InputError as error:
        if of_one_file(error):
            raise SourceLostError(source.stream, source.relative_of(error), error) from error
        raise


def _index_of(context: WorkContext, key: str) -> ChunkIndex:
    index = context.cache.load(key)
    if index is None:
        raise CacheEntryGoneError(key)
    return index


def result_of(session: Session, future: Future[T]) -> T:
    """The future's result; a stop asked for meanwhile is honoured. Raises what the call raised."""
    while True:
        # Asked before the wait: one that ends during it has raised no TimeoutError of its own.
        was_done = future.done()
        try:
            return future.result(timeout=_STOP_CHECK_SECONDS)
        except FutureTimeoutError:
            if was_done:
                raise
            session.check_stop()
        except Exception as error:
            if not is_loss_of_workers(error):
                raise
            session.check_stop()
            raise _worker_died() from error


def submit(session: Session, executor: Executor, call: Callable[..., T], *arguments: object) -> Future[T]:
    """Hand a call to the workers. Raises StorageError when they are dead already."""
    try:
        return executor.submit(call, *arguments)
    except Exception as error:
        if not is_loss_of_workers(error):
            raise
        session.check_stop()
        raise _worker_died() from error


def _worker_died() -> StorageError:
    return StorageError.of(
        code="worker_died",
        what_happened="A worker process died (killed, or out of memory).",
        kept_safe=CHUNKS_KEPT,
        do_next="Look at the system log, then: distill run-all --workers 1",
    )
