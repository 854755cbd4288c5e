"""Past runs: the pane of the dashboard, newest first with a sparkline; the list; one run; two compared."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from console.presentation.counts import count, sparkline
from console.presentation.frame import PaneView
from console.presentation.lines import column_heads, heading
from console.presentation.row_list import bytes_in_words
from console.presentation.spans import EMPTY, Line, Role, Span, cut_text, fit_text, line, spread, wrap_text
from console.presentation.states import Look
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import RunRow
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import (
    Json,
    count_of,
    flag_of,
    number_of,
    object_of,
    objects_of,
    text_of,
    texts_of,
)
from pipeline.reading.durations import age_in_words, age_of, day_or_time, took_in_words

if TYPE_CHECKING:
    from console.reading.run_compare import Comparison, Difference, RunDetails, StageComparison
    from pipeline.reading.past_runs import Receipt


_SPARK_RUNS = 24
_ALL_COUNTS = 100


def runs_pane(runs: tuple[RunRow, ...], now: float, width: int) -> PaneView:
    """The trend first, so that a long list of runs is what scrolls."""
    if not runs:
        nothing = (line(" ", Span("? never", "warn"), "  no run has a report here"),)
        return PaneView(5, "RUNS", nothing)
    trend = _trend(runs)
    head = Span(_columns("", "when", "command", "lines", "sft", "took", "run_hash", width), "dim")
    lines = [*([trend] if trend else []), line(head), *(_run(run, now, width) for run in runs)]
    return PaneView(5, "RUNS", tuple(lines), line(Span(plural(len(runs), "run"), "dim")))


def run_look(run: RunRow) -> Look:
    """How a run ended; the first digits of its hash where it ended well."""
    if not run.finished:
        return Look("?", "no end", "warn")
    return (
        Look(" ", (run.run_hash or "-")[:8], "text") if run.ok else Look("X", f"exit {run.exit_code}", "fail")
    )


def _columns(
    mark: str, when: str, command: str, lines: str, sft: str, took: str, run_hash: str, width: int
) -> str:
    name_width = max(8, min(16, width - 3 - 7 - 9 - 8 - 8 - 10))
    return f"{mark:<3}{when:<7}{fit_text(command, name_width)}{lines:>9}{sft:>8}{took:>8}  {run_hash:<8}"


def _run(run: RunRow, now: float, width: int) -> Line:
    look = run_look(run)
    text = _columns(
        f" {look.mark}",
        day_or_time(run.started, now),
        visible(run.command),
        count(run.lines),
        count(run.sft),
        took_in_words(run.elapsed_seconds),
        visible(look.word),
        width,
    )
    return line(Span(text, look.role))


def _trend(runs: tuple[RunRow, ...]) -> Line:
    """Oldest to newest; only runs that finished well count, and it takes two to show a trend."""
    values = [float(run.sft) for run in reversed(runs) if run.ok and run.sft is not None][-_SPARK_RUNS:]
    if len(values) < 2:
        return EMPTY
    ends = f"  {count(int(values[0]))} → {count(int(values[-1]))}"
    return line(
        Span(f" sft rows, {plural(len(values), 'run')}  ", "dim"),
        Span(sparkline(values, _SPARK_RUNS), "spark"),
        ends,
    )


def run_head(width: int) -> Line:
    left = f"    {'started':<18}{'command':<11}"
    right = f"{'lines':>9}{'sft':>8}{'took':>8}{'age':>8}  {'run_hash':<9}"
    if width >= _ALL_COUNTS:
        right = f"{'evidence':>10}{'rag':>8}{'pairs':>8}{'chunks':>9}" + right
    return column_heads(left, right, width)


def run_line(run: RunRow, chosen: int | None, now: float, width: int) -> Line:
    """A run on one line; the first cell is left to the cursor. ``chosen`` is 1 or 2 for a comparison."""
    look = Look("»", "running", "accent") if run.note == "running" else run_look(run)
    left = line(
        " ",
        Span(str(chosen) if chosen else " ", "key"),
        Span(f"{look.mark} ", look.role),
        Span(f"{_moment(run.started):<18}"),
        Span(fit_text(visible(run.command or "?"), 11), look.role),
    )
    counts = f"{count(run.lines):>9}{count(run.sft):>8}"
    if width >= _ALL_COUNTS:
        chunks = "-" if run.chunks_total is None else f"{run.chunks_processed}/{run.chunks_total}"
        counts = f"{count(run.evidence):>10}{count(run.rag):>8}{count(run.preference):>8}{chunks:>9}" + counts
    age = age_in_words(age_of(run.started, now))
    right = line(
        Span(counts),
        Span(f"{took_in_words(run.elapsed_seconds):>8}{age:>8}  ", "dim"),
        Span(fit_text(visible(look.word), 9), look.role),
    )
    return spread(left, right, width)


def _moment(seconds: float | None) -> str:
    return "-" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%MZ}"


_MOST_FILES = 200
_LABEL = 13
_DIFFERS = Span(" ╳", "warn")  # noqa: RUF001 (the mark where two things differ)


def run_lines(run: RunDetails, now: float, width: int) -> list[Line]:
    """All that a run left behind, as it claims it."""
    summary = run.summary
    faults = [line(Span(f" X {visible(fault)}", "fail")) for fault in run.faults]
    if summary is None:
        return [EMPTY, line(Span(" ? this run left no summary", "warn")), *faults]
    ok = flag_of(summary, "ok")
    word = Span(" ok ", "ok") if ok else Span(f" X exit {count_of(summary, 'exit_code')} ", "badge")
    ended = epoch_seconds(summary.get("finished_at"))
    took = took_in_words(number_of(summary, "elapsed_seconds"))
    right = line(Span(f"{age_in_words(age_of(ended, now))} ago · took {took} ", "dim"))
    command = Span(visible(text_of(summary, "command") or "?"), "strong")
    lines = [EMPTY, spread(line(" ", command, " ", word), right, width), EMPTY]
    engine, git = object_of(summary, "engine"), object_of(summary, "git")
    facts = (
        ("run", run.run_id),
        ("run_hash", text_of(summary, "run_hash")),
        ("settings", text_of(summary, "settings_digest")),
        ("engine", " ".join(text_of(engine, key) or "" for key in ("version", "source", "digest"))),
        ("git", f"{text_of(git, 'head') or '-'}{' dirty' if flag_of(git, 'dirty') else ''}"),
        ("workers", str(count_of(summary, "workers") or "-")),
    )
    lines += [
        line(Span(f" {name:<{_LABEL}}", "dim"), Span(cut_text(visible(value or "-"), width - _LABEL - 2)))
        for name, value in facts
    ]
    lines += [*faults, EMPTY, heading("COUNTS", width), *_counts(object_of(summary, "counts"), width)]
    for receipt in run.receipts:
        lines += [EMPTY, *_receipt(receipt, width)]
    if warnings := texts_of(summary, "warnings"):
        lines += [EMPTY, heading("WARNINGS", width)]
        for text in warnings[:50]:
            lines += [line(Span(f" ! {part}", "warn")) for part in wrap_text(visible(text), width - 4)]
    return lines


def _counts(counts: Json, width: int) -> list[Line]:
    def number(name: str) -> str:
        return count(count_of(counts, name))

    laws = (
        f"lines {number('lines')} = mapped {number('mapped')} + joined {number('looked_up')}"
        f" + skipped {number('skipped')}",
        f"evidence {number('evidence')} · scored {number('scored')}: accepted {number('accepted')},"
        f" partial {number('partially_accepted')}, review {number('needs_human_review')},"
        f" rejected {number('rejected')}",
        " · ".join(
            f"{name} {number(name)} + {number(f'quarantined_{name}')} quarantined"
            for name in ("sft", "rag", "preference")
        ),
        f"chunks {number('chunks_total')}, processed {number('chunks_processed')}",
    )
    return [line(f" {part}") for law in laws for part in wrap_text(law, width - 2)]


def _receipt(receipt: Receipt, width: int) -> list[Line]:
    body = receipt.body
    summed = "as in the summary" if receipt.is_as_summed else "X differs from the summary"
    role: Role = "dim" if receipt.is_as_summed else "fail"
    carried = text_of(body, "carried_from")
    took = (
        f"carried from {carried}" if carried else f"took {took_in_words(number_of(body, 'elapsed_seconds'))}"
    )
    right = line(Span(f" {summed}", role), Span(f" · {visible(took)} ", "dim"))
    lines = [heading(f"{receipt.phase} {receipt.stage}", width, right=right)]
    for side in ("inputs", "outputs"):
        claims = objects_of(body, side)
        lines += [_claim(side, claim, width) for claim in claims[:_MOST_FILES]]
        if len(claims) > _MOST_FILES:
            lines.append(line(Span(f"   and {count(len(claims) - _MOST_FILES)} more", "dim")))
    reasons = object_of(body, "reasons")
    told = ", ".join(f"{name} {count(count_of(reasons, name))}" for name in reasons)
    lines += [line(Span(f" {part}", "dim")) for part in wrap_text(visible(told), width - 2) if part]
    return lines


def _claim(side: str, claim: Json, width: int) -> Line:
    left = line(
        Span(f" {'in' if side == 'inputs' else 'out':<4}", "dim"), visible(text_of(claim, "path") or "?")
    )
    size = count_of(claim, "bytes")
    right = (
        f"{count(count_of(claim, 'rows')):>10}{bytes_in_words(size) if size is not None else '-':>9}"
        f"  {visible((text_of(claim, 'sha256') or '-')[:8])} "
    )
    return spread(left, line(Span(right, "dim")), width)


def comparison_lines(first: RunDetails, second: RunDetails, comparison: Comparison, width: int) -> list[Line]:
    """Two runs side by side; what is the same steps back."""
    room = max(12, (width - 22) // 2 - 1)
    lines = [EMPTY, _heads(first, second, room)]
    lines += [_hash_line(name, a, b, room) for name, a, b in comparison.hashes]
    lines += [EMPTY, heading("COUNTS", width)]
    lines.append(line(Span(f"{'':27}{'run 1':>12}{'run 2':>12}{'2 minus 1':>12}", "dim")))
    lines += [_count_line(name, a, b) for name, a, b in comparison.counts]
    lines += [EMPTY, heading("FIRST DIFFERENCE OF EACH STAGE", width)]
    for stage in comparison.stages:
        lines += _stage(stage, width)
    if not comparison.stages:
        lines.append(line(Span(" ? neither run has a receipt that can be read", "warn")))
    return lines


def _hash_line(name: str, a: str, b: str, room: int) -> Line:
    label = Span(f" {fit_text(visible(name), 17)}", "dim")
    if a == b == "-":
        return line("  ", label, Span("? neither of them recorded it", "dim"))
    if a == b:
        return line("  ", label, Span(f"{fit_text(visible(a), room - 1)} same", "dim"))
    shown = [Span(f"{fit_text(visible(text), room - 1)} ", "strong") for text in (a, b)]
    return line(_DIFFERS, label, *shown)


def _count_line(name: str, a: int | None, b: int | None) -> Line:
    words = visible(name.replace("looked_up", "joined").replace("_", " "))
    label = Span(f" {fit_text(words, 24)}", "dim")
    if a == b:
        return line("  ", label, Span(f"{count(a):>12}{'same':>12}", "dim"))
    change = "" if a is None or b is None else f"{b - a:+,}"
    return line(
        _DIFFERS, label, Span(f"{count(a):>12}{count(b):>12}", "strong"), Span(f"{change:>12}", "warn")
    )


def _heads(first: RunDetails, second: RunDetails, room: int) -> Line:
    return line(
        Span(f"{'':20}"),
        Span(fit_text(f"1 {visible(first.run_id)}", room), "title"),
        Span(fit_text(f"2 {visible(second.run_id)}", room), "title"),
    )


def _stage(stage: StageComparison, width: int) -> list[Line]:
    name = Span(f" {fit_text(visible(stage.stage), 13)}", "strong")
    if stage.missing:
        return [line(name, Span(stage.missing, "warn"))]
    if stage.inputs is None and stage.outputs is None:
        return [line(name, Span(f"same: {plural(stage.files, 'file')}", "dim"))]
    lines = [line(name)]
    for side, difference in (("in", stage.inputs), ("out", stage.outputs)):
        if difference is None:
            lines.append(line(Span(f"   {side:<4}same", "dim")))
        else:
            lines += _difference(side, difference, width)
    return lines


def _difference(side: str, difference: Difference, width: int) -> list[Line]:
    lines = [line(Span(f"   {side:<3}", "dim"), _DIFFERS, f" {visible(difference.path)}")]
    words = " · ".join(f"{what} {a} → {b}" for what, a, b in difference.what)
    lines += [line(Span(f"{'':9}{part}", "dim")) for part in wrap_text(visible(words), width - 10)]
    return lines
