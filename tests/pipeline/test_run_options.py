"""Options of a run: a limit is the last value that is taken, and the next one is refused by name."""

from __future__ import annotations

import argparse

import pytest

from pipeline.commands.run_options import run_options
from pipeline.contracts.faults import SettingsError
from pipeline.engine.executors import usable_cpus
from pipeline.engine.run_all import RunOptions
from pipeline.settings.model import Settings


def options(workers: int | None = None, chunk_bytes: str | None = None) -> RunOptions:
    given = argparse.Namespace(
        workers=workers,
        chunk_bytes=chunk_bytes,
        executor=None,
        no_cache=False,
        allow_empty=False,
        allow_shrink=True,
    )
    return run_options(given, Settings())


@pytest.mark.parametrize(
    ("size", "used"), [("1024", 1024), ("1KiB", 1024), ("1025", 1025), ("8MiB", 8 << 20)]
)
def test_a_chunk_of_a_kibibyte_is_the_smallest(size: str, used: int) -> None:
    assert options(chunk_bytes=size).chunk_bytes == used


@pytest.mark.parametrize("size", ["1023", "0", "a lot", "-1"])
def test_a_smaller_chunk_is_refused_with_the_value(size: str) -> None:
    with pytest.raises(SettingsError) as caught:
        options(chunk_bytes=size)
    assert caught.value.fault.what_happened == f"--chunk-bytes {size} cannot be used."


@pytest.mark.parametrize(("workers", "used"), [(0, usable_cpus()), (1, 1), (1024, 1024)])
def test_up_to_1024_workers_are_started_and_0_is_one_a_cpu(workers: int, used: int) -> None:
    assert options(workers).workers == used


@pytest.mark.parametrize("workers", [-1, 1025])
def test_other_numbers_of_workers_are_refused(workers: int) -> None:
    with pytest.raises(SettingsError) as caught:
        options(workers)
    assert caught.value.fault.what_happened == f"--workers {workers} cannot be used."


def test_what_is_not_given_is_the_settings_and_no_cache_means_no_cache() -> None:
    found = options()
    assert (found.chunk_bytes, found.use_cache, found.allow_empty, found.allow_shrink) == (
        Settings().engine.chunk_bytes,
        True,
        False,
        True,
    )
