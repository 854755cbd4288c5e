"""What one look says of a file and of the workspace around it."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pipeline.contracts import paths
from pipeline.firewall import open_commit
from pipeline.firewall.places import Places
from pipeline.firewall.plain_files import FileRefusedError, open_regular
from pipeline.firewall.report import Report, State
from pipeline.firewall.scan import scan
from tests.pipeline.firewall.corpus import BAD, GOOD, Corpus, Run, honest, line


def look(root: Path, target: Path | None = None) -> Report:
    return scan(Places.of(root, target, (), ()))


def test_no_live_file_is_absent(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    corpus.sft.unlink()
    assert look(tmp_path).state is State.ABSENT


def test_a_named_file_that_is_missing_is_absent(tmp_path: Path) -> None:
    honest(tmp_path)
    assert look(tmp_path, tmp_path / "no/such.jsonl").state is State.ABSENT


def test_an_empty_file_is_clear_of_rows(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    corpus.export()
    report = look(tmp_path)
    assert (report.state, report.rows_read) == (State.CLEAR, 0)


def test_the_digest_is_that_of_the_file(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(*[runs["good"].row(context="z" * 3000)] * 2000)
    assert look(tmp_path).sha256 == hashlib.sha256(corpus.sft.read_bytes()).hexdigest()


@pytest.mark.parametrize("place", ["data/evidence", "data/scored-runs"])
def test_without_an_index_nothing_is_clear_and_nothing_is_accused(tmp_path: Path, place: str) -> None:
    honest(tmp_path)
    (tmp_path / place / "chat.jsonl").unlink()
    report = look(tmp_path)
    assert (report.state, report.findings.count) == (State.UNKNOWN, 0)
    assert "to judge by" in report.detail


def test_without_an_index_a_forbidden_label_is_still_a_breach(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    (tmp_path / "data/scored-runs/chat.jsonl").unlink()
    corpus.export(runs["bad"].row())
    report = look(tmp_path)
    assert (report.state, report.findings.by_wall) == (State.BREACH, {"label": 1})


@pytest.mark.parametrize("place", ["data/evidence/chat.jsonl", "data/scored-runs/chat.jsonl"])
@pytest.mark.parametrize("bad", [b"{\n", b'{"run_id":1}\n', b"[]\n", b"\n", b'{"run_id":"chat/x"'])
def test_unreadable_lines_of_the_index_are_counted_and_nothing_is_clear(
    tmp_path: Path, place: str, bad: bytes
) -> None:
    honest(tmp_path)
    with (tmp_path / place).open("ab") as file:
        file.write(bad)
    report = look(tmp_path)
    assert (report.state, report.index["unreadable"]) == (State.UNKNOWN, 1)
    assert report.detail == "1 line of evidence or scored runs cannot be read"


def test_a_verdict_that_is_written_twice_in_one_row_is_unreadable(tmp_path: Path) -> None:
    honest(tmp_path)
    scored = tmp_path / "data/scored-runs/chat.jsonl"
    data = scored.read_bytes().replace(
        b'"category":"rejected"', b'"category":"rejected","category":"accepted"', 1
    )
    scored.write_bytes(data)
    assert look(tmp_path).state is State.UNKNOWN


def test_a_rejected_run_whose_evidence_hides_behind_another_id_is_missed(tmp_path: Path) -> None:
    _, runs = honest(tmp_path)
    evidence = tmp_path / "data/evidence/chat.jsonl"
    mine = line(runs["bad"].evidence())
    evidence.write_bytes(evidence.read_bytes().replace(mine, mine[:-2] + b',"run_id":"chat/good"}\n'))
    report = look(tmp_path)
    assert (report.state, report.index["rejected_unseen"]) == (State.UNKNOWN, 1)


def test_a_rejected_run_that_shares_its_line_with_another_is_missed(tmp_path: Path) -> None:
    """Two rows on a line and one over two lines: as many rows as lines, all of them JSON in a row."""
    _, runs = honest(tmp_path)
    good, partly, bad, other, still = (
        line(runs[name].evidence()).rstrip(b"\n") for name in ("good", "partly", "bad", "other", "open")
    )
    cut = still.index(b",") + 1
    rows = (good + bad, partly, still[:cut], still[cut:], other, b"")
    (tmp_path / "data/evidence/chat.jsonl").write_bytes(b"\n".join(rows))
    report = look(tmp_path)
    assert report.state is State.UNKNOWN
    assert report.index["rejected_unseen"] == 1


def test_evidence_and_verdicts_spelled_another_way_are_understood(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    for place in ("data/evidence/chat.jsonl", "data/scored-runs/chat.jsonl"):
        data = (tmp_path / place).read_bytes()
        spaced = [json.dumps(json.loads(raw), indent=None) for raw in data.splitlines()]
        (tmp_path / place).write_text("\n".join(spaced) + "\n")
    corpus.export(runs["good"].row(), runs["good"].row(response=runs["bad"].response))
    report = look(tmp_path)
    assert [(finding.wall, finding.line) for finding in report.findings.first] == [("content", 2)]


def test_a_folder_or_a_pipe_in_place_of_the_file_is_unknown(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    corpus.sft.unlink()
    corpus.sft.mkdir()
    assert look(tmp_path).state is State.UNKNOWN
    corpus.sft.rmdir()
    os.mkfifo(corpus.sft)
    report = look(tmp_path)
    assert (report.state, report.detail) == (State.UNKNOWN, "not a regular file")


def test_a_file_that_is_refused_leaves_no_descriptor_open(tmp_path: Path) -> None:
    """A watcher looks every second, for weeks."""
    os.mkfifo(tmp_path / "pipe")
    before = len([*Path("/dev/fd").iterdir()])
    for place in (tmp_path / "pipe", tmp_path):
        with pytest.raises(FileRefusedError, match="not a regular file"):
            open_regular(place)
    assert len([*Path("/dev/fd").iterdir()]) == before


@pytest.mark.parametrize("place", [paths.SFT_EXPORT, paths.evidence_file("chat"), paths.scored_file("chat")])
def test_a_file_that_may_not_be_read_is_unknown(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest(tmp_path)
    real_open = os.open

    def refusing_open(path: Path, flags: int) -> int:
        if path == tmp_path / place:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real_open(path, flags)

    monkeypatch.setattr(os, "open", refusing_open)  # root, as whom tests may run, may read everything
    report = look(tmp_path)
    assert report.state is State.UNKNOWN
    assert "Permission denied" in report.detail


def test_a_link_that_leads_out_of_the_workspace_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    corpus, _ = honest(root)
    outside = tmp_path / "outside.jsonl"
    corpus.sft.rename(outside)
    corpus.sft.symlink_to(outside)
    report = look(root)
    assert (report.state, report.rows_read) == (State.UNKNOWN, 0)
    assert "out of the workspace" in report.detail


def test_evidence_behind_a_link_out_of_the_workspace_is_not_read(tmp_path: Path) -> None:
    root = tmp_path / "workspace"
    root.mkdir()
    honest(root)
    outside = tmp_path / "more.jsonl"
    outside.write_bytes(b"")
    (root / "data/evidence/more.jsonl").symlink_to(outside)
    report = look(root)
    assert report.state is State.UNKNOWN
    assert "more.jsonl" in report.detail


def test_quarantined_files_are_listed_and_scanned_only_when_named(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    aside = corpus.sft.with_name("instruction_response.jsonl.QUARANTINED-1767954151")
    aside.write_bytes(line(runs["bad"].row()))
    report = look(tmp_path)
    assert report.state is State.CLEAR
    assert report.quarantined == ("exports/sft/instruction_response.jsonl.QUARANTINED-1767954151",)
    assert look(tmp_path, aside).state is State.BREACH


def test_all_findings_are_counted_and_the_first_hundred_are_kept(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(*[runs["open"].row()] * 250)
    findings = look(tmp_path).findings
    assert (findings.count, len(findings.first)) == (500, 100)
    assert findings.by_wall == {"label": 250, "lineage": 250}


def receipt(root: Path, run: str, *, sha256: str, ok: bool = True) -> None:
    place = root / paths.receipts_folder(run) / "export.json"
    place.parent.mkdir(parents=True)
    claim = {"path": str(paths.SFT_EXPORT), "bytes": 1, "rows": 1, "sha256": sha256, "rows_digest": None}
    place.write_text(json.dumps({"ok": ok, "stage": "export", "outputs": [claim]}))


def test_the_cause_is_a_stale_export_when_the_file_is_as_its_run_wrote_it(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    receipt(tmp_path, "20260101T000000Z-aaaa", sha256=hashlib.sha256(corpus.sft.read_bytes()).hexdigest())
    runs["good"].category = BAD
    corpus.runs(*runs.values())
    assert look(tmp_path).cause == "stale_export"
    with corpus.sft.open("ab") as file:
        file.write(line(runs["partly"].row()))
    assert look(tmp_path).cause == "not_in_receipt"


def test_the_latest_receipt_of_a_run_that_succeeded_decides_the_cause(tmp_path: Path) -> None:
    corpus, runs = honest(tmp_path)
    corpus.export(runs["bad"].row())
    mine = hashlib.sha256(corpus.sft.read_bytes()).hexdigest()
    receipt(tmp_path, "20260101T000000Z-aaaa", sha256=mine)
    receipt(tmp_path, "20260103T000000Z-cccc", sha256="0" * 64, ok=False)
    assert look(tmp_path).cause == "stale_export"
    receipt(tmp_path, "20260102T000000Z-bbbb", sha256="1" * 64)
    assert look(tmp_path).cause == "not_in_receipt"


def formatted(corpus: Corpus, name: str, content: bytes, claims: dict[str, Any] | None) -> None:
    place = corpus.root / paths.FORMATTED / name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(content)
    if claims is not None:
        place.with_name(f"{name}.receipt.json").write_text(json.dumps(claims))


def as_chat(corpus: Corpus) -> bytes:
    """The texts of the export as a format has them."""
    rows = map(json.loads, corpus.sft.read_bytes().splitlines())
    turns = [
        [{"role": "user", "content": row["instruction"]}, {"role": "assistant", "content": row["response"]}]
        for row in rows
        if row["shape"] == "flat"
    ]
    assert turns
    return b"".join(line({"messages": each}) for each in turns)


def made_of(content: bytes, source: str) -> dict[str, Any]:
    """A receipt as the engine writes it, as far as the firewall reads it."""
    return {
        "export": "sft",
        "source": {"sha256": source},
        "output": {"sha256": hashlib.sha256(content).hexdigest()},
    }


def test_a_formatted_file_that_its_receipt_accounts_for_is_no_finding(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    sft = hashlib.sha256(corpus.sft.read_bytes()).hexdigest()
    rows = as_chat(corpus)
    formatted(corpus, "sft.chat.jsonl", rows, made_of(rows, sft))
    report = look(tmp_path)
    assert report.state is State.CLEAR
    assert [file["state"] for file in report.formatted] == ["accounted"]


@pytest.mark.parametrize("claims", [None, {}, {"output": []}, {"output": {"sha256": "0" * 64}}])
def test_a_formatted_file_that_no_receipt_accounts_for_is_a_breach(
    tmp_path: Path, claims: dict[str, Any] | None
) -> None:
    corpus, _ = honest(tmp_path)
    formatted(corpus, "sft.chat.jsonl", b"{}\n", claims)
    report = look(tmp_path)
    (finding,) = report.findings.first
    assert report.state is State.BREACH
    assert (finding.wall, finding.file, finding.line) == ("lineage", "exports/formatted/sft.chat.jsonl", 0)


def test_a_formatted_file_of_another_export_is_out_of_date(tmp_path: Path) -> None:
    corpus, _ = honest(tmp_path)
    rows = as_chat(corpus)
    formatted(corpus, "sft.chat.jsonl", rows, made_of(rows, "0" * 64))
    report = look(tmp_path)
    assert report.state is State.CLEAR
    assert [file["state"] for file in report.formatted] == ["out_of_date"]


def test_a_commit_that_stays_open_cannot_be_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest(tmp_path)
    monkeypatch.setattr(open_commit, "PATIENCE_SECONDS", 0.0)
    (tmp_path / paths.STATE).mkdir()
    (tmp_path / paths.INTENT).write_text("{}")
    with (tmp_path / paths.LOCK).open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert look(tmp_path).state is State.UNKNOWN
    assert look(tmp_path).state is State.CLEAR


def test_staged_files_are_judged_by_staged_evidence(tmp_path: Path) -> None:
    _, runs = honest(tmp_path)
    staged = tmp_path / "staging"
    for name in ("evidence", "scored"):
        (staged / name).mkdir(parents=True)
    fresh = Run("fresh", GOOD, "New.")
    (staged / "evidence/chat.jsonl").write_bytes(line(fresh.evidence()))
    (staged / "scored/chat.jsonl").write_bytes(line(fresh.scored()))
    target = staged / "sft.jsonl"
    target.write_bytes(line(fresh.row()))
    places = Places.of(tmp_path, target, (staged / "evidence",), (staged / "scored",))
    assert scan(places).state is State.CLEAR
    target.write_bytes(line(runs["good"].row()))
    assert scan(places).state is State.BREACH
