"""View states to draw: the counts of real logs, at a time that stands still."""

from __future__ import annotations

from dataclasses import replace

from console.state.derive import advance
from console.state.detectors import definitions
from console.state.view_state import (
    Fact,
    FirewallSeen,
    LogEntry,
    ReadFailed,
    RunFollowed,
    Session,
    StatusRead,
    ViewState,
    initial,
)
from pipeline.contracts.events import Event, RunStarted, StageProgress, StageStarted
from pipeline.contracts.row_counts import Balance, ExportCounts, StreamCounts
from pipeline.contracts.status import (
    Answer,
    DriftLine,
    DriftStatus,
    EngineStatus,
    Finding,
    FirewallStatus,
    FirewallWord,
    Freshness,
    GitStatus,
    LockStatus,
    Origin,
    PhaseState,
    PhaseStatus,
    RowCounts,
    RunRow,
    Verdict,
    WorkspaceStatus,
)
from pipeline.reading.check_report import AUDIT

NOW = 1_777_279_267.0  # Mon 2026-04-27 08:41:07Z
RAN = NOW - 2 * 3600 - 12 * 60
WORKSPACE = "/srv/agent-logs-prod"
RUN_ID = "20260427T084106Z-3f2a"
_COUNTED = ("evidence", "accepted", "partially_accepted", "needs_human_review", "rejected")
SFT = "exports/sft/instruction_response.jsonl"

_STREAMS = (
    ("agbenchmark_reports", 3675, 464, 0, 1859, 1352),
    ("xsum_factuality", 2821, 310, 0, 24, 2487),
    ("zeroeval_crux", 1750, 0, 0, 1749, 1),
    ("mint_runs", 1560, 596, 0, 8, 956),
    ("reflexion_humaneval", 1362, 993, 0, 0, 369),
    ("intercode_bash", 895, 253, 581, 0, 61),
    ("vicuna_reviews", 500, 226, 0, 48, 226),
    ("taubench_airline", 140, 43, 0, 0, 97),
)
_TOOK = {"P0": 0.1, "P1": 0.3, "P2": 1.6, "P3": 0.3, "P4": 0.9, "P5": 0.4}
_NAMES = (
    "recon",
    "schemas",
    "evidence",
    "score",
    "export",
    "receipts",
    "acceptance",
    "replay",
    "audit",
    "release",
)


def _stream(
    name: str, evidence: int, accepted: int, partial: int, review: int, rejected: int
) -> StreamCounts:
    return StreamCounts(
        name,
        lines=evidence,
        mapped=evidence,
        looked_up=0,
        skipped=0,
        evidence=evidence,
        accepted=accepted,
        partially_accepted=partial,
        needs_human_review=review,
        rejected=rejected,
    )


def rows(as_of: float = RAN) -> RowCounts:
    total = replace(_stream("total", 12703, 2885, 581, 3688, 5549), lines=12753, mapped=12453, looked_up=300)
    return RowCounts(
        Origin("reports/distillation/20260427T062900Z-9f31/summary.json", as_of, Freshness.FRESH),
        total,
        tuple(_stream(*row) for row in _STREAMS),
        (
            ExportCounts("sft", 2761, 9942),
            ExportCounts("rag", 3002, 9701),
            ExportCounts("preference", 874, 11829),
        ),
        (Balance("lines", 12753, (("mapped", 12453), ("joined", 300), ("skipped", 0))),),
    )


def phases(as_of: float = RAN) -> tuple[PhaseStatus, ...]:
    known = []
    for number, name in enumerate(_NAMES):
        key = f"P{number}"
        if key in _TOOK and key not in ("P0", "P1"):
            origin = Origin("summary.json", as_of, Freshness.FRESH)
            known.append(PhaseStatus(key, name, PhaseState.OK, origin, _TOOK[key]))
        else:
            known.append(PhaseStatus(key, name))
    return tuple(known)


def clear(read_at: float = NOW) -> FirewallStatus:
    return FirewallStatus(
        FirewallWord.CLEAR,
        Origin("live", read_at, Freshness.FRESH),
        SFT,
        rows_read=2761,
        rows_total=2761,
        sha256="41c09e77a3b0d5f2",
        since=RAN,
        walls=("label", "lineage", "content", "readable", "evaluation"),
        evaluation="checked",
        evaluation_sets=1,
        evaluation_refused=1,
    )


def drifted() -> DriftStatus:
    """One metric warns, one moved within noise, one was dismissed, most stayed."""
    why = (
        "stream agbenchmark_reports 2,555 → 3,675, 100% of the change",
        "model gpt-4 0 → 1,120, 100% of the change",
    )
    metrics = (
        DriftLine(
            "stream.agbenchmark_reports.rows", "P2", 2555, 3675, 0.438, 14.2, "warn",
            (2550, 2551, 2555, 2555, 2555, 3675), "2026-04-27T06:02:11Z", why, "count", 2490, 0.476,
        ),
        DriftLine(
            "category.needs_human_review", "P3", 6, 8, 0.333, 0.5, "noisy", (5, 6, 6, 8),
            kind="count", anchor=6,
        ),
        DriftLine(
            "quarantined_sft", "P4", 8822, 9942, 0.127, 8.2, "same", (8600, 8822, 9942), kind="count",
            anchor=8600, anchor_delta_ratio=0.156, dismissed="new benchmark, expected",
        ),
        DriftLine("acceptance_rate", "P3", 0.237, 0.227, -0.042, 1.8, "same", kind="rate", anchor=0.24),
        DriftLine("response_length_median", "P2", 212.5, 214, 0.007, None, "same", (210, 212.5), kind="size"),
        DriftLine("stream.mint_runs.acceptance_rate", "P3", None, 1.0, None, None, "new", kind="rate"),
    )  # fmt: skip
    origin = Origin("phase8-full-audit-report.json", NOW - 9_540, Freshness.FRESH)
    return DriftStatus(origin, NOW - 26 * 3600, metrics)


def _runs() -> tuple[RunRow, ...]:
    day = 86_400.0
    sft = (2761, 2761, 2761, 2761, 2702, 2668, 2668, 2540, 2402)
    hashes = (
        "9f31c2d7",
        "e07b1a44",
        "e07b1a44",
        "e07b1a44",
        "5d20b8fe",
        "77c9a301",
        "77c9a301",
        "1b7740ce",
        "c3",
    )
    return tuple(
        RunRow(
            f"2026042{7 - days % 8}T0600Z-{days:04x}",
            "run-all",
            finished=True,
            ok=True,
            exit_code=0,
            run_hash=run_hash,
            started=RAN - days * day,
            elapsed_seconds=2.1 if days % 2 == 0 else 0.2,
            lines=12753,
            sft=rows_out,
        )
        for days, (rows_out, run_hash) in enumerate(zip(sft, hashes, strict=True))
    )


def _log() -> tuple[LogEntry, ...]:
    texts = (
        ("info", "run-all started, pid 48213, 2 workers", None),
        ("info", "materialize finished, 12,703 rows in 1.6s", 12753),
        ("info", "score finished, 12,703 rows in 0.3s", 12703),
        ("warning", "intercode_bash: 3 lines without a reward", 3),
        ("info", "export finished: rag 3,002, sft 2,761, pairs 874", 12703),
        ("info", "firewall CLEAR", 2761),
        ("info", "run-all finished, exit 0, run_hash 9f31c2d7", None),
    )
    return tuple(
        LogEntry(f"2026-04-27T06:29:{second:02d}Z", level, text, examined)
        for second, (level, text, examined) in enumerate(texts)
    )


def answers(*raised: Answer) -> tuple[Answer, ...]:
    """Of every detector: all is clear but for ``raised``; half of them tell what an audit said."""
    found = {each.id: each for each in raised}
    return tuple(
        found.get(each.id)
        or Answer(
            Verdict.CLEAR,
            "clear",
            NOW - 12 if each.live else NOW - 7200,
            "live" if each.live else AUDIT,
            id=each.id,
        )
        for each in definitions()
    )


def status(**changes: object) -> WorkspaceStatus:
    """A workspace as read from disk: a finished run two hours ago, nobody has audited yet."""
    known = WorkspaceStatus(
        workspace=WORKSPACE,
        name="agent-logs-prod",
        read_at=NOW,
        phases=phases(),
        rows=rows(),
        firewall=clear(),
        drift=DriftStatus(note="No audit has been run here."),
        symptoms=(),
        lock=LockStatus(False, Origin("live", NOW, Freshness.FRESH)),
        git=GitStatus(True, "main", "73f242e19b", False, "distillation-v1.0.0", "73f242e19b"),
        engine=EngineStatus("workspace", WORKSPACE),
        runs=_runs(),
        answers=answers(),
    )
    return replace(known, **changes)  # type: ignore[arg-type]  # names are checked by replace itself


def seen(
    read: WorkspaceStatus, firewall: FirewallStatus, profile: str = "lean", link: str = "ssh"
) -> ViewState:
    """The view state after a console has read ``read`` and heard ``firewall``."""
    state = initial(WORKSPACE, Session(profile=profile, link=link, actor="mara"))
    for fact in (StatusRead(read), FirewallSeen(firewall)):
        state = advance(state, fact, NOW)
    return replace(state, log=_log())


def healthy() -> ViewState:
    """The firewall is live and CLEAR."""
    return seen(status(), clear())


def empty() -> ViewState:
    """A new workspace: nothing was ever run."""
    nothing = status(
        phases=initial(WORKSPACE).phases,
        rows=RowCounts(),
        git=GitStatus(True, "main", "73f242e19b", False, "distillation-v1.0.0", None, lacks_tag=True),
        runs=(),
    )
    absent = FirewallStatus(
        FirewallWord.ABSENT, Origin("live", NOW, Freshness.FRESH), SFT, detail="never exported"
    )
    return replace(seen(nothing, absent), log=())


def running() -> ViewState:
    """Half way through, started by somebody else; this console is armed."""
    lock = LockStatus(
        True, Origin("live", NOW, Freshness.FRESH), 48213, "db1", "jun", "run-all", RUN_ID, NOW - 1
    )
    state = seen(status(lock=lock), clear(), "rich", "local")
    at = "2026-04-27T08:41:06Z"
    half = {
        name: dict(zip(_COUNTED, (n // 2 for n in numbers), strict=True)) for name, *numbers in _STREAMS[:4]
    }
    facts: tuple[Fact | Event, ...] = (
        RunFollowed(RUN_ID, "run-all", ours=False, user="jun", host="db1", pid=48213),
        RunStarted(
            seq=1, at=at, pipeline_run_id=RUN_ID, command="run-all", workspace=WORKSPACE, pid=48213,
            host="db1", user="jun", stages=("materialize", "score", "export"),
        ),
        StageStarted(seq=2, at=at, stage="materialize", bytes_total=100_000),
        StageProgress(
            seq=3, at=at, stage="materialize", rows_in=4_903, rows_out=4_903, bytes_done=56_000,
            bytes_total=100_000, rows_per_second=8_200.0, by_stream=half,
            categories={"accepted": 685, "needs_human_review": 1_820, "rejected": 2_398},
        ),
    )  # fmt: skip
    for fact in facts:
        state = advance(state, fact, NOW)
    return state


def breach() -> ViewState:
    """Three forbidden rows landed four minutes ago."""
    firewall = FirewallStatus(
        FirewallWord.BREACH,
        Origin("live", NOW - 1, Freshness.FRESH),
        SFT,
        rows_read=2764,
        rows_total=2764,
        findings_count=3,
        forbidden_rows=3,
        by_wall=(("label", 1), ("lineage", 1), ("content", 1)),
        findings=(
            Finding("label", SFT, 2762, "sft-1", "zeroeval_crux/17", "needs_human_review"),
            Finding("lineage", SFT, 2763, "sft-5c0e7d12", "taubench_airline/bab68815", "scored rejected"),
            Finding("content", SFT, 2764, "sft-3", "mint_runs/9", "text of a rejected run"),
        ),
        since=NOW - 263,
        cause="not_in_receipt",
    )
    moved = Answer(
        Verdict.DETECTED,
        "the SFT file is not what the last receipt says",
        NOW - 1,
        since=NOW - 263,
        id="S1.P5.summary",
    )
    checked = list(phases())
    checked[5] = replace(checked[5], state=PhaseState.STALE)
    return seen(status(answers=answers(moved), phases=tuple(checked)), firewall)


def stale() -> ViewState:
    """Everything was true once: the run is two days old, the watcher has fallen behind."""
    old = NOW - 51 * 3600
    counted = replace(rows(old), origin=Origin("summary.json", old, Freshness.STALE))
    return seen(status(read_at=NOW - 14, phases=phases(old), rows=counted), clear(NOW - 14))


def unknown() -> ViewState:
    """The workspace was never there while this console was."""
    session = Session(profile="lean", link="ssh", actor="mara")
    gone = ReadFailed(f"the workspace cannot be read: {WORKSPACE} was removed, moved or unmounted")
    return replace(advance(initial(WORKSPACE, session), gone, NOW), log=())


def denied() -> ViewState:
    """The workspace is there, and this account may not read it."""
    session = Session(profile="lean", link="ssh", actor="mara")
    refused = ReadFailed(f"the workspace cannot be read: permission denied on {WORKSPACE}")
    return replace(advance(initial(WORKSPACE, session), refused, NOW), log=())


def removed() -> ViewState:
    """All was well until the workspace went away beneath the console."""
    gone = ReadFailed(f"the workspace cannot be read: {WORKSPACE} was removed, moved or unmounted")
    return advance(healthy(), gone, NOW)


def warn() -> ViewState:
    """Nothing failed; a phase passed with a warning, a metric moved, and somebody should look."""
    moved = Answer(
        Verdict.DETECTED,
        "rows.accepted.intercode_bash moved",
        NOW - 3000,
        AUDIT,
        since=NOW - 3000,
        id="S2.drift",
    )
    checked = list(phases())
    checked[8] = replace(
        checked[8],
        state=PhaseState.WARN,
        origin=Origin("phase8-full-audit-report.json", NOW - 3000, Freshness.FRESH),
        elapsed_seconds=6.2,
        detail="1 of 93 checks warned",
    )
    drift = DriftStatus(
        Origin("phase8-full-audit-report.json", NOW - 3000, Freshness.FRESH),
        NOW - 90_000,
        (
            DriftLine("rows.accepted.intercode_bash", "P3", 367.0, 253.0, -0.31, -6.4, "warn"),
            DriftLine("rows.evidence.mint_runs", "P2", 1560.0, 1560.0, 0.0, 0.0, "same"),
        ),
    )
    return seen(status(answers=answers(moved), phases=tuple(checked), drift=drift), clear())
