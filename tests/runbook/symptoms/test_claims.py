"""One claim against the disk: told alike to whoever asks, and never an exception for what lies there."""

from __future__ import annotations

import gzip
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from runbook.symptoms.claims import output_difference, source_difference

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


def test_a_link_is_told_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(WRITTEN)
    (tmp_path / "a.jsonl").symlink_to("elsewhere")
    for difference in (output_difference(tmp_path, claim()), source_difference(tmp_path, claim())):
        assert "a.jsonl" in difference


@pytest.mark.parametrize("path", ["a.jsonl.gz", "a.jsonl", "@root/a.jsonl", "/elsewhere/a.jsonl"])
def test_of_a_packed_source_and_one_outside_nothing_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / Path(path).name).write_bytes(gzip.compress(WRITTEN))
    assert source_difference(tmp_path, claim(path=path)) == ""
