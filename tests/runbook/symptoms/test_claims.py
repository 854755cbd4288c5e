"""One claim against the disk: told alike to whoever asks, and never an exception for what lies there."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from pipeline.contracts import paths
from runbook.symptoms import run_claims
from runbook.symptoms.claims import output_difference, source_difference
from runbook.symptoms.receipt_claims import newest_claim

WRITTEN = b"one\ntwo\n"


def claim(**changes: object) -> dict[str, Any]:
    return {"path": "a.jsonl", "bytes": len(WRITTEN), "sha256": sha256(WRITTEN).hexdigest(), **changes}


@pytest.mark.parametrize(
    ("data", "output", "source"),
    [
        (WRITTEN, "", ""),
        (None, "is missing", ""),
        (WRITTEN + b"three\n", "has 14 bytes; the receipt claims 8 others", ""),
        (b"one\n", "has 4 bytes; the receipt claims 8 others", "has 4 bytes; 8 were read"),
        (
            b"one\ntwi\n",
            "has 8 bytes; the receipt claims 8 others",
            "does not begin with the 8 bytes that were read",
        ),
    ],
    ids=["as claimed", "gone", "appended", "shorter", "others"],
)
def test_a_file_is_held_to_its_claim(tmp_path: Path, data: bytes | None, output: str, source: str) -> None:
    if data is not None:
        (tmp_path / "a.jsonl").write_bytes(data)
    assert output_difference(tmp_path, claim()) == output
    assert source_difference(tmp_path, claim()) == source


def test_a_claim_without_a_size_or_a_path_is_no_exception(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"other")
    assert output_difference(tmp_path, claim(bytes=None)) == "has 5 bytes; the receipt claims others"
    assert source_difference(tmp_path, claim(bytes=None)) == ""
    assert output_difference(tmp_path, claim(path=7)) == source_difference(tmp_path, claim(path=7)) == ""


def test_the_newest_claim_is_that_of_the_run_that_committed_last_whatever_its_name(tmp_path: Path) -> None:
    names = ("20260101T000000Z-0001", "20260301T000000Z-0001")
    for rows, name in enumerate(names):
        receipt = tmp_path / paths.receipts_folder(name) / "export.json"
        receipt.parent.mkdir(parents=True)
        receipt.write_bytes(orjson.dumps({"ok": True, "outputs": [{"path": "a.jsonl", "rows": rows}]}))
        (tmp_path / paths.summary_file(name)).write_bytes(orjson.dumps({"ok": True, "started_at": name}))
    assert newest_claim(tmp_path, "a.jsonl")[1]["rows"] == 1
    # The clock of the second run had been wrong: the engine remembers which one was last.
    (tmp_path / paths.RUN_STATE).parent.mkdir()
    (tmp_path / paths.RUN_STATE).write_bytes(orjson.dumps({"pipeline_run_id": names[0]}))
    told_by, claim, _ = newest_claim(tmp_path, "a.jsonl")
    assert (told_by, claim["rows"]) == (str(paths.receipts_folder(names[0]) / "export.json"), 0)


def test_of_two_runs_within_a_second_the_last_one_is_the_one_that_began_last(tmp_path: Path) -> None:
    for number, started in (("0001", "2026-01-01T00:00:00.900Z"), ("0002", "2026-01-01T00:00:00.100Z")):
        name = f"20260101T000000Z-{number}"
        (tmp_path / paths.run_folder(name)).mkdir(parents=True)
        (tmp_path / paths.events_file(name)).write_bytes(b"")
        (tmp_path / paths.summary_file(name)).write_bytes(orjson.dumps({"ok": True, "started_at": started}))
    assert run_claims._last_run(tmp_path) == "20260101T000000Z-0001"


def test_a_link_is_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(WRITTEN)
    (tmp_path / "a.jsonl").symlink_to("elsewhere")
    for difference in (output_difference(tmp_path, claim()), source_difference(tmp_path, claim())):
        assert "a.jsonl" in difference


@pytest.mark.parametrize("path", ["a.jsonl.gz", "a.jsonl", "@root/a.jsonl", "/elsewhere/a.jsonl"])
def test_of_a_packed_source_and_one_outside_nothing_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / Path(path).name).write_bytes(gzip.compress(WRITTEN))
    assert source_difference(tmp_path, claim(path=path)) == ""
