"""What was read of a journal once is missed when it is not there any more; what is appended is free."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import cli
from pipeline.contracts import paths
from pipeline.reading import journal_damage, journal_memory
from pipeline.reading.journal_memory import NOTHING, read_memory
from runbook.change.incident import open_incident
from runbook.change.plan import FileState, Kept, WriteFile
from runbook.probes.workspace import Workspace
from tests.pipeline.audit.audited import audit, build, passing_acceptance
from tests.runbook.carrying_out import carried_out, taken_back
from tests.runbook.workspaces import direct

BASELINES, MEMORY, REPORT = paths.AUDIT_BASELINES, paths.JOURNAL_MEMORY, paths.AUDIT_DATA
ACCEPTED = b'{"notes": "by hand", "metrics": {"rows.evidence": 3}}\n'


@pytest.fixture(scope="module")
def twice_audited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Audited twice, with a replay log and an incident."""
    folder = tmp_path_factory.mktemp("journals")
    workspace = build(folder / "w")
    (workspace / paths.REPLAY_RUNS).write_bytes(b'{"replay": 1}\n{"replay": 2}\n')
    open_incident(workspace, "S2.drift", "moved").journal.append("opened", "detected")
    report = passing_acceptance(folder / "acceptance.json")
    for _ in range(2):
        assert audit(workspace, "--acceptance-report", str(report))["exit_code"] == 0
    return workspace


@pytest.fixture
def workspace(twice_audited: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(twice_audited, tmp_path / "w"))


@pytest.fixture
def full_audit(twice_audited: Path) -> Callable[[Path], dict[str, object]]:
    report = str(twice_audited.with_name("acceptance.json"))
    return lambda workspace: audit(workspace, "--acceptance-report", report)


def _said(workspace: Path) -> str:
    (check,) = audit(workspace, "--check", "P5.journals")["checks"]
    assert (check["status"] == "fail") == bool(check["failed"])
    return str(check["detail"]) if check["failed"] else ""


def _incident(workspace: Path) -> Path:
    return next((workspace / paths.INCIDENTS).iterdir())


def _events(workspace: Path) -> Path:
    return max((workspace / paths.REPORTS).glob("2*/events.jsonl"))


def test_what_an_audit_read_is_there_and_a_first_sight_is_no_alarm(workspace: Path) -> None:
    assert _said(workspace) == ""
    known = read_memory(workspace).known
    assert {str(BASELINES), str(paths.REPLAY_RUNS), str(REPORT)} < set(known)
    (workspace / MEMORY).unlink()
    data = json.loads((workspace / REPORT).read_bytes())
    del data["journal_memory"]  # as an older version left it
    (workspace / REPORT).write_text(json.dumps(data))
    assert _said(workspace) == ""


@pytest.mark.parametrize("name", [BASELINES, paths.REPLAY_RUNS])
def test_rows_appended_by_hand_are_free(workspace: Path, name: object) -> None:
    with (workspace / str(name)).open("ab") as file:
        file.write(ACCEPTED)
    assert _said(workspace) == ""


@pytest.mark.parametrize("cut", [1, 5, 10_000])
def test_a_journal_of_baselines_that_was_cut_is_said_and_nothing_is_seeded(
    workspace: Path, cut: int, full_audit: Callable[[Path], dict[str, object]]
) -> None:
    place = workspace / BASELINES
    data = place.read_bytes()
    left = data[:-cut] if cut < len(data) else b""
    place.write_bytes(left)
    for _ in range(2):  # it goes on being missed
        report = full_audit(workspace)
        (said,) = [each["detail"] for each in report["checks"] if each["id"] == "P5.journals"]  # type: ignore[attr-defined]
        line = left.count(b"\n") + 1
        cut_to = f"was cut: {len(data):,} bytes of it were read, and {len(left):,} are there"
        assert f"{BASELINES}:{line} {cut_to}" in said
        assert any("the baseline was not moved" in note for note in report["notes"])  # type: ignore[attr-defined]
        assert place.read_bytes() == left


def test_each_flipped_byte_of_a_journal_is_said(workspace: Path) -> None:
    place = workspace / BASELINES
    data = place.read_bytes()
    memory = read_memory(workspace)
    for at in range(0, len(data), 7):
        place.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        assert "was changed" in journal_damage.broken(workspace, memory)[str(BASELINES)], at


@pytest.mark.parametrize(
    "place",
    [
        lambda root: root / BASELINES,
        lambda root: root / paths.REPLAY_RUNS,
        lambda root: root / REPORT,
        lambda root: _incident(root) / "incident.json",
        _events,
    ],
    ids=["baselines", "replay log", "report", "incident.json", "events"],
)
@pytest.mark.parametrize("how", ["gone", "cut", "changed"])
def test_a_file_that_was_read_and_is_not_the_same_is_named(
    workspace: Path, place: Callable[[Path], Path], how: str
) -> None:
    file = place(workspace)
    data = file.read_bytes()
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(data[:-2] if how == "cut" else data[:3] + b"#" + data[4:])
    said = _said(workspace)
    assert file.relative_to(workspace).as_posix() in said
    assert ("is gone" in said) == (how == "gone")
    assert "distill baseline adopt" in said


def test_what_is_remembered_is_held_by_the_report(
    workspace: Path, full_audit: Callable[[Path], dict[str, object]]
) -> None:
    lines = (workspace / MEMORY).read_bytes().splitlines(keepends=True)
    assert len(lines) == 2
    (workspace / MEMORY).write_bytes(lines[0].replace(b'"by": "audit-full"', b'"by": "somebody"') + lines[1])
    assert "was edited" in _said(workspace)
    (workspace / MEMORY).write_bytes(lines[0] + b"#" + lines[1])
    assert "line 2 is none of its lines" in _said(workspace)
    (workspace / MEMORY).write_bytes(lines[1])
    assert "does not follow the line before it" in _said(workspace)
    (workspace / MEMORY).write_bytes(lines[0])
    assert f"{REPORT} was c" in _said(workspace)  # the line that knows this report is gone
    (workspace / MEMORY).unlink()
    assert "the tail is gone" in _said(workspace)
    full_audit(workspace)
    assert f"{MEMORY} " in _said(workspace), "until somebody takes it as it is"


def test_a_line_that_was_cut_off_while_it_was_remembered_is_no_alarm(workspace: Path) -> None:
    data = (workspace / MEMORY).read_bytes()
    before = read_memory(workspace)
    for cut in range(len(data.splitlines()[0]) + 2, len(data)):
        (workspace / MEMORY).write_bytes(data + data[len(data.splitlines()[0]) + 1 : cut])
        assert read_memory(workspace) == before
    journal_memory.remember(workspace, {str(BASELINES): [NOTHING]}, by="a test")
    assert read_memory(workspace).problems == []


def test_what_was_changed_on_purpose_is_adopted_with_a_reason(
    workspace: Path, full_audit: Callable[[Path], dict[str, object]], capsys: pytest.CaptureFixture[str]
) -> None:
    (workspace / BASELINES).write_bytes(ACCEPTED)
    (workspace / paths.REPLAY_RUNS).unlink()
    (workspace / MEMORY).write_bytes((workspace / MEMORY).read_bytes().splitlines(keepends=True)[0])
    words = ["baseline", "adopt", "-C", str(workspace)]
    assert cli.main(words) == 2
    assert cli.main([*words, "--note", "restored from the backup"]) == 0
    told = capsys.readouterr().out
    assert f"adopted  {BASELINES}  was c" in told
    assert f"adopted  {paths.REPLAY_RUNS}  is gone" in told
    assert _said(workspace) == ""
    full_audit(workspace)
    assert _said(workspace) == ""
    assert cli.main([*words, "--note", "again"]) == 0
    assert "nothing to adopt" in capsys.readouterr().out
    assert b"restored from the backup" in (workspace / MEMORY).read_bytes()


@pytest.mark.parametrize("by", ["command", "hand"])
def test_a_replay_log_that_was_rotated_is_no_alarm(workspace: Path, by: str) -> None:
    log = workspace / paths.REPLAY_RUNS
    if by == "hand":
        log.rename(log.with_name("replay_runs.archive.17.jsonl"))
    else:
        assert cli.main(["rotate-replay-log", "--force", "-C", str(workspace)]) == 0
    assert _said(workspace) == ""
    for archive in log.parent.glob("replay_runs.archive.*"):
        archive.write_bytes(gzip.compress(b"other rows\n"))
    assert f"{paths.REPLAY_RUNS}{':1' * (by == 'command')} " in _said(workspace)


def test_a_run_or_an_incident_that_was_tidied_up_is_not_missed_here(workspace: Path) -> None:
    shutil.rmtree(_incident(workspace))
    shutil.rmtree(_events(workspace).parent)
    assert _said(workspace) == ""


def test_a_plan_that_puts_a_journal_back_and_its_undo_are_no_alarm(workspace: Path) -> None:
    before = (workspace / BASELINES).read_bytes()
    session = direct(Workspace(workspace))
    planning = session.planning()
    data = before.splitlines(keepends=True)[0][:-9] + b"\n"
    state = planning.state(str(BASELINES))
    after = FileState(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), mode=state.mode)
    content = Kept(sha256=hashlib.sha256(data).hexdigest())
    step = WriteFile(path=str(BASELINES), before=state, after=after, content=content, says="put it back")
    carried_out(session, planning.draft("test", "put it back", [step], undo="again", contents=[data]))
    assert (workspace / BASELINES).read_bytes() == data
    assert _said(workspace) == ""
    taken_back(session)
    assert (workspace / BASELINES).read_bytes() == before
    assert _said(workspace) == ""
    (workspace / BASELINES).write_bytes(b"neither\n")
    assert f"{BASELINES}:2 was c" in _said(workspace)
