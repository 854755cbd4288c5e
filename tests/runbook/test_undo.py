from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.schemas.baseline import AuditBaseline
from runbook.actions.rerun_stage import plan_command
from runbook.change.apply import StepFailedError
from runbook.change.plan import ABSENT, Draft, FileState, Kept, RemoveFile, RenameFile, Step, WriteFile
from runbook.change.planning import Planning, joined
from runbook.change.refusals import PlanVoidError, RefusedError
from runbook.change.undo import _revocation
from runbook.probes.workspace import Workspace
from runbook.wizard.session import WizardSession
from tests.runbook.carrying_out import carried_out, taken_back
from tests.runbook.workspaces import SFT, direct, make_workspace, tree

BASELINES = "data/_kb/audit_baselines.jsonl"
NAMES = ("a", "folder/b", "folder/deep/c")
_CONTENT = st.binary(max_size=20)
_FILES = st.dictionaries(st.sampled_from(NAMES), st.tuples(_CONTENT, st.sampled_from([0o600, 0o644, 0o755])))
_VERBS = st.lists(
    st.tuples(st.sampled_from(["write", "remove", "rename"]), st.sampled_from(NAMES), _CONTENT), max_size=6
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=_FILES, verbs=_VERBS)
def test_apply_then_undo_is_identity(
    tmp_path_factory: pytest.TempPathFactory,
    files: dict[str, tuple[bytes, int]],
    verbs: list[tuple[str, str, bytes]],
) -> None:
    root = tmp_path_factory.mktemp("w")
    workspace = Workspace(root)
    for name, (data, mode) in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
        (root / name).chmod(mode)
    session = direct(workspace)
    draft = _draft(session.planning(), verbs)
    if draft is None:
        return
    before = tree(root)
    if not carried_out(session, draft).changed_anything:
        with pytest.raises(RefusedError, match="Nothing here"):
            session.plan_taking_back()
        return
    taken_back(session)
    assert tree(root) == before


def _draft(planning: Planning, verbs: list[tuple[str, str, bytes]]) -> Draft | None:
    """Steps that fit each other: each starts from what the one before it left."""
    states = {name: planning.state(name) for name in NAMES}
    steps: list[Step] = []
    contents = []
    for number, (verb, name, data) in enumerate(verbs):
        before = states[name]
        if verb == "write":
            digest = hashlib.sha256(data).hexdigest()
            after = FileState(sha256=digest, bytes=len(data), mode=before.mode or 0o640)
            steps.append(WriteFile(path=name, before=before, after=after, content=Kept(sha256=digest)))
            contents.append(data)
            states[name] = after
        elif before.is_absent:
            continue
        elif verb == "remove":
            steps.append(RemoveFile(path=name, before=before))
            states[name] = ABSENT
        else:
            steps.append(RenameFile(path=name, to=f"{name}.aside-{number}", before=before))
            states[name] = ABSENT
    return planning.draft("test", "verbs", steps, undo="all of it", contents=contents) if steps else None


def test_a_command_is_taken_back_with_every_file_and_folder_it_made(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    before = tree(workspace.root)
    session = direct(workspace)
    words = [
        "run-all",
        "write",
        SFT,
        "new",
        "write",
        "exports/rag/deep/x.jsonl",
        "y",
        "write",
        "data/evidence/s",
        "z",
    ]
    carried_out(session, plan_command(session.planning(), words, title="run"))
    assert (workspace.root / SFT).read_text() == "new\n"
    taken_back(session)
    assert tree(workspace.root) == before
    assert not (workspace.root / "exports/rag").exists()
    assert not (workspace.root / "data").exists()


def test_a_command_that_removes_a_file_is_taken_back(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    before = tree(workspace.root)
    session = direct(workspace)
    carried_out(session, plan_command(session.planning(), ["score", "remove", SFT], title="run"))
    taken_back(session)
    assert tree(workspace.root) == before


def test_a_command_that_fails_stops_the_plan_and_can_be_taken_back(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    before = tree(workspace.root)
    session = direct(workspace)
    first = plan_command(session.planning(), ["score", "write", SFT, "new"], title="one")
    second = plan_command(session.planning(), ["score", "fail"], title="two")
    with pytest.raises(StepFailedError, match="Step 2 of 2"):
        carried_out(session, joined("both", [first, second]))
    taken_back(session)
    assert tree(workspace.root) == before


def test_a_new_file_among_the_outputs_voids_a_plan(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    session = direct(workspace)
    draft = plan_command(session.planning(), ["score", "write", SFT, "new"], title="run")
    (workspace.root / "exports/sft/another.jsonl").write_text("x\n")
    with pytest.raises(PlanVoidError, match="was not there"):
        carried_out(session, draft)


def _appending(session: WizardSession) -> Draft:
    return plan_command(
        session.planning(),
        ["baseline", "append", BASELINES, '{"kind": "accept"}'],
        title="accept",
        touches=(),
        appends=(BASELINES,),
        repeatable=False,
    )


def _with_baselines(tmp_path: Path) -> Workspace:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / BASELINES).parent.mkdir(parents=True)
    (workspace.root / BASELINES).write_text('{"kind": "seed"}\n')
    return workspace


def test_an_append_that_nothing_followed_is_cut_off(tmp_path: Path) -> None:
    workspace = _with_baselines(tmp_path)
    before = tree(workspace.root)
    inode = (workspace.root / BASELINES).stat().st_ino
    session = direct(workspace)
    carried_out(session, _appending(session))
    plan = taken_back(session)
    assert plan.notes == (f"nothing followed in {BASELINES}: the appended rows are cut off",)
    assert tree(workspace.root) == before
    assert (workspace.root / BASELINES).stat().st_ino == inode


def test_an_append_that_something_followed_is_revoked_and_says_so(tmp_path: Path) -> None:
    workspace = _with_baselines(tmp_path)
    session = direct(workspace)
    carried_out(session, _appending(session))
    with (workspace.root / BASELINES).open("a") as file:
        file.write('{"kind": "passed"}\n')
    plan = taken_back(session)
    assert plan.notes == (f"rows followed in {BASELINES}: a row that revokes is appended instead",)
    rows = (workspace.root / BASELINES).read_text().splitlines()
    assert rows[:3] == ['{"kind": "seed"}', '{"kind": "accept"}', '{"kind": "passed"}']
    revocation = json.loads(rows[3])
    assert revocation["kind"] == "revoke"
    assert revocation["revokes"] == hashlib.sha256(b'{"kind": "accept"}').hexdigest()


def test_what_was_taken_back_can_be_done_once_only(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    session = direct(workspace)
    carried_out(session, plan_command(session.planning(), ["score", "write", SFT, "new"], title="run"))
    taken_back(session)
    with pytest.raises(RefusedError, match="Already undone at 20"):
        session.plan_taking_back()


def test_the_revocation_is_a_row_that_the_engine_takes() -> None:
    made = Planning(Workspace(Path("/nowhere")), "i", None, "mira", 1_700_000_000.0)
    row = json.loads(_revocation(made, "a" * 64))
    assert AuditBaseline.model_validate(row).revokes == "a" * 64
