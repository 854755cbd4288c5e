"""Run the pipeline once in a copy, under a variant's conditions, killed and resumed where it says so."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts.discovery import engine_argv
from pipeline.contracts.faults import ExitCode
from pipeline.determinism.variants import Variant
from pipeline.engine import commit_points
from pipeline.engine.clock import monotonic
from pipeline.platform.process import run
from pipeline.platform.process_end import Ended

# One clock value for all: what still differs then has another cause.
RECORDED_AT = "2000-01-01T00:00:00Z"
_WORDS_SHOWN = 3
# Nobody waits for one run longer than this: a night.
_LIMIT_SECONDS = 12 * 3600.0
_MOST_OUTPUT_BYTES = 16 << 20


@dataclass(frozen=True)
class Trial:
    """How a run went. ``killed`` is whether the SIGKILL that was asked for really came."""

    variant: Variant
    copy: Path
    exit_code: int
    run_hash: str | None
    elapsed_seconds: float
    killed: bool | None
    words: str

    @property
    def ok(self) -> bool:
        return self.exit_code == ExitCode.OK and self.run_hash is not None

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.variant.name,
            "workers": self.variant.workers,
            "chunk_bytes": self.variant.chunk_bytes,
            "environment": self.variant.environment(),
            "umask": f"{self.variant.umask:03o}",
            "crash_at": self.variant.crash_at,
            "killed": self.killed,
            "exit_code": self.exit_code,
            "run_hash": self.run_hash,
            "elapsed_seconds": round(self.elapsed_seconds, 3),
            "said": self.words,
        }


def run_trial(copy: Path, variant: Variant) -> Trial:
    """Run from scratch in ``copy``; a run that was to be killed is then resumed in the same place."""
    began = monotonic()
    killed: bool | None = None
    if variant.crash_at is not None:
        done = _run(copy, variant, {commit_points.VARIABLE: variant.crash_at})
        # A killed worker takes the run down with it, another way than the main process itself.
        killed = done.exit_code is not None and (
            done.exit_code not in (0, *map(int, ExitCode)) or done.exit_code == ExitCode.NOT_EVALUABLE
        )
        if done.exit_code != 0 and not killed:
            return _trial(copy, variant, done, monotonic() - began, killed)
    done = _run(copy, variant, {})
    return _trial(copy, variant, done, monotonic() - began, killed)


def _run(copy: Path, variant: Variant, more: dict[str, str]) -> Ended:
    argv = engine_argv(
        [
            "run-all", "-C", str(copy), "--json", "--recorded-at", RECORDED_AT,
            "--workers", str(variant.workers), "--chunk-bytes", str(variant.chunk_bytes),
        ]
    )  # fmt: skip
    # The engine that is asked is the one that runs.
    environment = dict(os.environ)
    environment.pop(commit_points.VARIABLE, None)
    return run(
        argv,
        limit_seconds=_LIMIT_SECONDS,
        env={**environment, **variant.environment(), **more},
        cwd=copy.parent,
        umask=variant.umask,
        keep_bytes=_MOST_OUTPUT_BYTES,
    )


def _trial(
    copy: Path,
    variant: Variant,
    done: Ended,
    elapsed_seconds: float,
    killed: bool | None,
) -> Trial:
    run_hash = None
    try:
        summary = orjson.loads(done.stdout)
    except orjson.JSONDecodeError:
        summary = None
    if isinstance(summary, dict) and isinstance(summary.get("run_hash"), str):
        run_hash = summary["run_hash"]
    words = done.why or " / ".join(done.said[:_WORDS_SHOWN])
    code = ExitCode.NOT_EVALUABLE if done.exit_code is None else done.exit_code
    return Trial(variant, copy, code, run_hash, elapsed_seconds, killed, words)
