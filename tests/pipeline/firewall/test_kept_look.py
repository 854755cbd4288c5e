"""A look that goes on from a kept one says what a look at everything says."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.firewall import cli, kept_look
from pipeline.firewall.index import Index
from pipeline.firewall.known_rows import KnownRows, row_key
from pipeline.firewall.places import Places
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from tests.pipeline.firewall.corpus import BAD, GOOD, PARTLY, STAMP, Corpus, Run, line

EVIDENCE, SCORED = paths.evidence_file("chat"), paths.scored_file("chat")


def told(report: Report) -> dict[str, Any]:
    """What a look says, but for how long it took."""
    index = {**report.index, "seconds": 0.0} if report.index else {}
    return replace(report, scan_seconds=0.0, index=index).to_dict()


class Looked:
    """A workspace whose export is looked at by and by; each look beside one that knows nothing."""

    def __init__(self, root: Path) -> None:
        self.corpus = Corpus(root)
        self.kept = root / "kept"
        self.runs = [good(number) for number in range(6)]
        self.runs += [
            Run("bad", BAD, "It is the wrong number, I am afraid."),
            Run("open", "needs_human_review"),
        ]
        self.corpus.runs(*self.runs)
        self.rows = [run.row() for run in self.runs if run.category == GOOD]
        self.corpus.export(*self.rows)

    def look(self) -> Report:
        places = Places.of(self.corpus.root, None, (), ())
        with_kept, without = scan(places, keep=self.kept), scan(places)
        assert told(with_kept) == told(without)
        return with_kept

    def append(self, *runs: Run, rows: bool = True) -> None:
        for run in runs:
            self.add(EVIDENCE, line(run.evidence()))
            self.add(SCORED, line(run.scored()))
        if rows:
            self.rows += [run.row() for run in runs if run.category in (GOOD, PARTLY)]
            self.corpus.export(*self.rows)

    def add(self, relative: Any, data: bytes) -> None:
        with (self.corpus.root / relative).open("ab") as file:
            file.write(data)

    def judged(self, monkeypatch: pytest.MonkeyPatch) -> int:
        """How many rows the next look judges."""
        judged: list[bytes] = []
        unknown = KnownRows.unknown

        def noted(self: KnownRows, keys: list[bytes]) -> list[int]:
            found = unknown(self, keys)
            judged.extend(keys[at] for at in found)
            return found

        with monkeypatch.context() as patch:
            patch.setattr(KnownRows, "unknown", noted)
            self.look()
        return len(judged)


def good(number: int, **members: Any) -> Run:
    asked = members.pop("instruction", f"What comes after {number}?")
    return Run(f"g{number}", GOOD, f"After it comes {number + 1}, said calmly.", instruction=asked, **members)


@pytest.fixture
def looked(tmp_path: Path) -> Looked:
    found = Looked(tmp_path)
    assert found.look().state is State.CLEAR
    return found


def test_rows_that_were_clean_are_not_judged_again(looked: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked.judged(monkeypatch) == 0
    looked.append(good(20), good(21))
    assert looked.judged(monkeypatch) == 2
    looked.rows[0]["attempts"] = 9
    looked.corpus.export(*looked.rows)
    assert looked.judged(monkeypatch) == 1
    looked.corpus.export(*({**row, "recorded_at": "2027-01-09T10:22:31Z"} for row in looked.rows))
    assert looked.judged(monkeypatch) == 0, "a stamp says nothing of a row"


def test_what_was_read_is_not_read_again(looked: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    looked.append(good(20))
    built: list[Index] = []

    def noted(self: Index) -> Iterator[None]:
        built.append(self)
        yield from ()

    monkeypatch.setattr(Index, "build", noted)
    places = Places.of(looked.corpus.root, None, (), ())
    assert scan(places, keep=looked.kept).state is State.CLEAR
    assert built == []


def test_an_old_answer_that_is_rejected_now_is_found(looked: Looked) -> None:
    run = looked.runs[2]
    looked.append(Run("late", BAD, run.response, instruction=run.instruction))
    assert looked.look().findings.by_wall == {"content": 1}


def test_a_run_that_is_rejected_now_is_found(looked: Looked) -> None:
    looked.add(SCORED, line({**looked.runs[0].scored(), "category": BAD}))
    assert "lineage" in looked.look().findings.by_wall


def test_a_run_that_says_something_else_now_is_found(looked: Looked) -> None:
    looked.add(EVIDENCE, line({**looked.runs[0].evidence(), "response": "I never said that."}))
    assert looked.look().findings.by_wall == {"fidelity": 1}


@pytest.mark.parametrize("place", [EVIDENCE, SCORED])
def test_a_beginning_that_changed_is_read_anew(looked: Looked, place: Any) -> None:
    path = looked.corpus.root / place
    changed = (
        path.read_bytes().replace(b"said calmly", b"said loudly").replace(b'"accepted"', b'"rejected"', 1)
    )
    path.write_bytes(changed)
    looked.append(good(30), rows=False)
    assert looked.look().state is State.BREACH


def test_a_breach_is_not_kept(looked: Looked) -> None:
    before = looked.kept.read_bytes()
    looked.corpus.export(*looked.rows, Run("bad", BAD).row(quality_score=GOOD))
    for _ in range(2):
        assert looked.look().state is State.BREACH
        assert looked.kept.read_bytes() == before


@pytest.mark.parametrize(
    "stamp",
    [
        f'{STAMP}","quality_score":"rejected',
        f'{STAMP}","source_run_id":"chat/bad',
        f'{STAMP}","note":"unknown member',
        f'{STAMP}","recorded_at":"{STAMP}',
    ],
)
def test_what_hides_in_a_stamp_is_judged(looked: Looked, stamp: str) -> None:
    row = line(looked.rows[0]).replace(STAMP.encode(), stamp.encode())
    assert row_key(row[:-1]) != row_key(line(looked.rows[0])[:-1])
    looked.corpus.export(row, *looked.rows[1:])
    assert looked.look().state is State.BREACH


@pytest.mark.parametrize("at", [0, 31, 32, 40, -1])
def test_a_damaged_kept_look_is_not_believed(looked: Looked, at: int) -> None:
    data = bytearray(looked.kept.read_bytes())
    data[at] ^= 1
    looked.kept.write_bytes(data)
    assert kept_look.resumed(looked.kept, [], [], []) is None
    assert looked.look().state is State.CLEAR


def test_a_look_of_other_code_is_not_believed(looked: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_look, "code_digest", lambda: "another")
    assert looked.judged(monkeypatch) == len(looked.rows)


def test_a_kept_look_of_others_is_not_believed(looked: Looked, monkeypatch: pytest.MonkeyPatch) -> None:
    looked.kept.chmod(0o622)
    assert looked.judged(monkeypatch) == len(looked.rows)
    looked.kept.chmod(0o600)
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    assert looked.judged(monkeypatch) == len(looked.rows)


def test_nothing_is_kept_through_a_link_nor_read_from_a_pipe(looked: Looked) -> None:
    aside = looked.kept.rename(looked.kept.with_name("aside"))
    looked.kept.symlink_to(aside)
    before = aside.read_bytes()
    looked.append(good(20))
    assert looked.look().state is State.CLEAR
    assert aside.read_bytes() == before
    looked.kept.unlink()
    os.mkfifo(looked.kept)
    assert looked.look().state is State.CLEAR


def test_where_nothing_can_be_kept_the_look_is_what_it_was(looked: Looked) -> None:
    looked.kept = looked.corpus.root / "no/such/folder/kept"
    assert looked.look().state is State.CLEAR


def test_lines_that_cannot_be_read_leave_nothing_to_go_on_from(looked: Looked) -> None:
    looked.add(EVIDENCE, b"{\n")
    assert looked.look().state is State.UNKNOWN
    looked.add(SCORED, b'{"torn')
    assert looked.look().state is State.UNKNOWN


def test_the_command_keeps_where_it_is_told(looked: Looked, capsys: pytest.CaptureFixture[str]) -> None:
    kept = looked.corpus.root / "by-command"
    root = looked.corpus.root
    arguments = [str(looked.corpus.sft), "--evidence-dir", str(root / paths.EVIDENCE)]
    arguments += ["--scored-dir", str(root / paths.SCORED_RUNS), "--keep", str(kept)]
    assert cli.main(arguments) == 0
    assert kept.is_file()
    assert cli.main(arguments) == 0
    assert "CLEAR" in capsys.readouterr().out


class Changes:
    """What may happen to the files between two looks."""

    def __init__(self, looked: Looked, seed: int) -> None:
        self.looked = looked
        self.random = random.Random(seed)  # noqa: S311 - the same changes in every run
        self.number = 100

    def change(self) -> None:
        acts: list[Callable[[], None]] = [self.more] * 4 + [
            self.reject_an_answer,
            self.rescore,
            self.another_stream,
            self.edit_a_row,
            self.edit_evidence,
            self.drop_rows,
            self.shuffle,
            self.odd_lines,
        ]
        self.random.choice(acts)()

    def more(self) -> None:
        self.number += 10
        self.looked.append(*(good(self.number + each) for each in range(self.random.randint(1, 5))))
        self.looked.append(Run(f"b{self.number}", BAD, f"No idea {self.number}.", instruction="Which?"))

    def reject_an_answer(self) -> None:
        self.number += 1
        row = self.random.choice(self.looked.rows)
        task = self.random.choice(["t1", "other"])
        said = self.random.choice([row["response"], row["response"].upper()])
        asked = self.random.choice([row["instruction"], "Something else?"])
        self.looked.append(Run(f"r{self.number}", BAD, said, instruction=asked, task=task))

    def rescore(self) -> None:
        run = self.random.choice(self.looked.runs)
        category = self.random.choice([GOOD, PARTLY, BAD, "unheard of"])
        self.looked.add(SCORED, line({**run.scored(), "category": category}))

    def another_stream(self) -> None:
        run = Run("x", GOOD, stream=f"s{self.number}")
        root = self.looked.corpus.root
        (root / paths.evidence_file(run.stream)).write_bytes(line(run.evidence()))
        (root / paths.scored_file(run.stream)).write_bytes(line(run.scored()))
        self.looked.rows.append(run.row())
        self.looked.corpus.export(*self.looked.rows)

    def edit_a_row(self) -> None:
        at = self.random.randrange(len(self.looked.rows))
        changed: dict[str, Any] = self.random.choice(
            [{"attempts": 7}, {"quality_score": BAD}, {"source_run_id": "chat/bad"}, {"response": "Else."}]
        )
        rows = list(self.looked.rows)
        rows[at] = {**rows[at], **changed}
        self.looked.corpus.export(*rows)

    def edit_evidence(self) -> None:
        path = self.looked.corpus.root / EVIDENCE
        lines = path.read_bytes().splitlines(keepends=True)
        at = self.random.randrange(len(lines))
        lines[at] = lines[at].replace(b"After", b"Before")
        path.write_bytes(b"".join(lines))

    def drop_rows(self) -> None:
        self.looked.corpus.export(*self.looked.rows[: self.random.randrange(1, len(self.looked.rows))])

    def shuffle(self) -> None:
        self.random.shuffle(self.looked.rows)
        self.looked.corpus.export(*self.looked.rows)

    def odd_lines(self) -> None:
        odd = self.random.choice([b"{\n", b"[]\n", b"\n", b'{"id":"torn"'])
        self.looked.corpus.export(*self.looked.rows, odd)


@pytest.mark.parametrize("seed", range(12))
def test_whatever_changes_both_looks_say_the_same(tmp_path: Path, seed: int) -> None:
    changes = Changes(Looked(tmp_path), seed)
    for _ in range(15):
        changes.looked.look()
        changes.change()
