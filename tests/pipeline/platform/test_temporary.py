"""Where no folder takes a temporary file, that is a fault of storage, and what needs none goes on."""

from __future__ import annotations

import errno
import gzip
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from pipeline.acceptance.temp_root import temp_root
from pipeline.contracts.faults import ExitCode, StorageError
from pipeline.determinism.copies import private_folder
from pipeline.platform import temporary
from pipeline.platform.engine_choice import choose_engine, trust_what_we_made
from pipeline.storage.source_reader import SourceReader
from tests.warm_processes import REPOSITORY


@pytest.fixture
def no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)


def _enter(block: object) -> None:
    with block:  # type: ignore[attr-defined]  # each case has one
        pytest.fail("there is no such folder")


@pytest.mark.usefixtures("no_place")
@pytest.mark.parametrize(
    "use",
    [
        temporary.temporary_place,
        temporary.file_without_name,
        lambda: temporary.new_folder("x"),
        lambda: _enter(temporary.folder_for_now("x")),
        lambda: _enter(private_folder()),
        lambda: _enter(temp_root()),
    ],
)
def test_no_place_is_a_fault_of_storage_that_says_what_to_do(use: Callable[[], object]) -> None:
    with pytest.raises(StorageError) as refused:
        use()
    fault = refused.value.fault
    assert fault.code == "no_temporary_folder"
    assert "No usable temporary directory" in fault.what_happened
    assert "TMPDIR" in fault.do_next


def test_an_archive_that_finds_no_room_is_no_source_that_ends_early(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the rows behind the full disk would be left out, and the run be well."""
    place = tmp_path / "runs.jsonl.gz"
    place.write_bytes(gzip.compress(b'{"row": 1}\n' * 1000))

    class Full:
        def write(self, _data: bytes) -> NoReturn:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pipeline.storage.source_reader.file_without_name", Full)
    with pytest.raises(StorageError, match="No space left"):
        SourceReader(place)


def test_an_engine_that_was_copied_runs_without_a_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    root = tmp_path / "w"
    (root / "pipeline").mkdir(parents=True)
    (root / "pipeline/__init__.py").write_text("")
    (root / "distill.toml").write_text('[engine]\nsource = "workspace"\n')
    trust_what_we_made(root)
    before = choose_engine(root)
    assert before.source == "workspace"

    def refuse() -> NoReturn:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", refuse)
    assert choose_engine(root) == before


def test_where_nothing_can_be_written_a_drill_ends_with_a_fault_of_storage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "console", "drill", "start", "S6.replay-log"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert done.returncode == ExitCode.NOT_EVALUABLE, done.stderr
    assert "a temporary file could not be written" in done.stderr.lower()
    assert "bug" not in done.stderr
