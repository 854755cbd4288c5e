"""``verify-export`` names each file that a loader would read besides those of the manifest."""

from __future__ import annotations

import errno
import io
import json
import os
import shutil
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.checks import CheckStatus
from pipeline.engine.export_manifest import verify
from pipeline.platform import disk
from tests.pipeline.engine.workspaces import engine, make_workspace, run_all
from tests.pipeline.loadable_files import INSIDE, KINDS, PACKED
from tests.pipeline.readme_heads import FORBIDDEN, HARMLESS, UNCLEAR

FORMATTED = "formatted/sft.chat-jsonl.jsonl"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = make_workspace(tmp_path_factory.mktemp("beside") / "w")
    run_all(workspace)
    done = engine(workspace, "export", "--format", "chat-jsonl")
    assert done.returncode == 0, done.stderr
    return workspace


@pytest.fixture
def copy(written: Path, tmp_path: Path) -> Path:
    """The exports as a trainer gets them: without receipts of runs."""
    folder = tmp_path / "copy"
    shutil.copytree(written / paths.EXPORTS, folder)
    assert (folder / "quarantine/sft.jsonl").exists()
    assert verify(folder).status is CheckStatus.PASS
    return folder


def put(folder: Path, name: str, data: bytes = b"{}\n") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    "name",
    [
        *(f"more.{kind}" for kind in KINDS),
        *(f"more.jsonl.{packed}" for packed in PACKED),
        *INSIDE,
        "more.JSONL",
        "more.csv.gz.xz",
        "sft/deep/more.parquet",
        "sft/manifest.json",
        "quarantine/more.jsonl",
        "formatted/more.csv",
        "formatted/trl/train.parquet",
        "formatted/rows.receipt.json",
        "receipts/more.json",
    ],
)
def test_a_file_that_a_loader_would_read_is_named(copy: Path, name: str) -> None:
    put(copy, name)
    result = verify(copy)
    assert (result.status, [each.file for each in result.examples]) == (CheckStatus.FAIL, [name])


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "decontamination.json",
        "near_duplicates.json",
        "near_duplicates_rag.json",
        "near_duplicates_preference.json",
        "sft/instruction_response.jsonl.QUARANTINED-1767954151",
        ".hidden.jsonl",
        ".cache/more.jsonl",
        "more.png",
        "jsonl",
    ],
)
def test_a_file_that_no_loader_reads_or_the_engine_wrote_is_not(copy: Path, name: str) -> None:
    put(copy, name)
    assert verify(copy).status is CheckStatus.PASS


@pytest.mark.parametrize("name", ["a.jsonl~", ".a.jsonl.swp", "#a.jsonl#"])
def test_what_an_editor_left_is_a_warning_and_ends_with_0(copy: Path, written: Path, name: str) -> None:
    put(copy, f"sft/{name}")
    done = engine(written, "verify-export", str(copy), "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["status"], result["failed"]) == (0, "warn", 0)
    assert result["examples"][0]["file"] == f"sft/{name}"


def test_a_formatted_file_has_to_be_as_its_receipt_says(copy: Path) -> None:
    path = copy / FORMATTED
    data = path.read_bytes()
    path.write_bytes(data + b"{}\n")
    assert [(each.file, each.text) for each in verify(copy).examples] == [
        (FORMATTED, "sha256 differs from its receipt's")
    ]
    path.write_bytes(data)
    assert verify(copy).status is CheckStatus.PASS
    receipt = path.with_name(path.name + ".receipt.json")
    # Receipts of formats in folders lie apart, where no loader of the folder reads them.
    put(copy, "formatted/chat/train.jsonl", data)
    put(copy, "receipts/chat/train.jsonl.receipt.json", receipt.read_bytes())
    assert verify(copy).status is CheckStatus.PASS
    receipt.unlink()
    assert [each.file for each in verify(copy).examples] == [FORMATTED]


def test_a_file_that_may_not_be_read_and_may_be_a_table_is_named(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(copy, "sft/part-0.dat")
    assert verify(copy).status is CheckStatus.PASS
    opened = disk.open_to_read

    def refusing(path: Path) -> io.BufferedReader:
        if path.name == "part-0.dat":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path)

    monkeypatch.setattr(disk, "open_to_read", refusing)
    (example,) = verify(copy).examples
    assert example.text == "whether a loader would read it is unclear: Permission denied"

    (copy / "sft/part-0.dat").unlink()
    os.mkfifo(copy / "sft/part-0.dat")
    assert verify(copy).status is CheckStatus.PASS


def test_a_link_to_a_folder_is_named_and_not_followed(copy: Path) -> None:
    (copy / "again").symlink_to(copy)
    assert [each.file for each in verify(copy).examples] == ["again"]


def test_a_name_that_is_no_text_can_be_told(copy: Path, written: Path) -> None:
    Path(os.fsdecode(os.fsencode(copy) + b"/\xff.jsonl")).write_bytes(b"{}\n")
    done = engine(written, "verify-export", str(copy))
    assert done.returncode == 1
    assert "\\xff.jsonl: not in the manifest" in done.stdout


def test_what_is_named_costs_the_exit_code(copy: Path, written: Path) -> None:
    put(copy, "more.jsonl.gz")
    done = engine(written, "verify-export", str(copy), "--json")
    assert (done.returncode, json.loads(done.stdout)["failed"]) == (1, 1)


def test_each_export_has_a_readme_that_names_its_file(copy: Path) -> None:
    for path in paths.EXPORT_FILES.values():
        readme = (copy / path.relative_to(paths.EXPORTS)).with_name("README.md").read_text()
        assert readme.startswith(f"---\nconfigs:\n- config_name: default\n  data_files: {path.name}\n---\n")


def test_a_readme_of_a_person_stays_and_one_that_went_comes_back(written: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "w"
    shutil.copytree(written, workspace)
    mine, gone = (workspace / paths.EXPORT_FILES[each].with_name("README.md") for each in ("sft", "rag"))
    mine.write_text("# Mine\n")
    gone.unlink()
    done = engine(workspace, "export")
    assert done.returncode == 0, done.stderr
    assert mine.read_text() == "# Mine\n"
    assert gone.is_file()


@pytest.mark.parametrize("name", HARMLESS)
def test_a_readme_may_name_what_a_trainer_is_to_load(copy: Path, name: str) -> None:
    put(copy, *HARMLESS[name])
    assert verify(copy).status is CheckStatus.PASS


@pytest.mark.parametrize("name", [*FORBIDDEN, *UNCLEAR])
def test_a_readme_that_tells_loaders_to_read_another_file_is_named(copy: Path, name: str) -> None:
    place, data = {**FORBIDDEN, **UNCLEAR}[name]
    put(copy, place, data)
    result = verify(copy)
    assert (result.status, [each.file for each in result.examples]) == (CheckStatus.FAIL, [place])


def test_a_quarantined_file_in_a_copy_is_told(copy: Path) -> None:
    put(copy, "sft/instruction_response.jsonl.QUARANTINED-1767954151")
    result = verify(copy)
    assert result.status is CheckStatus.PASS
    assert "1 quarantined file (name the files that you load)" in (result.observed or "")
