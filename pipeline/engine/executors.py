"""On what the chunks run: any ``concurrent.futures.Executor``.

``inline`` (one worker), processes on this machine (the default), or a Dask cluster that shares
the workspace's file system. Workers hold nothing that a run needs: they may die.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager
from multiprocessing import active_children, get_context
from typing import TYPE_CHECKING, Any

from pipeline.contracts.faults import SettingsError
from pipeline.engine.allocator import return_large_blocks
from pipeline.platform.first_act import die_with

if TYPE_CHECKING:
    from pipeline.engine.work_context import ContextName

Around = Callable[[], AbstractContextManager[None]]


class InlineExecutor(Executor):
    """Runs each call at once, in this process, in the block that ``around`` makes."""

    def __init__(self, around: Around = contextlib.nullcontext) -> None:
        self._around = around

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            with self._around():
                future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - handed on through the future, as any executor does
            future.set_exception(error)
        return future


def for_outputs(executor: Executor, around: Around) -> Executor:
    """What outputs are written by: this machine, also where a cluster maps.

    A worker of a cluster that was given up may still be writing: harmless in the chunk cache, whose
    entries are named by what they hold and renamed into place, and not in an output.
    """
    return executor if isinstance(executor, InlineExecutor | ProcessPoolExecutor) else InlineExecutor(around)


def is_loss_of_workers(error: BaseException) -> bool:
    """Whether a call failed because whoever carried it out is gone, and not by itself."""
    return isinstance(error, BrokenExecutor | CancelledError)


def usable_cpus() -> int:
    """CPUs that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _become_worker(parent: int, forget: Callable[[], None]) -> None:
    """First act of a forked worker: die with the parent, leave signals and the lock to it."""
    forget()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with(parent)
    gc.disable()


@contextlib.contextmanager
def open_executor(
    name: str,
    workers: int,
    forget_lock: Callable[[], None],
    run: ContextName,
    around: Around = contextlib.nullcontext,
) -> Iterator[Executor]:
    """The executor called ``name`` (``processes`` or ``dask://HOST:PORT``) for the block.

    ``around`` makes a block for each call that this process carries out by itself; the workers of a
    cluster must be fit for ``run``.
    Raises SettingsError for an unknown name, EngineUnavailableError for a cluster out of reach.
    """
    if name.startswith("dask://"):
        from pipeline.engine.cluster import open_cluster

        with open_cluster(name.removeprefix("dask://"), run) as cluster:
            yield cluster
        return
    if name != "processes":
        raise SettingsError.of(
            code="unknown_executor",
            what_happened=f"--executor {name!r} is not known.",
            kept_safe="Nothing was changed.",
            do_next="Use processes, or dask://HOST:PORT with the extra distill-console[dask].",
            value=name,
        )
    return_large_blocks()
    if workers == 1:
        with _without_collector():
            yield InlineExecutor(around)
        return
    # Forked workers share the imported modules' memory with this process. The parent has no
    # threads of its own when they start: the pool forks all of them at the first submit.
    gc.collect()
    gc.freeze()
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("fork"),
        initializer=_become_worker,
        initargs=(os.getpid(), forget_lock),
    )
    try:
        with _without_collector():
            yield pool
    except BaseException:
        # The end of this process would wait for a call under way; a worker holds nothing that is missed.
        for worker in active_children():
            worker.kill()
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown(wait=True)


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Rows and indexes are trees: reference counts free them, and a collector only walks them again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.freeze()  # else the next collection walks all that was made meanwhile
            gc.enable()
