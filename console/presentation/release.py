"""The release screen: six gates in their order, the tag command, and what would void it."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from console.presentation.checks import look_of, run_lines
from console.presentation.counts import count
from console.presentation.spans import EMPTY, Line, Role, Span, fit_text, line, spread, wrap_text
from console.presentation.states import WAITING_CHECK, Look
from pipeline.contracts.check_index import GATES
from pipeline.contracts.status import FirewallWord, Freshness, GitStatus, Origin
from pipeline.contracts.untrusted import visible
from pipeline.platform.lenient_json import Json, count_of, object_of, text_of
from pipeline.reading.durations import age_in_words, age_of, lasting_in_words, took_in_words
from pipeline.reading.staleness import of_verdict

if TYPE_CHECKING:
    from console.reading.check_runs import CheckRun
    from pipeline.reading.check_report import Check

_COMMIT = re.compile(r"[0-9a-f]{7,64}\Z")
_TAG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+/-]{0,120}\Z")
_GATES = {spec.id: spec for spec in GATES}
_DATASETS = ("rag", "sft", "preference", "evidence", "quarantined")
_NEVER = Look("?", "never", "warn")


def gates_of(run: CheckRun) -> dict[str, Check | None]:
    """The six gates in their order, each with its result; None when it was never evaluated."""
    known = {check.id: check for check in run.checks}
    return {gate: known.get(gate) for gate in (*_GATES, *(name for name in known if name not in _GATES))}


def outdated(run: CheckRun, released: Origin, firewall: FirewallWord, now: float) -> str:
    """Why a freeze does not speak for the data and the code as they are; empty when it does.

    ``released`` is where the phase P9 comes from: its reader compares the files.
    """
    if firewall is FirewallWord.BREACH:
        return "the firewall says BREACH"
    if released.why and run.as_of is not None and released.as_of is not None:
        return released.why
    freshness = of_verdict(run.as_of, now, inputs_changed=False)
    return {Freshness.STALE: "older than a day", Freshness.CLOCK: "its time is in the future"}.get(
        freshness, ""
    )


def void_reason(run: CheckRun, git: GitStatus, why: str = "") -> str:
    """Why a passed freeze does not speak for the tree as it is; empty when it does.

    ``why`` is what else is known to have moved.
    """
    if run.word != "done" or not run.ok:
        return "no freeze has passed for this tree"
    if not git.head:
        return "HEAD is not known"
    if git.head != run.git_head:
        return f"HEAD has moved since: {run.git_head[:7]} then, {git.head[:7]} now"
    return "the tree has changes that are not committed" if git.dirty else why


def tag_command(run: CheckRun, git: GitStatus, why: str = "") -> str:
    """The command that would tag, made here from its parts; empty when it must not be offered.

    The report's own text is not used: it may be hostile, and this is pasted into a shell. The
    same words as ``pipeline.release.freeze`` prints, which a test compares.
    """
    if void_reason(run, git, why) or not _TAG.match(run.tag) or not _COMMIT.match(run.git_head):
        return ""
    message = f"Distillation release {run.tag}"
    return shlex.join(("git", "tag", "-a", "-m", message, "--", run.tag, run.git_head))


def gate_line(
    number: int, gate: str, check: Check | None, now: float, width: int, *, running: bool, stale: bool
) -> Line:
    """A gate on one line; the first cell is left to the cursor. A stale pass is not shown as one."""
    if check is None:
        look = WAITING_CHECK if running else _NEVER
    else:
        look = look_of(check, Freshness.STALE if stale else Freshness.FRESH)
    known: Role = "text" if check is not None and not check.pending else "dim"
    left = line(
        " ",
        Span(f"{number} ", "dim"),
        Span(f"{look.mark} {fit_text(look.word, 8)}", look.role),
        Span(
            fit_text(visible(_GATES[gate].title if gate in _GATES else gate), 15),
            "strong" if look.role == "fail" else known,
        ),
        Span(_observed(check, gate), known),
    )
    right = line(Span(_times(check, now), "dim"))
    return spread(left, right, width)


def _observed(check: Check | None, gate: str) -> str:
    if check is None or check.pending:
        return _GATES[gate].what_it_proves if gate in _GATES else ""
    return visible(check.observed or check.detail)


def _times(check: Check | None, now: float) -> str:
    if check is None or check.pending:
        return ""
    age = age_in_words(age_of(check.as_of, now))
    return f"{took_in_words(check.elapsed_seconds):>8}{age:>9} "


def release_state(run: CheckRun, git: GitStatus, now: float, width: int, why: str = "") -> list[Line]:
    """The lines above the gates: may this be released, of which commit, how old is that."""
    passed = sum(check.status in ("pass", "warn") and not check.pending for check in run.checks)
    took = f" · took {took_in_words(run.elapsed_seconds)}" if width >= 100 else ""
    when = f"{age_in_words(age_of(run.as_of, now))} ago{took} "
    right = line(Span(when, "dim"))
    if run.word == "never":
        state = line(Span(" ? never", "warn"), "  no freeze yet: not known whether this is releasable")
        return [state, EMPTY]
    if run.word == "running":
        leave = " · safe to leave" if width >= 100 else ""
        since = Span(f"for {lasting_in_words(age_of(run.started, now))}{leave} ", "dim")
        words = f" » running, pid {run.pid} · {run.reported} of {len(_GATES)} gates"
        return [spread(line(Span(words, "accent")), line(since), width), EMPTY]
    if run.word == "died":
        return [line(Span(" X ended  ", "fail"), visible(run.trouble)), EMPTY]
    if run.word == "unreadable":
        return [*run_lines(run, Origin(), now, width), EMPTY]
    void = void_reason(run, git, why)
    commit = Span(f"  {visible(run.git_head[:7])}  {visible(run.tag)}", "text")
    gates = Span(f"  {passed} of {len(run.checks)} gates", "text")
    if not run.ok:
        return [spread(line(" ", Span(" X NOT RELEASABLE ", "badge"), gates, commit), right, width), EMPTY]
    if void:
        return [
            spread(line(Span(" ~ void", "dim"), gates, commit), right, width),
            line(Span(f"   {visible(void)}: freeze again", "warn")),
        ]
    return [spread(line(Span("   RELEASABLE", "ok"), gates, commit), right, width), EMPTY]


def release_foot(run: CheckRun, git: GitStatus, width: int, why: str = "") -> list[Line]:
    """The lines below the gates: the tag command and what the freeze had to say."""
    command = tag_command(run, git, why)
    lines = [EMPTY, line(Span(" To tag it, by hand", "title"), Span("   this console creates no tag", "dim"))]
    if command:
        lines += [line(Span(f"   {part}", "accent")) for part in wrap_text(command, width - 6)]
    else:
        lines.append(line(Span(f"   no command: {visible(void_reason(run, git, why))}", "dim")))
    if run.notes and run.word == "done":
        lines += [EMPTY, line(Span(" Notes", "title"))]
        for note in run.notes:
            if not note.startswith("Ready. To tag"):
                lines += [line(Span(f"   {part}", "dim")) for part in wrap_text(visible(note), width - 6)]
    return lines


def release_rows(
    run: CheckRun, manifest: Json, git: GitStatus, now: float, width: int, why: str
) -> list[tuple[str | None, Line]]:
    """The gates, each with its name, and what stands beneath them."""
    running = run.word == "running"
    rows: list[tuple[str | None, Line]] = []
    for number, (gate, check) in enumerate(gates_of(run).items(), start=1):
        rows.append((gate, gate_line(number, gate, check, now, width, running=running, stale=bool(why))))
        if check is not None and check.is_bad and check.detail:
            parts = wrap_text(visible(check.detail), max(20, width - 16))
            rows += [(None, line(Span(f"{'':14}{part}", "fail"))) for part in parts]
    foot = release_foot(run, git, width, why)
    if manifest and run.word == "done":
        counts = object_of(manifest, "dataset_counts")
        known = {name: count_of(counts, name) for name in _DATASETS}
        foot = [EMPTY, datasets_line(known, text_of(manifest, "run_hash") or "", width), *foot]
    return [*rows, *((None, spans) for spans in foot)]


def datasets_line(counts: dict[str, int | None], run_hash: str, width: int) -> Line:
    """What the manifest says is released."""
    words = " · ".join(f"{name} {count(rows)}" for name, rows in counts.items())
    right = line(Span(f"run_hash {visible(run_hash[:8])} ", "dim")) if run_hash else EMPTY
    return spread(line(Span(" manifest  ", "dim"), words), right, width)
