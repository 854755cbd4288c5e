"""Files of the engine's own that no run would write so large: named or made again, never read."""

from __future__ import annotations

import shutil
from pathlib import Path, PurePosixPath

import pytest

from pipeline.contracts import paths
from pipeline.engine import last_clear
from pipeline.engine.intent import read_intent
from pipeline.platform import confined, disk, disk_faults
from pipeline.settings.load import load_settings
from tests.pipeline.engine.workspaces import output_bytes, run_all

HUGE = 2**40


def lengthen(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        file.truncate(HUGE)
    return path


@pytest.fixture
def workspace(tmp_path: Path, ran: Path) -> Path:
    shutil.copytree(ran, tmp_path / "w")
    return tmp_path / "w"


@pytest.mark.parametrize("place", [paths.RUN_STATE, paths.LAST_CLEAR, paths.STAGED_LOOK])
def test_what_can_be_made_again_is_made_again(workspace: Path, place: PurePosixPath) -> None:
    before = output_bytes(workspace)
    lengthen(workspace / place)
    assert run_all(workspace)["exit_code"] == 0
    assert output_bytes(workspace) == before


def test_an_open_commit_is_named_with_its_size_and_what_to_do(workspace: Path) -> None:
    path = lengthen(workspace / paths.INTENT)
    with pytest.raises(disk_faults.TooLargeError) as raised:
        read_intent(workspace)
    fault = disk_faults.storage_fault(raised.value, workspace).fault
    assert (fault.code, fault.file) == ("too_large", str(path))
    assert f"{path} could not be read: it has 1,099,511,627,776 bytes" in fault.what_happened
    assert fault.do_next.startswith(f"Move {path} aside")


def test_a_whole_file_below_a_workspace_is_bounded_too(workspace: Path) -> None:
    lengthen(workspace / "reports/any.json")
    with pytest.raises(disk_faults.TooLargeError):
        confined.read_bytes(workspace, "reports/any.json")


def test_a_line_that_is_no_row_is_named_as_soon_as_it_is_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MOST_LINE_BYTES", 2**20)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"{}\n")
    with disk.open_to_read(lengthen(path)) as file:
        lines = disk.lines_in(file, path)
        assert next(lines) == b"{}\n"
        with pytest.raises(disk_faults.TooLargeError, match="line 2 is over 1 MiB"):
            next(lines)
        assert file.tell() == 3 + 2**20 + 1


def test_files_that_no_run_wrote_are_digested_within_a_bound(workspace: Path) -> None:
    settings = load_settings(workspace).settings
    assert last_clear.digests_now(workspace, settings) is not None
    lengthen(workspace / paths.EXPORTS / "beside.jsonl")
    assert last_clear.digests_now(workspace, settings) is None
