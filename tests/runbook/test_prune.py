"""Originals of resolved incidents: packed once the plan is done, and let go by a plan of its own."""

from __future__ import annotations

import gzip
import subprocess
from pathlib import Path

import pytest

from pipeline.contracts.faults import StorageError
from runbook.actions.prune import freed_bytes, plan_prune
from runbook.actions.restore import plan_restore
from runbook.change.apply import apply_plan
from runbook.change.incident import Incident, open_incident
from runbook.change.refusals import RefusedError
from runbook.change.undo import last_undoable
from tests.runbook.carrying_out import carried_out, consented, taken_back
from tests.runbook.command_line import CONSENT, distill, planned
from tests.runbook.workspaces import direct, make_workspace, tree

SCHEMA = "pipeline/schemas/sft.py"
LARGE = b"# the fault that was planted\n" * 60_000


class KilledError(Exception):
    """Stands for the end of the process."""


def _resolved(root: Path, content: bytes = b"ALLOWED = ('rejected',)\n") -> str:
    (root / SCHEMA).write_bytes(content)
    plan = planned(root, "restore", SCHEMA)
    done = distill(root, "restore", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 0, done.stderr
    return str(plan["incident_id"])


def _kept(root: Path, incident_id: str) -> list[Path]:
    return sorted((root / "reports/incidents" / incident_id / "kept").iterdir())


def test_a_large_original_is_packed_and_taken_back_byte_for_byte(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_bytes(LARGE)
    before = tree(workspace.root)
    session = direct(workspace, "restore")
    carried_out(session, plan_restore(session.planning(), [SCHEMA]))
    session.verify()
    [packed] = [path for path in _kept(workspace.root, session.incident.id) if path.suffix == ".gz"]
    assert packed.stat().st_size < len(LARGE) / 20
    assert gzip.decompress(packed.read_bytes()) == LARGE
    assert not packed.with_suffix("").exists()
    taken_back(session)
    assert tree(workspace.root) == before


def test_a_damaged_packed_original_is_refused(tmp_path: Path) -> None:
    incident = open_incident(make_workspace(tmp_path / "w").root, None, "trial")
    digest = incident.keep(LARGE)
    incident.pack_kept()
    packed = incident.folder / "kept" / f"{digest}.gz"
    assert incident.kept(digest) == LARGE
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(StorageError):
        incident.kept(digest)


def test_what_is_linked_elsewhere_or_small_stays_plain(tmp_path: Path) -> None:
    incident = open_incident(make_workspace(tmp_path / "w").root, None, "trial")
    large, small = incident.keep(LARGE), incident.keep(b"small")
    (tmp_path / "elsewhere").hardlink_to(incident.folder / "kept" / large)
    incident.pack_kept()
    assert sorted(path.name for path in (incident.folder / "kept").iterdir()) == sorted((large, small))


def test_prune_lets_originals_go_and_says_so_where_undo_is_asked(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w").root
    first, second = _resolved(root), _resolved(root, LARGE)
    files = tree(root)
    preview = distill(root, "incident", "prune")
    assert preview.returncode == 11, preview.stderr
    assert "NOT REVERSIBLE" in preview.stdout
    freed = freed_bytes(
        root, [str(path.relative_to(root)) for path in _kept(root, second) + _kept(root, first)]
    )
    plan = planned(root, "incident", "prune")
    assert f"frees {freed:,} bytes" in plan["plan"]["notes"][0]
    assert plan["plan_hash"] == planned(root, "incident", "prune")["plan_hash"]
    done = distill(root, "incident", "prune", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 0, done.stderr
    assert "undo" not in done.stderr
    assert _kept(root, first) == _kept(root, second) == []
    assert tree(root) == files
    assert distill(root, "incident", "verify").returncode == 0
    shown = distill(root, "incident", "show", first).stdout
    assert "originals pruned: forbidden rows" in shown
    assert f"distill undo {first}" not in shown
    refused = distill(root, "undo", first)
    assert refused.returncode == 2
    assert "pruned at" in refused.stderr
    again = distill(root, "incident", "prune")
    assert (again.returncode, "No resolved incident keeps originals" in again.stderr) == (2, True)


def test_each_original_stands_on_a_line_of_its_own_in_a_command_that_can_be_pasted(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    named = [SCHEMA, "pipeline/__main__.py"]
    for name in named:
        (workspace.root / name).write_bytes(name.encode())
    session = direct(workspace, "restore")
    carried_out(session, plan_restore(session.planning(), named))
    session.verify()
    kept = _kept(workspace.root, session.incident.id)
    assert len(kept) > 1
    shown = distill(workspace.root, "incident", "prune").stdout.splitlines()
    begin = next(at for at, line in enumerate(shown) if "by hand:" in line)
    by_hand = shown[begin : begin + 1 + len(kept)]
    assert [line.count("/kept/") for line in by_hand] == [0, *[1] * len(kept)]
    pasted = "\n".join(by_hand).partition("by hand: ")[2]
    subprocess.run(["/bin/sh", "-c", pasted], cwd=workspace.root, check=True)
    assert not [path for path in kept if path.exists()]


def test_what_is_not_resolved_keeps_its_originals(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w").root
    (root / SCHEMA).write_bytes(b"loosened\n")
    incident = planned(root, "restore", SCHEMA)["incident_id"]
    refused = distill(root, "incident", "prune", incident, "--json")
    assert refused.returncode == 2
    assert "undo may need its originals" in refused.stderr


@pytest.mark.parametrize("at", ["intent:0", "noted:0", "changed:0"])
def test_a_prune_that_was_killed_is_finished(tmp_path: Path, at: str) -> None:
    workspace = make_workspace(tmp_path / "w")
    (workspace.root / SCHEMA).write_bytes(LARGE)
    repaired = direct(workspace, "restore")
    carried_out(repaired, plan_restore(repaired.planning(), [SCHEMA]))
    repaired.verify()
    session = direct(workspace, "prune")
    plan = consented(session, plan_prune(session.planning(), [repaired.incident]))

    def kill(name: str) -> None:
        if name == at:
            raise KilledError(name)

    with pytest.raises(KilledError):
        apply_plan(workspace, session.incident, plan, boundary=kill)
    applied = apply_plan(workspace, session.incident, plan)
    assert applied.is_complete(plan)
    assert _kept(workspace.root, repaired.incident.id) == []
    entries = Incident(workspace.root, repaired.incident.id).journal.entries()
    assert sum("pruned" in entry.detail for entry in entries) == 1
    assert last_undoable(entries) is None
    with pytest.raises(RefusedError, match="were pruned at"):
        repaired.plan_taking_back()


def test_the_plan_is_void_when_an_original_moved(tmp_path: Path) -> None:
    root = make_workspace(tmp_path / "w").root
    incident = _resolved(root)
    plan = planned(root, "incident", "prune")
    _kept(root, incident)[0].write_bytes(b"other\n")
    done = distill(root, "incident", "prune", "--plan", plan["plan_hash"], *CONSENT)
    assert done.returncode == 11
    assert "has changed since the plan was made" in done.stderr
    assert len(_kept(root, incident)) == 1
