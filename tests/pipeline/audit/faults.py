"""Every fault that the audit must see, each planted into a fresh copy of an audited workspace.

``aims_at`` is the check that has to turn red. What else turns red, and the exit code, is on
record in ``faults.json``, from which ``docs/checks.md`` shows the table.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import orjson

from pipeline.contracts import paths
from tests.pipeline.audit.audited import Row, edit_rows, flip, read_rows, run_folder
from tests.pipeline.engine.workspaces import run_all

RUNS_EVIDENCE = paths.evidence_file("runs")
RUNS_SCORED = paths.scored_file("runs")


def cut_the_baselines(workspace: Path) -> None:
    place = workspace / paths.AUDIT_BASELINES
    place.write_bytes(place.read_bytes()[:-5])


@dataclass(frozen=True)
class Fault:
    """``aims_at`` is a check id, ``drift`` for a moved metric, or empty when the audit stays green.

    What ``plant`` returns is kept open during the audit when it is a context manager.
    """

    name: str
    title: str
    aims_at: str
    plant: Callable[[Path], object]
    audit_first: bool = False


def _append(workspace: Path, relative: object, row: Row) -> None:
    edit_rows(workspace, relative, lambda rows: rows.append(row))


def _rejected_run(workspace: Path) -> Row:
    return next(row for row in read_rows(workspace, RUNS_SCORED) if row["category"] == "rejected")


def _evidence_of(workspace: Path, run_id: str) -> Row:
    return next(row for row in read_rows(workspace, RUNS_EVIDENCE) if row["run_id"] == run_id)


def _sft_row(workspace: Path) -> Row:
    return next(row for row in read_rows(workspace, paths.SFT_EXPORT) if row["stream"] == "runs")


def flip_evidence_byte(workspace: Path) -> None:
    flip(workspace / RUNS_EVIDENCE, b'"response":"')


def flip_provenance_byte(workspace: Path) -> None:
    flip(workspace / RUNS_EVIDENCE, b'"sig_hash":"')


def break_evidence_line(workspace: Path) -> None:
    path = workspace / RUNS_EVIDENCE
    path.write_bytes(b"[" + path.read_bytes()[1:])


def flip_receipt_byte(workspace: Path) -> None:
    flip(run_folder(workspace) / "receipts/score.json", b'"rows_out": ')


def flip_summary_byte(workspace: Path) -> None:
    flip(run_folder(workspace) / "summary.json", b'"run_hash": "')


def misspell_summary_key(workspace: Path) -> None:
    flip(run_folder(workspace) / "summary.json", b'"exit_cod')


def remove_summary(workspace: Path) -> None:
    (run_folder(workspace) / "summary.json").unlink()


def remove_receipt(workspace: Path) -> None:
    (run_folder(workspace) / "receipts/export.json").unlink()


def drop_evidence_row(workspace: Path) -> None:
    edit_rows(workspace, RUNS_EVIDENCE, lambda rows: rows.pop(7))


def repeat_evidence_row(workspace: Path) -> None:
    edit_rows(workspace, RUNS_EVIDENCE, lambda rows: rows.insert(7, rows[7]))


def drop_skip(workspace: Path) -> None:
    edit_rows(workspace, paths.DISTILLATION_SKIPS, lambda rows: rows.pop())


def change_source_line(workspace: Path) -> None:
    flip(workspace / "data/_kb/runs-a.jsonl", b"answer 3:")


def drop_source_line(workspace: Path) -> None:
    path = workspace / "data/_kb/runs-a.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[1:]))


def append_source_lines(workspace: Path) -> None:
    path = workspace / "data/_kb/runs-a.jsonl"
    path.write_bytes(
        path.read_bytes() + path.read_bytes().splitlines(keepends=True)[0].replace(b"t0", b"t900")
    )


def move_source_away(workspace: Path) -> None:
    (workspace / "data/_kb/chats.jsonl").rename(workspace / "chats.elsewhere")


def make_stream_unreadable(workspace: Path) -> None:
    """Every line of a tier-1 stream loses the field that its rules ask for."""
    path = workspace / "data/_kb/chats.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"task":', b'"tusk":'))


def remove_half_of_the_sources(workspace: Path) -> None:
    path = workspace / "data/_kb/runs-b.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:4]))
    path = workspace / "data/_kb/chats.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:10]))
    run_all(workspace)


def remove_recon_doc(workspace: Path) -> None:
    (workspace / paths.RECON_DOC).unlink()


def empty_recon_doc(workspace: Path) -> None:
    (workspace / paths.RECON_DOC).write_text(" \n", encoding="utf-8")


def lower_threshold_in_settings(workspace: Path) -> None:
    settings = workspace / paths.SETTINGS
    settings.write_text(settings.read_text("utf-8") + "\n[scoring]\npartial_at = 0.1\n", encoding="utf-8")


def _told(row: Row, **texts: str) -> Row:
    """A flat SFT row with other texts, which its messages say too."""
    assert row["shape"] == "flat"
    told = {**row, **texts}
    spoken = {"system": told["context"], "user": told["instruction"], "assistant": told["response"]}
    return {**told, "messages": [{**turn, "content": spoken[turn["role"]]} for turn in row["messages"]]}


def relabel_rejected_row(workspace: Path) -> None:
    """A row of the SFT file, for a run that was rejected, with an allowed label."""
    scored = _rejected_run(workspace)
    evidence = _evidence_of(workspace, scored["run_id"])
    planted = {
        **_told(_sft_row(workspace), instruction=evidence["instruction"], response=evidence["response"]),
        "id": "sft-" + "0" * 16,
        "source_run_id": scored["run_id"],
        "task_id": scored["task_id"],
        "provenance": scored["provenance"],
    }
    _append(workspace, paths.SFT_EXPORT, planted)


def make_up_source_run_id(workspace: Path) -> None:
    planted = {
        **_told(_sft_row(workspace), response="a text that no run ever gave"),
        "id": "sft-" + "1" * 16,
        "source_run_id": "runs/" + "0" * 16,
    }
    _append(workspace, paths.SFT_EXPORT, planted)


def copy_rejected_text(workspace: Path) -> None:
    """The row of an accepted run answers, but for white space, what a rejected run of its task did."""
    rejected = {
        row["task_id"]: row["run_id"]
        for row in read_rows(workspace, RUNS_SCORED)
        if row["category"] == "rejected"
    }

    def copy(rows: list[Row]) -> None:
        row = next(row for row in rows if row["stream"] == "runs" and row["task_id"] in rejected)
        text = _evidence_of(workspace, rejected[row["task_id"]])["response"]
        row.update(_told(row, response=text.replace(" ", "  ", 1)))

    edit_rows(workspace, paths.SFT_EXPORT, copy)


def break_sft_line(workspace: Path) -> None:
    path = workspace / paths.SFT_EXPORT
    path.write_bytes(path.read_bytes() + b'{"id": "sft-1", "id": "sft-2"}\n')


def remove_sft_file(workspace: Path) -> None:
    (workspace / paths.SFT_EXPORT).unlink()


def make_self_pair(workspace: Path) -> None:
    def pair(rows: list[Row]) -> None:
        rows[0]["rejected_run_id"] = rows[0]["chosen_run_id"]

    edit_rows(workspace, paths.PREFERENCE_EXPORT, pair)


def swap_pair(workspace: Path) -> None:
    """The worse run is called the better one; each keeps its text."""

    def swap(rows: list[Row]) -> None:
        row = rows[0]
        for name in ("run_id", "model_name", "score", "provenance"):
            chosen, rejected = f"chosen_{name}", f"rejected_{name}"
            row[chosen], row[rejected] = row[rejected], row[chosen]
        row["chosen"], row["rejected"] = row["rejected"], row["chosen"]

    edit_rows(workspace, paths.PREFERENCE_EXPORT, swap)


def equal_pair_texts(workspace: Path) -> None:
    def equal(rows: list[Row]) -> None:
        row = next(row for row in rows if row["shape"] == "flat")
        row["rejected"][0]["content"] = row["chosen"][0]["content"] + "  \n"

    edit_rows(workspace, paths.PREFERENCE_EXPORT, equal)


def rag_from_rejected_run(workspace: Path) -> None:
    scored = _rejected_run(workspace)
    planted = {
        **read_rows(workspace, paths.RAG_EXPORT)[0],
        "id": "rag-" + "0" * 16,
        "source_run_id": scored["run_id"],
        "provenance": scored["provenance"],
    }
    _append(workspace, paths.RAG_EXPORT, planted)


def repeat_export_id(workspace: Path) -> None:
    def repeat(rows: list[Row]) -> None:
        rows[1]["id"] = rows[0]["id"]

    edit_rows(workspace, paths.RAG_EXPORT, repeat)


def drop_quarantined_row(workspace: Path) -> None:
    edit_rows(workspace, paths.RAG_QUARANTINE, lambda rows: rows.pop())


def invent_category(workspace: Path) -> None:
    def invent(rows: list[Row]) -> None:
        rows[0]["category"] = "excellent"

    edit_rows(workspace, RUNS_SCORED, invent)


def second_verdict(workspace: Path) -> None:
    edit_rows(workspace, RUNS_SCORED, lambda rows: rows.append(rows[0]))


def second_scorer(workspace: Path) -> None:
    def renew(rows: list[Row]) -> None:
        rows[0]["scorer_version"] = "99"

    edit_rows(workspace, RUNS_SCORED, renew)


def serve_filler(workspace: Path) -> AbstractContextManager[None]:
    """The replay model is a server that answers everything with a hedge."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Filler)
    settings = workspace / paths.SETTINGS
    url = f"http://127.0.0.1:{server.server_port}/v1"
    settings.write_text(
        f'{settings.read_text("utf-8")}\n[replay]\nmodel = "openai:filler"\nbase_url = "{url}"\n',
        encoding="utf-8",
    )
    return _serving(server)


@contextlib.contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Filler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        words = "As an AI language model I am not sure; it depends on many factors in your setup."
        message = {"role": "assistant", "content": words}
        body = orjson.dumps({"choices": [{"message": message, "finish_reason": "stop"}]})
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on standard error."""


def stop_the_replay_model(workspace: Path) -> None:
    """Nobody listens at the model's address."""
    with serve_filler(workspace):
        pass


def unaccounted_evidence(workspace: Path) -> None:
    (workspace / paths.EVIDENCE / "planted.jsonl").write_bytes(b"")


FAULTS: tuple[Fault, ...] = (
    Fault("recon-doc-deleted", "the recon doc deleted", "P0.recon-doc", remove_recon_doc),
    Fault("recon-doc-emptied", "the recon doc emptied", "P0.recon-doc", empty_recon_doc),
    Fault("source-moved-away", "a tier-1 source moved away", "P0.source-chats", move_source_away),
    Fault(
        "source-yields-nothing", "a tier-1 stream's lines lose a field", "P2.dry-run", make_stream_unreadable
    ),
    Fault(
        "source-line-changed", "one source line changed after the run", "P2.provenance", change_source_line
    ),
    Fault("source-line-dropped", "one source line dropped after the run", "P2.provenance", drop_source_line),
    Fault("source-grew", "lines appended to a source (no fault)", "", append_source_lines),
    Fault("evidence-byte", "one byte flipped in an evidence file", "P5.receipts-match", flip_evidence_byte),
    Fault("provenance-byte", "one byte flipped in a row's provenance", "P2.provenance", flip_provenance_byte),
    Fault("evidence-line-broken", "one evidence line no JSON any more", "P2.provenance", break_evidence_line),
    Fault("evidence-row-dropped", "one evidence row dropped", "P2.conserves", drop_evidence_row),
    Fault("evidence-row-repeated", "one evidence row written twice", "P3.coverage", repeat_evidence_row),
    Fault("evidence-file-planted", "an evidence file of no run", "P5.receipts-match", unaccounted_evidence),
    Fault("skip-dropped", "one skip dropped", "P2.conserves", drop_skip),
    Fault("category-unknown", "a verdict of an unknown category", "P3.distribution", invent_category),
    Fault("verdict-repeated", "a run with two verdicts", "P3.coverage", second_verdict),
    Fault("scorer-mixed", "verdicts of two scorer versions", "P3.coverage", second_scorer),
    Fault("sft-relabelled", "a rejected row relabelled into SFT", "P4.sft-firewall", relabel_rejected_row),
    Fault(
        "sft-made-up-run", "an SFT row with a made-up source_run_id", "P4.sft-firewall", make_up_source_run_id
    ),
    Fault("sft-copied-text", "an SFT row with a rejected run's text", "P4.sft-firewall", copy_rejected_text),
    Fault("sft-line-ambiguous", "an SFT line that repeats a key", "P4.sft-firewall", break_sft_line),
    Fault("sft-deleted", "the SFT file deleted", "P4.exports-valid", remove_sft_file),
    Fault("self-pair", "a self-pair", "P4.preference-pairs", make_self_pair),
    Fault("pair-swapped", "a pair with its sides swapped", "P4.preference-pairs", swap_pair),
    Fault("pair-texts-equal", "a pair of equal texts", "P4.preference-pairs", equal_pair_texts),
    Fault("rag-rejected-run", "a RAG row from a rejected run", "P4.exports-valid", rag_from_rejected_run),
    Fault("export-id-repeated", "an id used twice in an export", "P4.exports-valid", repeat_export_id),
    Fault(
        "quarantine-row-dropped", "a quarantined row dropped", "P4.quarantine-balances", drop_quarantined_row
    ),
    Fault("receipt-byte", "one byte flipped in a receipt", "P5.receipts-match", flip_receipt_byte),
    Fault("receipt-deleted", "a receipt deleted", "P5.receipts-match", remove_receipt),
    Fault(
        "summary-byte", "one byte flipped in the summary's run_hash", "P5.receipts-match", flip_summary_byte
    ),
    Fault(
        "summary-key", "one byte flipped in a key of the summary", "P5.summary-valid", misspell_summary_key
    ),
    Fault("summary-deleted", "the summary deleted", "P5.summary-valid", remove_summary),
    Fault(
        "settings-threshold",
        "a threshold lowered in distill.toml, without a run",
        "P5.receipts-match",
        lower_threshold_in_settings,
    ),
    Fault("replay-filler", "the replay model answering with filler", "P7.replay", serve_filler),
    Fault("replay-unreachable", "the replay model's server is down", "P7.replay", stop_the_replay_model),
    Fault(
        "sources-halved",
        "half the sources removed, then a run",
        "drift",
        remove_half_of_the_sources,
        audit_first=True,
    ),
    Fault(
        "baselines-cut",
        "the last row of the baselines cut off",
        "P5.journals",
        cut_the_baselines,
        audit_first=True,
    ),
)
