"""What a watcher says of playbooks and pairs beside the SFT export, and when it may say so."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

from pipeline.contracts import paths
from pipeline.firewall import other_exports
from pipeline.firewall.index import Index
from pipeline.firewall.other_exports import Compared
from pipeline.firewall.places import Places
from pipeline.firewall.report import State
from pipeline.firewall.scan import scan
from pipeline.firewall.sentinel import Sentinel, Sighting
from pipeline.stages.export_preference import preference_row
from pipeline.stages.export_rag import rag_row
from tests.pipeline.firewall.corpus import Corpus, Run, honest, line
from tests.pipeline.firewall.watching import Watcher
from tests.pipeline.stages.builders import OPTIONS
from tests.waiting import LIMIT_SECONDS

RAG, PAIRS = paths.RAG_EXPORT, paths.PREFERENCE_EXPORT
Workspace = tuple[Path, Corpus, dict[str, Run]]


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An honest SFT export, and a playbook and a pair beside it as the exporters write them."""
    corpus, runs = honest(tmp_path)
    good, bad = runs["good"], runs["bad"]
    pair = preference_row(good.evidence(), good.scored(), bad.evidence(), bad.scored(), OPTIONS)
    for place, row in ((RAG, rag_row(good.evidence(), good.scored(), OPTIONS)), (PAIRS, pair)):
        assert isinstance(row, dict), row
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_bytes(line(row))
    manifest = {"schemas": {"sft": 2, "rag": 2, "preference": 2}}
    (tmp_path / paths.EXPORT_MANIFEST).write_text(json.dumps(manifest))
    return tmp_path, corpus, runs


def poisoned(data: bytes) -> bytes:
    assert b"Forty-two." in data
    return data.replace(b"Forty-two.", b"Forty-one.")


@pytest.mark.parametrize("place", [RAG, PAIRS])
def test_an_appended_row_that_its_run_did_not_say_is_an_alarm(
    workspace: Workspace, place: PurePosixPath
) -> None:
    root = workspace[0]
    data = (root / place).read_bytes()
    with Watcher(root) as watcher:
        watcher.until_state("CLEAR")
        with (root / place).open("ab") as file:
            file.write(poisoned(data))
        alarm = watcher.until_state("BREACH")
        assert scan(Places.of(root, None, (), ())).state is State.BREACH
        (root / place).write_bytes(data)
        cleared = watcher.until_state("CLEAR")
    assert alarm["by_file"] == {place.as_posix(): 1}
    assert [(each["wall"], each["file"], each["line"]) for each in alarm["findings"]] == [
        ("fidelity", place.as_posix(), 2)
    ]
    assert cleared["findings_count"] == 0


def test_evidence_that_changes_behind_a_pair_is_an_alarm(workspace: Workspace) -> None:
    root, corpus, runs = workspace
    with Watcher(root) as watcher:
        watcher.until_state("CLEAR")
        runs["bad"].response = "It is forty-four, I am sure."
        corpus.runs(*runs.values())
        alarm = watcher.until_state("BREACH")
    assert alarm["by_file"] == {PAIRS.as_posix(): 1}


def test_a_manifest_that_changes_makes_it_look_again(workspace: Workspace) -> None:
    """Rows of version 1 are not compared, and nobody calls them clear; of version 2, they are compared."""
    root = workspace[0]
    manifest = (root / paths.EXPORT_MANIFEST).read_text()
    (root / paths.EXPORT_MANIFEST).write_text("{}")
    old = json.loads(poisoned((root / RAG).read_bytes()))
    (root / RAG).write_bytes(line({**old, "tags": [old["tags"]]}))  # as version 1 had them
    with Watcher(root) as watcher:
        watcher.until_state("UNKNOWN")
        (root / paths.EXPORT_MANIFEST).write_text(manifest)
        watcher.until_state("BREACH")


@pytest.mark.parametrize("has_rows", [True, False])
def test_another_export_that_cannot_be_read_leaves_nothing_clear(
    workspace: Workspace, has_rows: bool
) -> None:
    root, corpus, _ = workspace
    if not has_rows:
        corpus.export()
    (root / RAG).unlink()
    os.mkfifo(root / RAG)
    once = scan(Places.of(root, None, (), ()))
    assert (once.state, once.detail) == (State.UNKNOWN, f"{RAG}: not a regular file")
    with Watcher(root) as watcher:
        watcher.until(lambda event: event.get("detail") == once.detail and event["state"] == "UNKNOWN")
        assert "CLEAR" not in {event["state"] for event in watcher.events}


def test_a_missing_sft_export_hides_no_poisoned_playbook_from_either(workspace: Workspace) -> None:
    root, corpus, _ = workspace
    whole = (root / RAG).read_bytes()
    (root / RAG).write_bytes(poisoned(whole))
    data = corpus.sft.read_bytes()
    with Watcher(root) as watcher:
        watcher.until_state("BREACH")
        corpus.sft.unlink()
        alarm = watcher.until(lambda event: event["detail"] == "there is no such file")
        assert (alarm["state"], alarm["by_file"]) == ("BREACH", {RAG.as_posix(): 1})
        assert scan(Places.of(root, None, (), ())).state is State.BREACH
        (root / RAG).write_bytes(whole)
        watcher.until_state("ABSENT")
        assert scan(Places.of(root, None, (), ())).state is State.ABSENT
        corpus.sft.write_bytes(data)
        watcher.until_state("CLEAR")


class Gate:
    """Holds each look at the other exports until it is opened; ``begun`` counts the looks."""

    def __init__(self) -> None:
        self.begun = 0
        self._open = threading.Event()
        self._compare = other_exports.compare

    def compare(self, places: Places, index: Index) -> Compared:
        compared = self._compare(places, index)
        self.begun += 1
        assert self._open.wait(LIMIT_SECONDS)
        return compared

    def open(self) -> None:
        self._open.set()

    def close(self) -> None:
        self._open.clear()


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate()
    monkeypatch.setattr(other_exports, "compare", gate.compare)
    yield gate
    gate.open()


def until(sentinel: Sentinel, wanted: Callable[[Sighting], bool]) -> list[Sighting]:
    """All that was seen up to the first sighting that is wanted."""
    seen: list[Sighting] = []
    deadline = time.monotonic() + LIMIT_SECONDS
    while not seen or not wanted(seen[-1]):
        assert time.monotonic() < deadline, seen[-1]
        seen.append(sentinel.look())
    return seen


def states(seen: list[Sighting]) -> set[State]:
    return {sighting.report.state for sighting in seen}


def test_until_it_has_looked_nothing_is_clear(workspace: Workspace, gate: Gate) -> None:
    root, corpus, runs = workspace
    sentinel = Sentinel(Places.of(root, None, (), ()))
    seen = until(sentinel, lambda sighting: gate.begun == 1 and not sighting.is_reading)
    assert states(seen) == {State.UNKNOWN}
    assert not any(sighting.is_settled for sighting in seen)
    # Rows of the SFT export wait for nobody.
    honest_rows = corpus.sft.read_bytes()
    corpus.sft.write_bytes(honest_rows + line(runs["bad"].row()))
    until(sentinel, lambda sighting: sighting.report.state is State.BREACH)
    corpus.sft.write_bytes(honest_rows)
    until(sentinel, lambda sighting: sighting.report.state is State.UNKNOWN and not sighting.is_reading)
    gate.open()
    until(sentinel, lambda sighting: sighting.is_settled and sighting.report.state is State.CLEAR)

    gate.close()
    pair = json.loads((root / PAIRS).read_bytes())
    (root / PAIRS).write_bytes(line({**pair, "reason": "of another time"}))
    seen = until(sentinel, lambda _: gate.begun == 2)
    assert states(seen) == {State.STALE}
    assert not any(sighting.is_settled for sighting in seen)
    gate.open()
    until(sentinel, lambda sighting: sighting.is_settled and sighting.report.state is State.CLEAR)
    sentinel.close()


def test_a_look_at_files_that_changed_meanwhile_does_not_count(workspace: Workspace, gate: Gate) -> None:
    root = workspace[0]
    data = (root / PAIRS).read_bytes()
    (root / PAIRS).write_bytes(poisoned(data))
    sentinel = Sentinel(Places.of(root, None, (), ()))
    until(sentinel, lambda _: gate.begun == 1)
    (root / PAIRS).write_bytes(data)
    gate.open()
    seen = until(sentinel, lambda sighting: sighting.is_settled)
    assert states(seen) == {State.UNKNOWN, State.CLEAR}
    assert gate.begun == 2
    sentinel.close()


def test_they_are_compared_where_there_is_no_export_to_train_on(workspace: Workspace) -> None:
    root = workspace[0]
    (root / paths.SFT_EXPORT).unlink()
    data = (root / RAG).read_bytes()
    with Watcher(root) as watcher:
        watcher.until_state("ABSENT")
        (root / RAG).write_bytes(poisoned(data))
        alarm = watcher.until_state("BREACH")
        assert scan(Places.of(root, None, (), ())).state is State.BREACH
        (root / RAG).write_bytes(data)
        watcher.until_state("ABSENT")
    assert alarm["by_file"] == {RAG.as_posix(): 1}
