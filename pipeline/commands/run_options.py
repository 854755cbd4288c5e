"""The options that commands which change outputs share."""

from __future__ import annotations

import argparse

from pipeline.contracts.faults import SettingsError
from pipeline.engine.executors import usable_cpus
from pipeline.engine.run_all import RunOptions
from pipeline.settings.model import Settings
from pipeline.settings.values import size_in_bytes

MIN_CHUNK_BYTES = 1024


def run_options(arguments: argparse.Namespace, settings: Settings) -> RunOptions:
    """Flags over settings over defaults. Raises SettingsError."""
    workers = arguments.workers if arguments.workers is not None else settings.engine.workers
    if workers < 0 or workers > 1024:
        raise _bad("--workers", str(workers), "a number from 1 to 1024 (0: one a CPU)")
    chunk_bytes = settings.engine.chunk_bytes
    if arguments.chunk_bytes is not None:
        try:
            chunk_bytes = size_in_bytes(arguments.chunk_bytes)
        except ValueError as error:
            raise _bad("--chunk-bytes", arguments.chunk_bytes, "a size such as 64KiB or 8MiB") from error
        if chunk_bytes < MIN_CHUNK_BYTES:
            raise _bad("--chunk-bytes", arguments.chunk_bytes, "at least 1KiB")
    return RunOptions(
        workers=workers or usable_cpus(),
        chunk_bytes=chunk_bytes,
        executor=arguments.executor,
        use_cache=not arguments.no_cache,
        allow_empty=arguments.allow_empty,
        allow_shrink=arguments.allow_shrink,
    )


def _bad(option: str, value: str, wanted: str) -> SettingsError:
    return SettingsError.of(
        code="bad_option",
        what_happened=f"{option} {value} cannot be used.",
        kept_safe="Nothing was changed.",
        do_next=f"Give {wanted}.",
        value=value,
    )
