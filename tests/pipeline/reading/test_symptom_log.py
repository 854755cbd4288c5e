"""What the detectors saw is kept for everybody, and a damaged file costs what was damaged."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.contracts.status import Answer, Verdict
from pipeline.reading import symptom_log
from pipeline.reading.report_files import Notes
from pipeline.reading.symptom_log import keep_looks, read_looks

NOW = 1_777_279_267.0


def seen(verdict: Verdict, as_of: float = NOW, symptom_id: str = "A") -> Answer:
    return Answer(verdict, "what was seen", as_of, id=symptom_id)


def read(root: Path) -> dict[str, Answer]:
    return read_looks(root, Notes())


def test_a_symptom_keeps_the_time_of_its_first_sighting_until_it_was_seen_gone(tmp_path: Path) -> None:
    keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW)], NOW)
    keep_looks(tmp_path, [seen(Verdict.UNKNOWN, NOW + 5)], NOW + 5)
    keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW + 9)], NOW + 9)
    assert (read(tmp_path)["A"].as_of, read(tmp_path)["A"].since) == (NOW + 9, NOW)
    keep_looks(tmp_path, [seen(Verdict.CLEAR, NOW + 12)], NOW + 12)
    keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW + 20)], NOW + 20)
    assert read(tmp_path)["A"].since == NOW + 20


@pytest.mark.parametrize("contained", [True, False])
def test_who_reads_a_look_is_no_more_blind_than_who_looked(tmp_path: Path, contained: bool) -> None:
    looked = replace(seen(Verdict.UNKNOWN), contained=contained)
    keep_looks(tmp_path, [looked], NOW)
    assert read(tmp_path)["A"].is_blind is looked.is_blind


def test_who_could_not_look_silences_no_alarm(tmp_path: Path) -> None:
    keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW)], NOW)
    starved = replace(seen(Verdict.UNKNOWN, NOW + 5), observed="too few file descriptors")
    [standing] = keep_looks(tmp_path, [starved], NOW + 5).values()
    assert standing == read(tmp_path)["A"]
    assert (standing.verdict, standing.observed) == (Verdict.DETECTED, "what was seen")
    assert (standing.as_of, standing.since, standing.stale) == (NOW, NOW, "too few file descriptors")
    keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW + 9)], NOW + 9)
    assert (read(tmp_path)["A"].since, read(tmp_path)["A"].stale) == (NOW, "")


@pytest.mark.parametrize("contained", [True, False])
def test_what_was_set_aside_or_is_not_there_shows_no_more(tmp_path: Path, contained: bool) -> None:
    blind = seen(Verdict.UNKNOWN, NOW + 5)
    keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW)], NOW)
    keep_looks(tmp_path, [replace(blind, contained=contained, nothing_yet=not contained)], NOW + 5)
    assert read(tmp_path)["A"].verdict is Verdict.UNKNOWN


def test_what_was_clear_is_unknown_to_who_cannot_look(tmp_path: Path) -> None:
    keep_looks(tmp_path, [seen(Verdict.CLEAR, NOW)], NOW)
    keep_looks(tmp_path, [seen(Verdict.UNKNOWN, NOW + 5)], NOW + 5)
    assert read(tmp_path)["A"].verdict is Verdict.UNKNOWN


def test_what_a_report_told_before_the_look_was_seen_then_unless_it_was_seen_gone_since(
    tmp_path: Path,
) -> None:
    told = replace(seen(Verdict.DETECTED, NOW), since=NOW - 60)
    keep_looks(tmp_path, [told], NOW)
    assert read(tmp_path)["A"].since == NOW - 60
    keep_looks(tmp_path, [seen(Verdict.CLEAR, NOW + 5)], NOW + 5)
    keep_looks(tmp_path, [replace(told, as_of=NOW + 9)], NOW + 9)
    assert read(tmp_path)["A"].since == NOW + 9


def test_a_look_at_one_symptom_leaves_what_is_known_of_the_others(tmp_path: Path) -> None:
    keep_looks(tmp_path, [seen(Verdict.CLEAR, symptom_id="A"), seen(Verdict.DETECTED, symptom_id="B")], NOW)
    keep_looks(tmp_path, [seen(Verdict.CLEAR, NOW + 5, "B")], NOW + 5)
    assert {name: each.as_of for name, each in read(tmp_path).items()} == {"A": NOW, "B": NOW + 5}


@pytest.mark.parametrize("rubbish", [b"{", b"\xff\xfe\n", b"[]\n", b'{"version": 9}\n', b"[" * 5000 + b"\n"])
def test_garbage_and_a_torn_tail_cost_what_they_damaged(tmp_path: Path, rubbish: bytes) -> None:
    keep_looks(tmp_path, [seen(Verdict.DETECTED)], NOW)
    with (tmp_path / paths.SYMPTOM_LOG).open("ab") as file:
        file.write(rubbish)
    assert read(tmp_path)["A"].is_detected
    keep_looks(tmp_path, [seen(Verdict.CLEAR, NOW + 1)], NOW + 1)
    assert read(tmp_path)["A"].verdict is Verdict.CLEAR


def test_what_is_no_file_is_no_look(tmp_path: Path) -> None:
    assert read(tmp_path) == {}
    (tmp_path / "reports").mkdir()
    os.mkfifo(tmp_path / paths.SYMPTOM_LOG)
    assert read(tmp_path) == {}
    with pytest.raises(StorageError):
        keep_looks(tmp_path, [seen(Verdict.CLEAR)], NOW)


def test_it_does_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(symptom_log, "MOST_BYTES", 2000)
    for second in range(40):
        keep_looks(tmp_path, [seen(Verdict.DETECTED, NOW + second)], NOW + second)
        assert (tmp_path / paths.SYMPTOM_LOG).stat().st_size <= 2000
    assert read(tmp_path)["A"].since == NOW
