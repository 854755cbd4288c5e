"""What was found CLEAR holds until anything that a look reads is touched, and no longer than an hour."""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from console.commands import status as status_command
from console.reading.firewall_scan import scan_or_known
from pipeline.contracts import paths
from pipeline.contracts.status import FirewallStatus, FirewallWord, Verdict
from pipeline.firewall.places import Places
from pipeline.firewall.scan import scan
from pipeline.platform import disk, firewall
from pipeline.platform.firewall import Absent, Answer, Breach, Clear, Unknown, read_report
from pipeline.reading import kept_clear as module
from pipeline.reading.kept_clear import HOLDS_SECONDS, kept_clear, look_begins
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p4_sft_leak.diagnose import SYMPTOM as LEAK
from runbook.wizard.detecting import detect_all, detect_one
from tests.pipeline.engine.workspaces import make_workspace, run_all

KNOWN = FirewallStatus(FirewallWord.STALE)
SAID = {"state": "CLEAR", "rows_read": 3, "findings_count": 0, "sha256": "ab"}
CLEAR = Clear(read_report(SAID))
SET = "data/evaluation/held.jsonl"
FORMATTED = paths.FORMATTED / "openai" / "train.jsonl"
HELD_OUT = (
    '{"question": "Which of these words was never said by anybody who was asked?", "answer": "none of it"}\n'
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("sound") / "w")
    (root / SET).parent.mkdir(parents=True)
    (root / SET).write_text(HELD_OUT)
    with (root / paths.SETTINGS).open("a") as settings:
        settings.write('\n[[evaluation]]\nname = "held"\npath = "data/evaluation/*.jsonl"\n')
        settings.write('prompt = "question"\n')
    run_all(root)
    return root


@pytest.fixture
def root(sound: Path, tmp_path: Path) -> Path:
    place = tmp_path / "w"
    shutil.copytree(sound, place, symlinks=True)
    let_a_tick_pass(place)
    return place


def let_a_tick_pass(root: Path) -> None:
    """Until a file that is written now is stamped otherwise than the last one that was."""
    newest = max(path.lstat().st_ctime_ns for path in root.rglob("*"))
    probe = root / ".git" / "probe" if (root / ".git").is_dir() else root / paths.STATE / "probe"
    while True:
        probe.write_bytes(b"")
        if probe.stat().st_ctime_ns > newest:
            break
    probe.unlink()


def look(root: Path, answer: Answer = CLEAR) -> None:
    look_begins(root).keep(answer)


def test_a_clear_holds_while_nothing_is_touched(root: Path) -> None:
    assert kept_clear(root, time.time()) is None
    before = time.time()
    look(root)
    kept = kept_clear(root, time.time())
    assert kept is not None
    assert kept.answer.report.rows_read == 3
    assert before <= kept.looked_at <= time.time(), "the age is that of the look"


@pytest.mark.parametrize(
    "answer", [Breach(read_report({"state": "BREACH"})), Unknown("hung"), Absent(read_report({}))]
)
def test_nothing_but_clear_is_kept_and_any_other_answer_ends_it(root: Path, answer: Answer) -> None:
    look(root, answer)
    assert kept_clear(root, time.time()) is None
    look(root)
    look(root, answer)
    assert kept_clear(root, time.time()) is None


def _append(relative: Any) -> Callable[[Path], None]:
    def touch(root: Path) -> None:
        with (root / relative).open("ab") as file:
            file.write(b"\n")

    return touch


def _same_size_and_time(root: Path) -> None:
    """Only the time of change tells, which nobody can set back."""
    path = root / paths.SFT_EXPORT
    before, data = path.stat(), bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _replaced_with_old_times(root: Path) -> None:
    path = root / paths.SFT_EXPORT
    before, other = path.stat(), path.with_name("other")
    shutil.copy2(path, other)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(path)


def _new(relative: Any) -> Callable[[Path], None]:
    def touch(root: Path) -> None:
        (root / relative).parent.mkdir(parents=True, exist_ok=True)
        (root / relative).write_bytes(b"{}\n")

    return touch


def _linked(root: Path) -> None:
    (root / paths.EXPORTS / "more").symlink_to("/tmp")  # noqa: S108 - any folder


def _gone(root: Path) -> None:
    next((root / paths.SCORED_RUNS).glob("*.jsonl")).unlink()


def _receipt_of_an_export_gone(root: Path) -> None:
    next((root / paths.REPORTS).glob("*/receipts/export.json")).unlink()


TOUCHES: dict[str, Callable[[Path], None]] = {
    "the export grows": _append(paths.SFT_EXPORT),
    "the export changes beneath its size and time": _same_size_and_time,
    "another file under its name and time": _replaced_with_old_times,
    "pairs": _append(paths.PREFERENCE_EXPORT),
    "playbooks": _append(paths.RAG_EXPORT),
    "the manifest": _append(paths.EXPORT_MANIFEST),
    "evidence": _append(paths.evidence_file("runs")),
    "verdicts": _append(paths.scored_file("runs")),
    "verdicts gone": _gone,
    "settings": _append(paths.SETTINGS),
    "an evaluation set": _append(SET),
    "another evaluation set": _new("data/evaluation/new.jsonl"),
    "a file beside the exports": _new(paths.EXPORTS / "stray.jsonl"),
    "a formatted file": _new(FORMATTED),
    "a link among the exports": _linked,
    "evidence of another stream": _new(paths.evidence_file("other")),
    "a receipt gone": _receipt_of_an_export_gone,
    "a commit": _new(paths.INTENT),
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_whatever_is_touched_ends_it(root: Path, touch: Callable[[Path], None]) -> None:
    look(root)
    assert kept_clear(root, time.time()) is not None
    touch(root)
    assert kept_clear(root, time.time()) is None


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES)
def test_a_touch_while_the_firewall_reads_is_not_kept(root: Path, touch: Callable[[Path], None]) -> None:
    begun = look_begins(root)
    touch(root)
    begun.keep(CLEAR)
    assert not (root / paths.KEPT_CLEAR).exists()


def test_a_look_that_is_killed_leaves_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there while the clock of the disk is read is what a kill would leave."""
    before, seen = sorted((root / paths.STATE).iterdir()), []
    fstat = os.fstat

    def killed_now(descriptor: int) -> os.stat_result:
        seen.append(sorted((root / paths.STATE).iterdir()))
        return fstat(descriptor)

    monkeypatch.setattr(os, "fstat", killed_now)
    assert module._tick_of(root) is not None
    assert seen
    assert all(names == before for names in seen)


def test_a_file_written_within_the_tick_of_the_look_is_not_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = (root / paths.SFT_EXPORT).stat()
    monkeypatch.setattr(module, "_tick_of", lambda _root: at)
    look(root)
    assert kept_clear(root, time.time()) is None, "a later write could leave the same stamp"


def test_a_file_on_another_disk_has_to_be_older_by_its_clock(root: Path) -> None:
    seen = (root / paths.SFT_EXPORT).stat()
    tick = SimpleNamespace(st_dev=seen.st_dev + 1, st_ctime_ns=seen.st_ctime_ns + 1_999_999_999)
    assert not module._is_before(seen, tick)  # type: ignore[arg-type]  # stamps alone
    tick.st_ctime_ns += 2
    assert module._is_before(seen, tick)  # type: ignore[arg-type]  # stamps alone


def test_it_holds_for_an_hour_and_never_from_the_future(root: Path) -> None:
    look(root)
    kept = kept_clear(root, time.time())
    assert kept is not None
    assert kept_clear(root, kept.looked_at + HOLDS_SECONDS) is not None
    assert kept_clear(root, kept.looked_at + HOLDS_SECONDS + 1) is None
    assert kept_clear(root, kept.looked_at - 1) is None


def test_another_firewall_asks_anew(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    look(root)
    for digest in ("another", ""):
        monkeypatch.setattr(module, "firewall_digest", lambda said=digest: said)
        assert kept_clear(root, time.time()) is None


@pytest.mark.parametrize("change", [{"state": "BREACH"}, {"findings_count": 1}, {"rows_read": None}])
def test_what_is_kept_has_to_be_a_clear_itself(root: Path, change: dict[str, Any]) -> None:
    look(root)
    kept = json.loads((root / paths.KEPT_CLEAR).read_bytes())
    kept["said"] |= change
    (root / paths.KEPT_CLEAR).write_text(json.dumps(kept))
    assert kept_clear(root, time.time()) is None


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 1}', b"[" * 100_000])
def test_a_damaged_one_is_not_believed(root: Path, data: bytes) -> None:
    (root / paths.KEPT_CLEAR).write_bytes(data)
    assert kept_clear(root, time.time()) is None


def test_one_that_others_may_write_is_not_believed(root: Path) -> None:
    look(root)
    (root / paths.KEPT_CLEAR).chmod(0o666)
    assert kept_clear(root, time.time()) is None


def test_one_behind_a_link_is_not_believed(root: Path) -> None:
    look(root)
    (root / paths.KEPT_CLEAR).rename(root / paths.STATE / "elsewhere")
    (root / paths.KEPT_CLEAR).symlink_to(root / paths.STATE / "elsewhere")
    assert kept_clear(root, time.time()) is None


def test_a_copy_of_the_workspace_is_looked_at_anew(root: Path, tmp_path: Path) -> None:
    look(root)
    shutil.copytree(root, tmp_path / "copy", symlinks=True)
    assert kept_clear(tmp_path / "copy", time.time()) is None


def test_a_disk_that_refuses_costs_a_look_and_nothing_else(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk, "replacing", refuse)
    look(root)
    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    look(root)
    assert kept_clear(root, time.time()) is None


# The list of what a look reads is the firewall's to say.

_OPENED: list[list[str]] = []


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if (
        _OPENED
        and event in ("open", "os.scandir", "os.listdir")
        and isinstance(arguments[0], str | os.PathLike)
    ):
        _OPENED[-1].append(os.fspath(arguments[0]))


@pytest.fixture(scope="module")
def opened() -> Iterator[list[list[str]]]:
    sys.addaudithook(_note)
    yield _OPENED
    _OPENED.clear()


def test_all_that_a_look_reads_is_among_what_is_held_against_it(root: Path, opened: list[list[str]]) -> None:
    (root / FORMATTED).parent.mkdir(parents=True)
    (root / FORMATTED).write_bytes(b"{}\n")
    opened.append([])
    report = scan(Places.of(root, None, (), ()))
    read = {os.path.relpath(path, root) for path in opened.pop() if path.startswith(f"{root}/")}
    assert report.rows_read > 0
    held = {relative for relative, _ in module._everything(root)}
    assert {str(paths.SFT_EXPORT), str(FORMATTED), SET, str(paths.evidence_file("runs"))} <= read & held
    folders = {"data/evaluation", str(paths.REPORTS)}  # their names alone, which the list of files shows, too
    not_there = {each for each in read if not (root / each).exists()}
    assert all(each.startswith("exports/") for each in not_there), "where one that comes is seen"
    assert read - held - folders - not_there == set()


# Who believes it


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    found: list[Path] = []

    def answer(root: Path, **_: Any) -> Answer:
        found.append(root)
        return CLEAR

    monkeypatch.setattr(module, "ask_firewall", answer)
    return found


def test_status_asks_once_and_others_each_time(root: Path, asked: list[Path]) -> None:
    for _ in range(3):
        status = status_command.read_whole_status(root, from_kept=True)
        assert (status.firewall.state, status.firewall.rows_read) == (FirewallWord.CLEAR, 3)
    assert len(asked) == 1
    status_command.read_whole_status(root)
    assert len(asked) == 2, "whoever decides asks the firewall"
    assert scan_or_known(root, KNOWN, 0, from_kept=True) is KNOWN


def test_a_look_at_all_symptoms_asks_once_and_who_asks_for_one_each_time(
    root: Path, asked: list[Path]
) -> None:
    first, *others = [detect_all(Workspace(root), [LEAK])[0].detection for _ in range(3)]
    assert {each.verdict for each in (first, *others)} == {Verdict.CLEAR}
    assert len(asked) == 1
    ages = [each.age_seconds(each.read_at) for each in others]
    assert all(age is not None and age > 0 for age in ages), "the age is that of the look"
    detect_all(Workspace(root), [LEAK], full=True)
    detect_one(Workspace(root), LEAK)
    assert len(asked) == 3, "--full and a wizard ask the firewall"


def test_a_row_that_came_since_is_found(root: Path) -> None:
    (found,) = detect_all(Workspace(root), [LEAK])
    assert found.detection.verdict is Verdict.CLEAR
    let_a_tick_pass(root)
    (found,) = detect_all(Workspace(root), [LEAK])
    row = json.loads((root / paths.SFT_EXPORT).read_bytes().splitlines()[0])
    with (root / paths.SFT_EXPORT).open("ab") as file:
        file.write(json.dumps(row | {"quality_score": "rejected", "id": "forbidden"}).encode() + b"\n")
    (found,) = detect_all(Workspace(root), [LEAK])
    assert found.detection.verdict is Verdict.DETECTED


def test_a_forged_one_makes_nobody_calm_who_decides(root: Path) -> None:
    row = json.loads((root / paths.SFT_EXPORT).read_bytes().splitlines()[0])
    with (root / paths.SFT_EXPORT).open("ab") as file:
        file.write(json.dumps(row | {"quality_score": "rejected", "id": "forbidden"}).encode() + b"\n")
    let_a_tick_pass(root)
    look(root)
    assert kept_clear(root, time.time()) is not None, "forged"
    assert isinstance(firewall.ask_firewall(root), Breach)
    assert scan_or_known(root, KNOWN).state is FirewallWord.BREACH
    assert kept_clear(root, time.time()) is None, "and it ends with the first real look"


def test_a_long_look_is_no_news_from_the_future(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [time.time()]
    monkeypatch.setattr("time.time", lambda: clock[0])

    def slow(*_: Any, **__: Any) -> Answer:
        clock[0] += 20
        return CLEAR

    monkeypatch.setattr(module, "ask_firewall", slow)
    status = status_command.read_whole_status(root)
    assert status.firewall.origin.as_of == status.read_at == clock[0]
