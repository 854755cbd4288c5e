"""The options that commands which change outputs share."""

from __future__ import annotations

import argparse

from pipeline.contracts.faults import Fault, SettingsError
from pipeline.engine.executors import usable_cpus
from pipeline.engine.run_all import RunOptions
from pipeline.settings.model import Settings
from pipeline.settings.values import size_in_bytes

MIN_CHUNK_BYTES = 1024


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workers", type=int, metavar="N", help="processes (default: settings, else one a CPU)"
    )
    parser.add_argument(
        "--chunk-bytes", metavar="SIZE", help="size of a chunk, such as 64KiB (default: settings)"
    )
    parser.add_argument(
        "--executor", default="processes", metavar="NAME", help="processes, or dask://HOST:PORT"
    )
    parser.add_argument("--recorded-at", metavar="TIME", help="the run's clock value, ISO 8601 in UTC")
    parser.add_argument("--no-cache", action="store_true", help="start from scratch: trust no finished chunk")
    parser.add_argument("--allow-empty", action="store_true", help="let an export that had rows become empty")


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
    )


def _bad(option: str, value: str, wanted: str) -> SettingsError:
    return SettingsError(
        Fault(
            code="bad_option",
            what_happened=f"{option} {value} cannot be used.",
            kept_safe="Nothing was changed.",
            do_next=f"Give {wanted}.",
            value=value,
        )
    )
