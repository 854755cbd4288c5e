"""S1.P1.schema: each cause told from the others, and what the drill does not plant."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runbook.symptoms.s1_p1_schema import ID
from runbook.symptoms.s1_p1_schema.diagnose import LOCK
from tests.git_commands import git
from tests.runbook.symptoms.own_engine import edit, with_own_engine
from tests.runbook.symptoms.walked import diagnosed, raised, repaired, taken_back, verdict
from tests.runbook.workspaces import tree

SFT = "pipeline/schemas/sft.py"
SKIPS = "pipeline/schemas/skip_row.py"
MIGRATIONS = "pipeline/schemas/migrations.py"
PARTS = "pipeline/schemas/parts.py"
GOLDEN = "pipeline/schemas/golden/sft/invalid.jsonl"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return with_own_engine(tmp_path / "w")


def named(root: Path) -> tuple[str, str, list[str]]:
    """Cause, confidence, and the files that a repair would put back."""
    found = diagnosed(root, ID)["diagnosis"]
    files = [each["path"] for each in found["facts"].get("restore", [])]
    return found["cause"]["id"], found["cause"]["confidence"], files


def test_a_part_that_schemas_share_is_named_and_not_an_innocent_schema(root: Path) -> None:
    edit(root, PARTS, "Fraction = Annotated[float, Field(ge=0, le=1)]", "Fraction = float")
    with (root / SFT).open("a") as file:
        file.write("# harmless\n")
    assert named(root) == ("schema_changed", "certain", [PARTS])


def test_a_lock_that_was_pinned_to_a_loosened_schema_goes_back_with_it(root: Path) -> None:
    edit(root, SFT, 'Literal["accepted", "partially_accepted"] =', "str =")
    lock = json.loads((root / LOCK).read_bytes())
    lock["schemas"]["rag"]["version"] = 2
    (root / LOCK).write_text(json.dumps(lock))
    assert named(root) == ("schema_changed", "certain", [LOCK, SFT])


@pytest.mark.parametrize("damage", ["emptied", "removed", "edited"])
def test_a_lock_alone_is_told_from_a_schema(root: Path, damage: str) -> None:
    if damage == "removed":
        (root / LOCK).unlink()
    else:
        (root / LOCK).write_text(
            (root / LOCK).read_text().replace("gt", "ge")[: 0 if damage == "emptied" else None]
        )
    if damage == "edited":
        lock = json.loads((root / LOCK).read_bytes())
        del lock["schemas"]["sft"]
        (root / LOCK).write_text(json.dumps(lock))
    assert named(root) == ("lock_changed", "certain", [LOCK])


def test_an_edited_golden_row_is_named_with_its_line(root: Path) -> None:
    lines = (root / GOLDEN).read_text().splitlines(keepends=True)
    case = json.loads(lines[4])
    case["reason"] = "another_reason"
    lines[4] = json.dumps(case) + "\n"
    (root / GOLDEN).write_text("".join(lines))
    found = diagnosed(root, ID)["diagnosis"]
    assert named(root) == ("golden_rows_changed", "certain", [GOLDEN])
    assert f"{GOLDEN}:5" in [each["source"] for each in found["cause"]["evidence"]]


def raise_version_of_skips(root: Path) -> None:
    """All that belongs to it: the model, a step from the version before, and golden rows of both."""
    edit(root, SKIPS, "SCHEMA_VERSION = 1", "SCHEMA_VERSION = 2")
    for model_line in (" SchemaVersion1,", "schema_version: SchemaVersion1 ="):
        edit(root, SKIPS, model_line, model_line.replace("1", "2"))
    edit(root, MIGRATIONS, "STEPS: Steps = {", 'STEPS: Steps = {\n    ("skip_row", 1): dict,')
    golden = root / "pipeline/schemas/golden/skip_row"
    (golden / "version-1.jsonl").write_text((golden / "valid.jsonl").read_text())
    for name in ("valid.jsonl", "invalid.jsonl"):
        text = (golden / name).read_text()
        for version in (2, 1):
            text = text.replace(f'"schema_version": {version},', f'"schema_version": {version + 1},')
        (golden / name).write_text(text)


def test_a_version_that_was_raised_on_purpose_may_be_pinned(root: Path) -> None:
    raise_version_of_skips(root)
    assert named(root) == ("version_raised", "certain", [SKIPS])
    assert [each["id"] for each in diagnosed(root, ID)["offers"]] == ["pin", "restore"]
    broken = tree(root)
    plan = repaired(root, ID)
    assert json.loads((root / LOCK).read_bytes())["schemas"]["skip_row"]["version"] == 2
    taken_back(root, plan, broken)


def test_a_version_that_was_raised_without_rows_of_the_one_before_is_not_pinned(root: Path) -> None:
    edit(root, SKIPS, "SCHEMA_VERSION = 1", "SCHEMA_VERSION = 2")
    assert named(root) == ("schema_changed", "certain", [SKIPS])


def test_schemas_that_cannot_be_imported_ring_here_and_name_file_and_line(root: Path) -> None:
    with (root / SFT).open("a") as file:
        file.write("def broken(:\n")
    assert ID in raised(root)
    found = diagnosed(root, ID)["diagnosis"]
    assert found["cause"]["id"] == "schema_changed"
    assert [each["path"] for each in found["facts"]["restore"]] == [SFT]
    assert "sft" in found["cause"]["places"]


def test_another_bug_of_the_engine_is_not_known_here(root: Path) -> None:
    edit(root, "pipeline/commands/schema.py", "def _check(", "1 / 0\n\n\ndef _check(")
    assert verdict(root, ID) == "unknown"


def test_code_that_is_as_tagged_leaves_the_cause_unknown(root: Path) -> None:
    edit(root, SFT, "    turns: Ordinal =", "    turns: int =")
    git(root, "commit", "--quiet", "--all", "-m", "loosen it")
    git(root, "tag", "--force", "distillation-v1.0.0")
    found = diagnosed(root, ID)
    assert found["diagnosis"]["cause"]["id"] == "unknown"
    assert found["offers"] == []
