"""A Dask cluster that shares the workspace's file system, as an executor.

Each worker is asked before the first chunk whether it runs this engine and sees this workspace,
and each one that joins later asks itself before its first. Dask gives the chunks of
a worker that died to another; it waits without end for a scheduler or workers that do not come
back, so that ``check`` says when they are gone.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future
from typing import Any

from pipeline.contracts.faults import CHUNKS_KEPT, EngineUnavailableError, Fault, IntegrityError
from pipeline.contracts.untrusted import visible
from pipeline.engine.work_context import ContextName, unfit

_CONNECT_SECONDS = 10
_ANSWER_SECONDS = 30
_GOODBYE_SECONDS = 5
_LOOK_EVERY_SECONDS = 2
_WITHOUT_WORKERS_SECONDS = 120


class _Answer(Future[Any]):
    """What a worker is to answer; waiting for it also asks whether the cluster is still there."""

    def __init__(self, future: Any, cluster: ClusterExecutor) -> None:
        super().__init__()
        self._future = future  # distributed.Future: its methods have no types
        self._cluster = cluster

    def done(self) -> bool:
        return bool(self._future.done())

    def result(self, timeout: float | None = None) -> Any:
        from distributed import wait

        is_done = self.done()
        try:
            if not is_done:
                wait(self._future, timeout)  # type: ignore[no-untyped-call]
            return self._future.result(_ANSWER_SECONDS)
        except TimeoutError:
            if not is_done:
                self._cluster.check()
            raise
        except Exception as error:
            if _is_of_the_cluster(error):
                raise self._cluster.lost(error) from error
            raise


def _is_of_the_cluster(error: Exception) -> bool:
    """Whether Dask failed, and not the call: what a call raises arrives as what it was."""
    return isinstance(error, CancelledError) or type(error).__module__.partition(".")[0] == "distributed"


def _fit_call(run: ContextName, fn: Callable[..., Any], *args: Any) -> Any:
    """On a worker: ``fn``, unless the worker cannot work for ``run``. Raises IntegrityError, or as ``fn``."""
    if run not in _fit:
        if refusal := unfit(run):
            raise IntegrityError(refusal)
        _fit.add(run)
    return fn(*args)


_fit: set[ContextName] = set()


class ClusterExecutor(Executor):
    """Hands calls to the workers of ``client``'s cluster that are fit for ``run``."""

    def __init__(self, client: Any, address: str, run: ContextName) -> None:
        self._client = client  # distributed.Client: its methods have no types
        self._address = address
        self._run = run
        self._looked = self._seen = time.monotonic()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return _Answer(self._client.submit(_fit_call, self._run, fn, *args, **kwargs, pure=False), self)

    def check(self) -> None:
        """Raises EngineUnavailableError when the scheduler is gone, or every worker for two minutes."""
        if self._client.status != "running":
            raise self.lost(CancelledError())
        now = time.monotonic()
        if now - self._looked < _LOOK_EVERY_SECONDS:
            return
        self._looked = now
        if self._workers():
            self._seen = now
        elif now - self._seen > _WITHOUT_WORKERS_SECONDS:
            raise _no_worker(self._address, f"for {_WITHOUT_WORKERS_SECONDS} s")

    def lost(self, error: Exception) -> EngineUnavailableError:
        """``error`` in an operator's words. KilledWorker alone comes from a scheduler that is there."""
        if type(error).__name__ != "KilledWorker":
            return EngineUnavailableError.of(
                code="dask_lost",
                what_happened=f"The Dask scheduler at {self._address} went away during the run.",
                kept_safe=CHUNKS_KEPT,
                do_next="Start it and its workers again, then repeat the command: "
                "finished chunks are not mapped again",
                value=self._address,
            )
        return EngineUnavailableError.of(
            code="worker_died",
            what_happened="Dask gave a chunk up: each worker that took it died (killed, out of memory).",
            kept_safe=CHUNKS_KEPT,
            do_next="Look at the workers' logs, then: distill run-all --workers 1",
            value=self._address,
        )

    def _workers(self) -> int:
        try:
            known = self._client.sync(self._client.scheduler.identity, callback_timeout=_GOODBYE_SECONDS)
        except (OSError, TimeoutError):
            return 0
        return len(known["workers"])


@contextlib.contextmanager
def open_cluster(address: str, run: ContextName) -> Iterator[ClusterExecutor]:
    """The workers of the scheduler at ``HOST:PORT``, each fit for ``run``.

    Raises EngineUnavailableError.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise EngineUnavailableError.of(
            code="dask_missing",
            what_happened="--executor dask://… needs the package distributed, which is not installed.",
            kept_safe="Nothing was changed.",
            do_next="pip install 'distill-console[dask]', or use --executor processes",
        ) from error
    logging.disable()  # Dask logs traces of what is caught here, and told in three lines
    try:
        client: Any = Client(f"tcp://{address}", timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise EngineUnavailableError.of(
            code="dask_unreachable",
            what_happened=f"No Dask scheduler answers at {visible(address, 200)}.",
            kept_safe="Nothing was changed.",
            do_next="Start one (dask scheduler; dask worker), or use --executor processes",
            value=address,
        ) from error
    try:
        _meet(client, address, run)
        with client.as_current():
            yield ClusterExecutor(client, visible(address, 200), run)
    finally:
        with contextlib.suppress(OSError, TimeoutError):
            client.close(timeout=_GOODBYE_SECONDS)


def _meet(client: Any, address: str, run: ContextName) -> None:
    """Ask each worker whether it can work for ``run``. Raises EngineUnavailableError."""
    with contextlib.suppress(TimeoutError):
        client.wait_for_workers(1, timeout=_CONNECT_SECONDS)
    answers = client.run(unfit, run, on_error="return")
    if not answers:
        raise _no_worker(address, f"within {_CONNECT_SECONDS} s")
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, Fault):
            raise EngineUnavailableError(answer)
        if answer is not None:
            raise EngineUnavailableError.of(
                code="worker_engine_differs",
                what_happened=f"The Dask worker {visible(str(worker), 200)} cannot run this engine: "
                f"{visible(repr(answer), 200)}.",
                kept_safe="Nothing was changed.",
                do_next="Install the same distill-console there, restart its workers, then run again",
                value=str(worker),
            )


def _no_worker(address: str, how_long: str) -> EngineUnavailableError:
    return EngineUnavailableError.of(
        code="dask_without_workers",
        what_happened=f"The Dask scheduler at {visible(address, 200)} had no worker {how_long}.",
        kept_safe=CHUNKS_KEPT,
        do_next=f"Start workers (dask worker tcp://{visible(address, 200)} --nthreads 1), "
        "then repeat the command",
        value=address,
    )
