"""What cannot be read is told with its path, and nothing that rests on it is green."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from console.reading.workspace_reader import WorkspaceReader
from console.state.derive import advance
from console.state.view_state import ReadFailed, StatusRead, ViewState, initial
from pipeline.contracts import paths
from pipeline.contracts.status import FirewallWord, PhaseState, WorkspaceStatus
from tests.console.other_user import open_folder, unprivileged
from tests.console.workspaces import FINISHED, NOW, RUN_ID, audit, check, workspace_after_a_run, write

AUDIT = paths.AUDIT_DATA


@pytest.fixture
def root() -> Iterator[Path]:
    """A workspace with every kind of report, which an unprivileged account may read."""
    with open_folder() as folder:
        root = workspace_after_a_run(folder / "logs")
        write(root, AUDIT, audit([check("P1.versions-pinned"), check("P7.replay")]))
        yield root


def look(root: Path) -> WorkspaceStatus | str:
    """The status, or the words that say why there is none."""
    try:
        return WorkspaceReader(root).read(NOW)
    except OSError as error:
        return str(error)


def words(status: WorkspaceStatus | ViewState) -> dict[str, PhaseState]:
    return {phase.id: phase.state for phase in status.phases}


def refused(root: Path, place: object) -> WorkspaceStatus:
    (root / str(place)).chmod(0)
    status = unprivileged(lambda: look(root))
    assert isinstance(status, WorkspaceStatus)
    return status


def test_all_is_readable_before_anything_is_refused(root: Path) -> None:
    status = unprivileged(lambda: look(root))
    assert isinstance(status, WorkspaceStatus)
    assert words(status)["P2"] is words(status)["P8"] is PhaseState.OK


def test_a_removed_workspace_is_told_as_removed(root: Path) -> None:
    shutil.rmtree(root)
    assert look(root) == f"{root} was removed, moved or unmounted"
    assert look(root / "a/b") == f"{root / 'a/b'} was removed, moved or unmounted, with {root}"


def test_a_file_in_the_place_of_a_workspace_is_told(root: Path) -> None:
    shutil.rmtree(root)
    root.write_text("")
    assert look(root) == f"{root}: Not a directory"


def test_a_folder_that_may_not_be_entered_is_named_not_the_workspace_beneath(root: Path) -> None:
    root.parent.chmod(0o600)
    assert unprivileged(lambda: look(root)) == f"permission denied on {root.parent}"
    root.parent.chmod(0o755)
    root.chmod(0o311)  # may be entered, may not be listed
    assert unprivileged(lambda: look(root)) == f"permission denied on {root}"


def test_a_refused_folder_of_runs_is_no_workspace_without_runs(root: Path) -> None:
    status = refused(root, paths.REPORTS)
    why = f"{paths.REPORTS} cannot be read: Permission denied"
    assert [words(status)[phase] for phase in ("P2", "P3", "P4", "P5")] == [PhaseState.UNKNOWN] * 4
    assert status.rows.origin.why == why
    assert next(phase for phase in status.phases if phase.id == "P2").detail == why
    assert why in status.notes


def test_a_refused_summary_or_receipt_is_unknown_and_no_damage(root: Path) -> None:
    folder = paths.receipts_folder(RUN_ID)
    for place in (folder / "score.json", folder, paths.summary_file(RUN_ID).parent):
        status = refused(root, place)
        assert [words(status)[phase] for phase in ("P2", "P3", "P4", "P5")] == [PhaseState.UNKNOWN] * 4
        assert status.symptoms == ()


def test_a_refused_audit_is_unknown_and_not_never(root: Path) -> None:
    status = refused(root, AUDIT)
    assert [words(status)[phase] for phase in ("P1", "P7", "P8")] == [PhaseState.UNKNOWN] * 3
    assert words(status)["P2"] is PhaseState.OK


def test_a_garbage_audit_is_unknown_and_not_never(root: Path) -> None:
    write(root, AUDIT, "{")
    status = look(root)
    assert isinstance(status, WorkspaceStatus)
    assert words(status)["P8"] is PhaseState.UNKNOWN


def test_a_refused_export_is_neither_gone_nor_green(root: Path) -> None:
    status = refused(root, paths.SFT_EXPORT.parent)
    assert words(status)["P4"] is words(status)["P5"] is PhaseState.STALE
    assert f"{paths.SFT_EXPORT} cannot be read" in next(p for p in status.phases if p.id == "P4").origin.why
    assert status.symptoms == ()
    assert status.firewall.state is FirewallWord.UNKNOWN
    assert status.firewall.detail == f"permission denied on {root / paths.SFT_EXPORT.parent}"


def test_a_refused_recon_doc_is_not_called_missing(root: Path) -> None:
    status = refused(root, paths.RECON_DOC.parent)
    assert words(status)["P0"] is PhaseState.UNKNOWN
    assert status.symptoms == ()


def test_a_refused_lock_is_not_called_free(root: Path) -> None:
    write(root, paths.LOCK, "{}")
    status = refused(root, paths.STATE)
    assert status.lock.origin.why == f"permission denied on {root / paths.STATE}"


def test_what_was_green_is_unknown_once_the_workspace_does_not_answer(root: Path) -> None:
    read = look(root)
    assert isinstance(read, WorkspaceStatus)
    state = advance(initial(str(root)), StatusRead(read), NOW)
    assert PhaseState.OK in words(state).values()
    gone = advance(state, ReadFailed(f"{root} was removed"), NOW)
    assert set(words(gone).values()) == {PhaseState.UNKNOWN}
    assert gone.rows.origin.why == gone.drift.note == f"{root} was removed"
    assert gone.rows.total.accepted == state.rows.total.accepted  # what was known, with its age
    assert gone.firewall.state is FirewallWord.UNKNOWN
    back = advance(gone, StatusRead(read), NOW)
    assert words(back) == words(state)


def test_a_failure_stays_one_when_the_workspace_does_not_answer(root: Path) -> None:
    write(root, AUDIT, audit([check("P3.coverage", "fail")], finished=FINISHED + timedelta(seconds=9)))
    read = look(root)
    assert isinstance(read, WorkspaceStatus)
    state = advance(initial(str(root)), StatusRead(read), NOW)
    assert words(advance(state, ReadFailed("gone"), NOW))["P3"] is PhaseState.FAIL
