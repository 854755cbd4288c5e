"""What a drill's check says was left behind: each file in its own words, and incidents that nobody closed."""

from __future__ import annotations

from pathlib import Path

from runbook.drills.check import left_behind
from runbook.drills.start import digests
from tests.runbook.workspaces import direct, make_workspace

AS_IT_WAS = {f"{name}.txt": f"{name}, all well" for name in ("gone", "same", "planted", "mended", "other")}
PLANTED = {**AS_IT_WAS, "planted.txt": "the fault", "mended.txt": "the fault", "other.txt": "the fault"}
NOW = {
    "same.txt": AS_IT_WAS["same.txt"],
    "planted.txt": "the fault",
    "mended.txt": AS_IT_WAS["mended.txt"],
    "other.txt": "something else",
    "new.txt": "nobody knew it",
    "rows.jsonl.QUARANTINED-7": "{}",
}


def written(root: Path, files: dict[str, str]) -> dict[str, str]:
    root.mkdir(exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text)
    return digests(root)


def test_each_file_that_is_not_as_it_was_has_its_own_words(tmp_path: Path) -> None:
    sound, planted = written(tmp_path / "a", AS_IT_WAS), written(tmp_path / "b", PLANTED)
    written(tmp_path / "c", NOW)
    assert left_behind(tmp_path / "c", sound, planted, {"mended.txt", "other.txt"}) == [
        "gone.txt: gone",
        "mended.txt: as it was, and not committed",
        "new.txt: new",
        "other.txt: neither as it was nor as the drill left it",
        "planted.txt: still as the drill left it",
        "rows.jsonl.QUARANTINED-7: set aside; remove it when nobody needs it any more",
    ]


def test_a_file_that_the_drill_made_and_nobody_removed_is_still_there(tmp_path: Path) -> None:
    made = {**AS_IT_WAS, "extra.txt": "the fault"}
    sound, planted = written(tmp_path / "a", AS_IT_WAS), written(tmp_path / "b", made)
    assert left_behind(tmp_path / "b", sound, planted, ()) == ["extra.txt: still as the drill left it"]
    (tmp_path / "b/extra.txt").unlink()
    assert left_behind(tmp_path / "b", sound, planted, ()) == []


def test_an_incident_is_left_until_it_is_over_and_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    sound = digests(workspace.root)
    session = direct(workspace)
    name = session.incident.id
    assert left_behind(workspace.root, sound, sound, ()) == [
        f"incident {name}: {session.standing.state}, not closed"
    ]
    journal = session.incident.folder / "journal.jsonl"
    kept = journal.read_bytes()
    journal.write_bytes(b"{\n" + kept)
    (line,) = left_behind(workspace.root, sound, sound, ())
    assert line.startswith(f"incident {name}: ")
    assert "not closed" not in line
    journal.write_bytes(kept)
    session.incident.journal.append("state", "abandoned", detail={"closed": True})
    assert left_behind(workspace.root, sound, sound, ()) == []
