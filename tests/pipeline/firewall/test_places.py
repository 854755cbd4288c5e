"""Which files a look reads, which a watch waits for, and what tells that one was replaced meanwhile."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.firewall.places import MOST_FILES, Place, Places, change_time, signature
from pipeline.firewall.plain_files import FileRefusedError

SFT = "exports/sft/instruction_response.jsonl"
SETS = '[[evaluation]]\nname = "held"\npath = "tests/held/*.jsonl"\n'
FILES = {
    SFT: "{}\n",
    "exports/rag/playbooks.jsonl": "{}\n",
    "exports/preference/chosen_rejected.jsonl": "{}\n",
    "exports/manifest.json": "{}",
    "data/evidence/runs.jsonl": "{}\n",
    "data/evidence/deep/chats.jsonl": "{}\n",
    "data/evidence/notes.txt": "no rows",
    "data/scored-runs/runs.jsonl": "{}\n",
    "distill.toml": SETS,
    "tests/held/a.jsonl": "{}\n",
}
EXAMINED = tuple(name for name in FILES if not name.endswith("notes.txt"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "w" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "w"


def live(root: Path) -> Places:
    return Places.of(root, None, (), ())


@pytest.mark.parametrize(
    "place",
    [Place(0, 0), Place(0, (1 << 44) - 1), Place(1, 0), Place(7, 1234), Place(MOST_FILES - 1, (1 << 44) - 1)],
)
def test_a_place_is_packed_into_sixty_bits_and_comes_back(place: Place) -> None:
    assert Place.unpacked(place.packed) == place
    assert place.packed < 1 << 60


def test_the_number_of_the_file_counts_before_the_offset() -> None:
    assert (MOST_FILES, Place(1, 0).packed) == (65_536, 17_592_186_044_416)
    assert Place(1, 0).packed > Place(0, (1 << 44) - 1).packed


def test_without_a_name_the_live_export_is_looked_at(root: Path) -> None:
    places = live(root)
    assert (places.shown, places.is_live) == (SFT, True)
    assert (places.target, places.root) == (root / SFT, root)
    with pytest.raises(ValueError, match="a file has to be named"):
        Places.of(None, None, (), ())


def test_a_file_is_shown_below_its_workspace_and_elsewhere_as_it_was_named(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Places.of(root, root / "exports/rag/../sft/copy.jsonl", (), ())
    assert (beside.shown, beside.is_live) == ("exports/sft/copy.jsonl", False)
    assert Places.of(root, root / SFT, (), ()).is_live
    monkeypatch.chdir(tmp_path)
    elsewhere = Places.of(root, Path("x.jsonl"), (), ())
    assert (elsewhere.shown, elsewhere.target, elsewhere.is_live) == ("x.jsonl", tmp_path / "x.jsonl", False)
    alone = Places.of(None, Path("x.jsonl"), (Path("e"),), (Path("s"),))
    assert (alone.root, alone.evidence, alone.scored) == (None, (Path("e"),), (Path("s"),))


def test_evidence_and_verdicts_that_were_named_are_taken_instead(root: Path, tmp_path: Path) -> None:
    named = Places.of(root, None, (tmp_path / "e",), (tmp_path / "s",))
    assert (named.evidence, named.scored) == ((tmp_path / "e",), (tmp_path / "s",))
    assert (live(root).evidence, live(root).scored) == (
        (root / "data/evidence",),
        (root / "data/scored-runs",),
    )


def test_a_link_that_leads_out_of_the_workspace_is_refused_as_the_target(root: Path, tmp_path: Path) -> None:
    live(root).check_target()
    (root / SFT).unlink()
    (root / SFT).symlink_to(root / "exports/rag/playbooks.jsonl")
    live(root).check_target()
    (root / SFT).unlink()
    (tmp_path / "outside.jsonl").write_text("{}\n")
    (root / SFT).symlink_to(tmp_path / "outside.jsonl")
    with pytest.raises(FileRefusedError, match="a link leads out of the workspace"):
        live(root).check_target()
    Places.of(root, tmp_path / "outside.jsonl", (), ()).check_target()


def test_rows_are_read_at_any_depth_and_from_no_other_kind_of_file(root: Path) -> None:
    scored, evidence, problems = live(root).index_files()
    assert scored == [root / "data/scored-runs/runs.jsonl"]
    assert evidence == [root / "data/evidence/runs.jsonl", root / "data/evidence/deep/chats.jsonl"]
    assert problems == []


def test_folders_and_files_are_read_in_the_order_of_their_names(root: Path) -> None:
    """The number of a file is part of where a run lies, whatever the file system lists first."""
    for folder in "hcagebfd":
        (root / "data/scored-runs" / folder).mkdir()
        for name in "ba":
            (root / "data/scored-runs" / folder / f"{name}.jsonl").write_text("{}\n")
    scored, _, _ = live(root).index_files()
    below = [path.relative_to(root / "data/scored-runs").as_posix() for path in scored]
    assert below == ["runs.jsonl", *(f"{folder}/{name}.jsonl" for folder in "abcdefgh" for name in "ab")]


def test_what_could_not_be_looked_into_is_a_problem(root: Path, tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far/x.jsonl").write_text("{}\n")
    (root / "data/evidence/far").symlink_to(tmp_path / "far")
    (root / "data/evidence/far.jsonl").symlink_to(tmp_path / "far/x.jsonl")
    (root / "data/evidence/near.jsonl").symlink_to(root / "data/evidence/runs.jsonl")
    evidence = (root / "data/evidence", root / "gone.jsonl", root / "no_folder", root / "distill.toml")
    _, found, problems = Places.of(root, None, evidence, ()).index_files()
    assert [path.name for path in found] == ["near.jsonl", "runs.jsonl", "chats.jsonl", "distill.toml"]
    assert problems == [
        "far.jsonl: a link leads out of evidence",
        "far: a link leads out of evidence",
        "gone.jsonl: it is gone",
    ]


@pytest.mark.parametrize("name", EXAMINED)
def test_a_file_of_the_look_that_is_replaced_or_written_to_is_told(root: Path, name: str) -> None:
    before = live(root).fingerprint()
    assert live(root).fingerprint() == before
    (root / "data/evidence/notes.txt").write_text("not a file of the look")
    assert live(root).fingerprint() == before
    with (root / name).open("a") as file:
        file.write("# \n")
    written = live(root).fingerprint()
    assert written != before
    (root / name).unlink()
    assert live(root).fingerprint() != written


def test_the_other_exports_belong_to_a_look_at_the_live_one_alone(root: Path) -> None:
    copy = root / "exports/sft/copy.jsonl"
    copy.write_text("{}\n")
    before = Places.of(root, copy, (), ()).fingerprint()
    (root / "exports/manifest.json").write_text("{ }")
    (root / "exports/rag/playbooks.jsonl").write_text("")
    assert Places.of(root, copy, (), ()).fingerprint() == before


@pytest.mark.parametrize(
    "name",
    [
        *("", "exports", "exports/sft", SFT, "exports/rag", "exports/formatted", ".distill"),
        *("data/evidence", "data/evidence/deep", "data/scored-runs"),
        *("tests/held", "tests/held/a.jsonl"),
    ],
)
def test_a_watch_waits_for_every_place_that_a_verdict_depends_on(root: Path, name: str) -> None:
    assert (root / name if name else root) in live(root).to_watch()


def test_a_watch_waits_where_a_link_leads_too(root: Path) -> None:
    (root / SFT).rename(root / "exports/rag/real.jsonl")
    (root / SFT).symlink_to(root / "exports/rag/real.jsonl")
    assert (root / "exports/rag").resolve() in Places.of(root, None, (), ()).to_watch()


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [
        ("later/*.jsonl", "later"),
        ("later/**/a.jsonl", "later"),
        ("later/b/a.jsonl", "later/b"),
        ("later/b?/a.jsonl", "later"),
        ("later/[ab]/c/*.jsonl", "later"),
        ("*.jsonl", "."),
    ],
)
def test_a_set_whose_first_file_comes_later_is_waited_for_in_its_folder(
    root: Path, pattern: str, folder: str
) -> None:
    (root / "distill.toml").write_text(SETS.replace("tests/held/*.jsonl", pattern))
    assert root / folder in live(root).to_watch()


def test_what_was_set_aside_is_listed_by_name_at_any_depth_and_sorted(root: Path) -> None:
    assert live(root).quarantined() == []
    for name in ("exports/sft/b.jsonl.QUARANTINED-2", "exports/rag/deep/a.jsonl.QUARANTINED-1"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("{}\n")
    assert live(root).quarantined() == [
        "exports/rag/deep/a.jsonl.QUARANTINED-1",
        "exports/sft/b.jsonl.QUARANTINED-2",
    ]
    assert Places.of(None, root / SFT, (), ()).quarantined() == []


def test_a_file_that_is_not_there_has_no_signature(root: Path) -> None:
    assert (signature(root / "no"), change_time(root / "no")) == ((), 0)
    seen = (root / SFT).stat()
    assert signature(root / SFT) == (seen.st_dev, seen.st_ino, 3, seen.st_mtime_ns)
    assert change_time(root / SFT) == seen.st_ctime_ns


def test_one_of_the_same_size_and_time_is_another_file(root: Path) -> None:
    before, seen = signature(root / SFT), (root / SFT).stat()
    (root / "new").write_text("[]\n")
    os.utime(root / "new", ns=(seen.st_atime_ns, seen.st_mtime_ns))
    (root / "new").replace(root / SFT)
    assert signature(root / SFT) != before
