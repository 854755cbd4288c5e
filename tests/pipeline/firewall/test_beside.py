"""Files beside the exports: each kind that a loader would read is a finding, what is accounted for none."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileRefusedError, open_regular
from pipeline.firewall.report import FILES_KEPT, FINDINGS_KEPT, Finding, Findings, Report, State
from pipeline.firewall.scan import scan
from pipeline.reading.firewall_words import firewall_status, leak_in_words
from tests.pipeline.firewall.corpus import honest
from tests.pipeline.firewall.watching import Watcher
from tests.pipeline.loadable_files import INSIDE, KINDS, PACKED
from tests.pipeline.readme_heads import FORBIDDEN, HARMLESS, UNCLEAR, head

SFT = paths.SFT_EXPORT.name


def look(root: Path) -> Report:
    return scan(Places.of(root, None, (), ()))


def put(root: Path, relative: str | Path, data: bytes = b"{}\n") -> str:
    path = root / paths.EXPORTS / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"{paths.EXPORTS}/{relative}"


def receipt(root: Path, run: str, *named: object, ok: bool = True) -> None:
    place = root / paths.receipts_folder(run) / "export.json"
    place.parent.mkdir(parents=True)
    place.write_text(json.dumps({"ok": ok, "outputs": [{"path": str(each)} for each in named]}))


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    honest(tmp_path)
    assert look(tmp_path).state is State.CLEAR
    return tmp_path


@pytest.mark.parametrize(
    "name",
    [
        *(f"more.{kind}" for kind in KINDS),
        *(f"more.jsonl.{packed}" for packed in PACKED),
        *INSIDE,
        "more.JSONL",
        "more.csv.gz.xz",
        "sft/more.jsonl",
        "sft/deep/er/more.parquet",
        "manifest.json.gz",
        "sft/manifest.json",
        f"sft/{SFT}.gz",
        f"rag/{SFT}",
        "formatted/more.parquet",
        "formatted/trl/train.parquet",
        "receipts/more.json",
        "quarantine/more.jsonl",
    ],
)
def test_a_file_that_a_loader_would_read_is_a_finding(workspace: Path, name: str) -> None:
    file = put(workspace, name)
    report = look(workspace)
    (finding,) = report.findings.first
    assert report.state is State.BREACH
    assert (finding.wall, finding.file, finding.line) == ("lineage", file, 0)
    assert (report.findings.files, report.findings.rows, report.cause) == (1, 0, "not_in_receipt")


@pytest.mark.parametrize(
    "name",
    [
        "manifest.json",
        "decontamination.json",
        "near_duplicates.json",
        "near_duplicates_rag.json",
        "near_duplicates_preference.json",
        "README.md",
        "rag/playbooks.jsonl.QUARANTINED-1767954151",
        "more.QUARANTINED-1767954151.jsonl",
        "old.QUARANTINED-1/more.jsonl",
        ".hidden.jsonl",
        ".cache/more.jsonl",
        "jsonl",
        "notes",
        "more.png",
    ],
)
def test_a_file_that_no_loader_reads_or_the_engine_wrote_is_none(workspace: Path, name: str) -> None:
    put(workspace, name)
    report = look(workspace)
    assert (report.state, report.findings.count, report.warnings.count) == (State.CLEAR, 0, 0)


@pytest.mark.parametrize("name", [f"{SFT}~", f".{SFT}.swp", f".{SFT}.swo", f"#{SFT}#", f".#{SFT}"])
def test_what_an_editor_left_is_a_warning(workspace: Path, name: str) -> None:
    file = put(workspace, f"sft/{name}")
    report = look(workspace)
    assert (report.state, report.findings.count) == (State.CLEAR, 0)
    assert [(warning.file, warning.line) for warning in report.warnings.first] == [(file, 0)]
    assert report.to_dict()["warnings_count"] == 1


def test_a_quarantine_file_is_accounted_for_by_a_receipt_that_names_it(workspace: Path) -> None:
    file = put(workspace, "quarantine/rag.jsonl")
    assert look(workspace).state is State.CLEAR  # no receipt is left that could name it
    receipt(workspace, "20260103T000000Z-cccc", paths.RAG_QUARANTINE, ok=False)
    receipt(workspace, "20260102T000000Z-bbbb", paths.SFT_QUARANTINE)
    assert look(workspace).findings.by_file == {file: 1}
    receipt(workspace, "20260101T000000Z-aaaa", paths.RAG_QUARANTINE)
    assert look(workspace).state is State.CLEAR
    other = put(workspace, "quarantine/preference.jsonl")
    assert look(workspace).findings.by_file == {other: 1}


def test_the_receipt_of_a_format_is_none_and_a_file_with_its_name_is_one(workspace: Path) -> None:
    put(workspace, "formatted/gone.jsonl.receipt.json", b'{"output": {"sha256": ""}}')
    put(workspace, "receipts/trl/train.parquet.receipt.json", b'{"output": {"sha256": ""}}')
    assert look(workspace).state is State.CLEAR
    rows = put(workspace, "formatted/rows.receipt.json", b'{"messages": []}')
    elsewhere = put(workspace, "sft/rows.receipt.json", b'{"output": {}}')
    assert look(workspace).findings.by_file == {rows: 1, elsewhere: 1}


def test_a_formatted_file_without_a_receipt_is_found_once(workspace: Path) -> None:
    file = put(workspace, "formatted/sft.chat.jsonl")
    assert look(workspace).findings.by_file == {file: 1}


def test_a_link_to_a_folder_is_a_finding_wherever_it_leads(workspace: Path, tmp_path: Path) -> None:
    (workspace / "exports/train").symlink_to(workspace / "data")
    (workspace / "exports/again").symlink_to(workspace / "exports")
    assert look(workspace).findings.by_file == {"exports/again": 1, "exports/train": 1}


def test_a_folder_of_the_exports_behind_a_link_is_looked_into(workspace: Path) -> None:
    (workspace / "exports/sft").rename(workspace / "elsewhere")
    (workspace / "exports/sft").symlink_to(workspace / "elsewhere")
    assert look(workspace).state is State.CLEAR
    (workspace / "elsewhere/more.jsonl").write_bytes(b"{}\n")
    assert look(workspace).findings.by_file == {"exports/sft/more.jsonl": 1}


def test_a_name_that_is_no_text_can_be_told(workspace: Path) -> None:
    Path(os.fsdecode(os.fsencode(workspace / "exports") + b"/\xff.jsonl")).write_bytes(b"{}\n")
    report = look(workspace)
    assert list(report.findings.by_file) == ["exports/\\xff.jsonl"]
    json.dumps(report.to_dict()).encode()


def test_a_workspace_without_an_sft_export_is_looked_at_too(workspace: Path) -> None:
    (workspace / paths.SFT_EXPORT).unlink()
    assert look(workspace).state is State.ABSENT
    put(workspace, "more.jsonl")
    assert look(workspace).state is State.BREACH


@pytest.mark.skipif(os.geteuid() == 0, reason="root may list any folder")
def test_a_folder_that_may_not_be_listed_is_not_called_clear(workspace: Path) -> None:
    closed = workspace / "exports/more"
    closed.mkdir(mode=0)
    try:
        report = look(workspace)
    finally:
        closed.chmod(0o700)
    assert (report.state, report.detail) == (State.UNKNOWN, "exports cannot be listed: Permission denied")


def test_a_file_elsewhere_is_judged_without_what_lies_beside_the_exports(workspace: Path) -> None:
    put(workspace, "more.jsonl")
    named = Places.of(workspace, workspace / "copy.jsonl", (), ())
    named.target.write_bytes((workspace / paths.SFT_EXPORT).read_bytes())
    assert scan(named).state is State.CLEAR


def test_a_watcher_tells_of_a_file_beside_and_of_its_going(workspace: Path) -> None:
    with Watcher(workspace) as watcher:
        watcher.until_state("CLEAR")
        put(workspace, "sft/deep/more.jsonl.gz")
        alarm = watcher.until_state("BREACH")
        (workspace / "exports/sft/deep/more.jsonl.gz").unlink()
        watcher.until_state("CLEAR")
    assert alarm["findings_count"] == 1
    assert alarm["findings"][0]["file"] == "exports/sft/deep/more.jsonl.gz"


def test_a_crowd_of_files_beside_is_counted_and_the_first_are_named(tmp_path: Path) -> None:
    honest(tmp_path)
    exports = tmp_path / paths.EXPORTS
    crowd = exports / "crowd"
    crowd.mkdir()
    for number in range(FILES_KEPT + 150):
        (crowd / f"{number:04}.jsonl").write_bytes(b"{}\n")
    with (tmp_path / paths.SFT_EXPORT).open("ab") as file:
        file.write(b"{}\n")
    report = scan(Places.of(tmp_path, None, (), ()))
    said = report.to_dict()
    assert (said["state"], said["forbidden_files"]) == ("BREACH", FILES_KEPT + 150)
    assert str(paths.SFT_EXPORT) in said["by_file"]
    assert len(said["by_file"]) == FILES_KEPT
    assert said["more_files"] == 151
    assert len(said["findings"]) == FINDINGS_KEPT
    words = leak_in_words(firewall_status(said, 0.0))
    assert words.startswith(f"1 forbidden row and {FILES_KEPT + 150} forbidden files")
    assert words.endswith(
        f"{paths.SFT_EXPORT} and exports/crowd/0000.jsonl and exports/crowd/0001.jsonl and "
        "exports/crowd/0002.jsonl and 247 more files"
    )


def test_an_export_is_named_however_many_files_came_before_it() -> None:
    found, late = Findings(), Findings()
    for number in range(FILES_KEPT):
        found.add(Finding("lineage", f"exports/{number}.jsonl", 0, 0, None, None, ""))
    for _ in range(2):
        late.add(Finding("evaluation", str(paths.PREFERENCE_EXPORT), 1, 0, None, None, ""))
        late.add(Finding("lineage", "exports/late.jsonl", 0, 0, None, None, ""))
    both = found.joined(late)
    assert both.by_file[str(paths.PREFERENCE_EXPORT)] == 2
    assert (len(both.by_file), both.more_files) == (FILES_KEPT + 1, 1)
    assert both.count == FILES_KEPT + 4


@pytest.mark.parametrize("name", ["train", "train.bin", "sft/part-0.dat"])
@pytest.mark.parametrize(
    ("data", "is_table"), [(b"PAR1abcPAR1", True), (b"ARROW1\0\0", True), (b"PAR 1", False)]
)
def test_a_table_under_another_name_is_told_by_its_bytes(
    tmp_path: Path, name: str, data: bytes, is_table: bool
) -> None:
    honest(tmp_path)
    shown = put(tmp_path, name, data)
    assert set(look(tmp_path).findings.by_file) == ({shown} if is_table else set())


def test_a_file_that_may_not_be_read_and_may_be_a_table_is_not_called_clear(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(workspace, "sft/part-0.dat")

    def refusing(path: Path) -> int:
        if path.name == "part-0.dat":
            raise FileRefusedError("Permission denied")
        return open_regular(path)

    monkeypatch.setattr("pipeline.firewall.beside.open_regular", refusing)
    report = look(workspace)
    why = "exports/sft/part-0.dat: whether a loader would read it is unclear: Permission denied"
    assert (report.state, report.detail) == (State.UNKNOWN, why)

    (workspace / "exports/sft/part-0.dat").unlink()
    os.mkfifo(workspace / "exports/sft/part-0.dat")
    assert look(workspace).state is State.CLEAR


@pytest.mark.parametrize("name", HARMLESS)
def test_a_readme_may_name_what_a_trainer_is_to_load(workspace: Path, name: str) -> None:
    put(workspace, *HARMLESS[name])
    report = look(workspace)
    assert (report.state, report.findings.count, report.warnings.count) == (State.CLEAR, 0, 0)


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_readme_that_tells_loaders_to_read_another_file_is_a_finding(workspace: Path, name: str) -> None:
    file = put(workspace, *FORBIDDEN[name])
    report = look(workspace)
    (finding,) = report.findings.first
    assert (report.state, finding.wall, finding.file) == (State.BREACH, "lineage", file)


@pytest.mark.parametrize("name", UNCLEAR)
def test_a_readme_of_which_nobody_can_tell_what_it_names_is_never_clear(workspace: Path, name: str) -> None:
    file = put(workspace, *UNCLEAR[name])
    report = look(workspace)
    assert (report.state, report.findings.count) == (State.UNKNOWN, 0)
    assert report.detail.startswith(f"{file}: which files it tells loaders to read is unclear")


def test_a_readme_that_hides_lines_from_those_who_know_no_other_line_ends_hides_nothing(
    workspace: Path,
) -> None:
    lines = "license: mit\u2028configs:\u2028- data_files: ../rows.jsonl"
    file = put(workspace, "sft/README.md", head(lines))
    assert look(workspace).findings.by_file == {file: 1}


def test_a_pipe_with_the_name_of_a_readme_blocks_nobody(workspace: Path) -> None:
    os.mkfifo(workspace / "exports/sft/README.md")
    assert look(workspace).state is State.UNKNOWN
