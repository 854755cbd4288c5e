from __future__ import annotations

from pathlib import Path
from typing import BinaryIO

import pytest

from console.reading.atomic_write import write_atomically, write_with
from pipeline.contracts.faults import StorageError


def test_a_file_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    place = tmp_path / "m.prom"
    place.write_text("old")
    write_atomically(place, b"new\n")
    assert [path.name for path in tmp_path.iterdir()] == ["m.prom"]
    assert place.read_bytes() == b"new\n"


def test_a_write_that_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    place = tmp_path / "m.prom"
    place.write_text("old")

    def half(file: BinaryIO) -> None:
        file.write(b"ne")
        raise OSError(28, "No space left on device")

    with pytest.raises(StorageError, match="No space left"):
        write_with(place, half)
    assert place.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["m.prom"]


def test_a_link_is_replaced_and_its_target_is_not_written(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("keep")
    (tmp_path / "m.prom").symlink_to(target)
    write_atomically(tmp_path / "m.prom", b"new")
    assert target.read_text() == "keep"
    assert not (tmp_path / "m.prom").is_symlink()


def test_a_collector_sees_no_half_written_file(tmp_path: Path) -> None:
    seen: list[str] = []

    def look(file: BinaryIO) -> None:
        file.write(b"x")
        seen.extend(path.suffix for path in tmp_path.iterdir())

    write_with(tmp_path / "m.prom", look)
    assert seen == [".tmp"]
