"""Checks as a list, what failed first, then phase by phase; and one of them on a page of its own."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.presentation.counts import count
from console.presentation.fault import fault_lines
from console.presentation.lines import WIDE_LABEL, Group, column_heads, fact_lines
from console.presentation.spans import EMPTY, Line, Role, Span, fit_text, line, spread, wrap_text
from console.presentation.states import CHECKS, STALE_CHECK, UNKNOWN_CHECK, WAITING_CHECK, Look
from pipeline.contracts.check_index import ACCEPTANCE
from pipeline.contracts.faults import Fault
from pipeline.contracts.plurals import plural
from pipeline.contracts.shell_words import joined
from pipeline.contracts.status import PHASE_NAMES, Freshness, Origin
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, lasting_in_words, short_age, took_in_words

if TYPE_CHECKING:
    from console.reading.check_runs import CheckRun
    from pipeline.reading.check_report import Check, Example


_DOT = Span(" · ", "border")
_OBSERVED_FROM = 100
_NAME = 31


_INVARIANTS = {spec.id: spec.title for spec in ACCEPTANCE}


def full_name(check_id: str) -> str:
    """``A13 firewall-blocks``; an id that says enough, or that is not known, stands alone."""
    name = _INVARIANTS.get(check_id)
    return f"{check_id} {name}" if name else check_id


def grouped(checks: Iterable[Check]) -> list[Group[Check]]:
    """Failing ones first, required before informational; then the rest by phase, in their order."""
    known = list(checks)
    bad = sorted((check for check in known if check.is_bad), key=lambda check: not check.required)
    groups = [Group(f"FAILING {len(bad)}", tuple(bad), "fail")] if bad else []
    phases = [*PHASE_NAMES, *dict.fromkeys(check.phase for check in known)]
    for phase in dict.fromkeys(phases):
        rest = tuple(check for check in known if check.phase == phase and not check.is_bad)
        if rest:
            groups.append(Group(f"{phase} {PHASE_NAMES.get(phase, '')}".strip(), rest))
    return groups


def look_of(check: Check, freshness: Freshness) -> Look:
    """How a check is told. A pass that may not be believed any more is not shown as one."""
    if check.pending:
        return WAITING_CHECK
    look = CHECKS.get(check.status, UNKNOWN_CHECK)
    if check.status == "pass" and freshness is Freshness.STALE:
        return STALE_CHECK
    if check.status == "pass" and freshness in (Freshness.UNKNOWN, Freshness.CLOCK):
        return UNKNOWN_CHECK
    return look


def run_lines(run: CheckRun, origin: Origin, now: float, width: int) -> list[Line]:
    """One command's state; a report that cannot be read is told whole."""
    first = run_line(run, origin, now, width)
    return [first, *fault_lines(_report_fault(run), width)] if run.word == "unreadable" else [first]


def _report_fault(run: CheckRun) -> Fault:
    return Fault(
        "report_not_readable",
        f"The last report of {run.command} cannot be used: {run.trouble}.",
        "It was not changed; its checks count as unknown.",
        f"Write a new one: distill {run.command}",
    )


def run_line(run: CheckRun, origin: Origin, now: float, width: int) -> Line:
    """One command's state: its verdict, how old that is, why it may no longer hold."""
    name = Span(f" {fit_text(run.command, 14)}", "strong")
    age = age_in_words(age_of(run.as_of, now))
    took = f" · took {took_in_words(run.elapsed_seconds)}" if width >= _OBSERVED_FROM else ""
    if run.word == "never":
        return line(name, Span("? never  ", "warn"), Span("no report here", "dim"))
    if run.word == "unreadable":
        return line(name, Span("? unknown  ", "warn"), Span("its report cannot be read", "dim"))
    if run.word == "running":
        who = f" by {visible(run.user)}" if run.user else ""
        waiting = len(run.checks) > run.reported  # known from the report before
        far = (
            f"{run.reported} of {plural(len(run.checks), 'check')}"
            if waiting
            else plural(run.reported, "check")
        )
        words = f"» running{who}, pid {run.pid} · {far}"
        leave = " · safe to leave" if width >= _OBSERVED_FROM else ""
        since = Span(f"for {lasting_in_words(age_of(run.started, now))}{leave} ", "dim")
        return spread(line(name, Span(words, "accent")), line(since), width)
    if run.word == "died":
        when = Span(f"{age_in_words(age_of(run.started, now))} ago ", "dim")
        return spread(line(name, Span("X ended  ", "fail"), visible(run.trouble)), line(when), width)
    right = line(Span(f"{age} ago{took} ", "dim"))
    if origin.freshness is Freshness.STALE and run.ok:
        why = visible(origin.why) or "older than a day"
        return spread(line(name, Span("~ stale   ", "dim"), _score(run), _DOT, why), right, width)
    if run.ok is None:
        return spread(line(name, Span("? unknown  ", "warn"), _score(run)), right, width)
    word = Span("  ok      ", "ok") if run.ok else Span("X FAIL    ", "fail")
    return spread(line(name, word, _score(run)), right, width)


def _score(run: CheckRun) -> Span:
    required = [check for check in run.checks if check.required]
    passed = sum(check.status in ("pass", "warn") for check in required)
    code = f", exit {run.exit_code}" if run.exit_code else ""
    return Span(f"{passed} of {len(required)} required pass{code}")


def column_line(width: int) -> Line:
    """The heads over the numbers."""
    left = f"   {'state':<8}{'check':<{_NAME}}"
    right = f"{'examined':>11}{'failed':>8}{'took':>8}{'age':>6} "
    if width >= _OBSERVED_FROM:
        left += "observed"
    return column_heads(left, right, width)


def check_line(check: Check, freshness: Freshness, now: float, width: int) -> Line:
    """A check on one line; the first cell is left to the cursor."""
    look = look_of(check, freshness)
    quiet: Role = "dim" if look.role == "dim" else "text"
    name = visible(full_name(check.id))
    word: Role = "warn" if check.is_bad and not check.required else look.role
    left = line(
        " ",
        Span(f"{look.mark} {fit_text(look.word, 8)}", word),
        Span(fit_text(name, _NAME - 1), "strong" if check.is_bad else quiet),
    )
    failed = Span(f"{count(check.failed):>8}", "fail" if check.failed else "dim")
    age = short_age(age_of(check.as_of, now))
    right = line(
        Span(f"{count(check.examined):>11}", quiet),
        failed,
        Span(f"{took_in_words(check.elapsed_seconds):>8}{age:>6} ", "dim"),
    )
    if width >= _OBSERVED_FROM and check.observed:
        left = line(*left, Span(f" {visible(check.observed)}", quiet))
    return spread(left, right, width)


def summary_words(runs: Sequence[CheckRun]) -> str:
    """For the breadcrumb: how many checks fail of how many."""
    checks = [check for run in runs for check in run.checks]
    bad = sum(check.is_bad for check in checks)
    return f"{bad} failing of {len(checks)}" if checks else "no checks"


def runnable(reproduce: str, workspace: str) -> str:
    """The reported command on this very workspace, quoted again word by word.

    A report may be hostile, and what is copied is pasted into a shell: quoting leaves nothing
    that a shell would read as anything but a word.
    """
    try:
        words = shlex.split(reproduce)
    except ValueError:
        return ""
    if not words or words[0] != "distill":
        return ""
    return joined([*words[:2], "-C", workspace, *words[2:]])


_wide_fact = partial(fact_lines, size=WIDE_LABEL)


def check_lines(check: Check, origin: Origin, workspace: str, now: float, width: int) -> list[Line]:
    """All of it, wrapped to ``width``; every text is data and made visible."""
    return [spans for _, spans in check_rows(check, origin, workspace, now, width)]


def check_rows(
    check: Check, origin: Origin, workspace: str, now: float, width: int
) -> list[tuple[int | None, Line]]:
    """The same lines, each first one of an example with the example's number, from 0."""
    rows: list[tuple[int | None, Line]] = [(None, spans) for spans in _head(check, origin, now, width)]
    for number, example in enumerate(check.examples):
        first, *rest = _example(example, width)
        rows += [(number, first), *((None, spans) for spans in rest)]
    command = runnable(check.reproduce, workspace)
    tail = [EMPTY, line(Span(" Run it again", "title"))]
    tail += [line(Span(f"  {part}", "accent")) for part in wrap_text(command, width - 4)]
    if not command:
        tail.append(line(Span("  the report names no distill command", "dim")))
    return [*rows, *((None, spans) for spans in tail)]


def _head(check: Check, origin: Origin, now: float, width: int) -> list[Line]:
    look = look_of(check, origin.freshness)
    role = "badge" if look.role == "fail" else look.role
    kind = "required" if check.required else "informational"
    lines = [
        EMPTY,
        line(
            " ",
            Span(f" {look.mark} {look.word} ".replace("  ", " "), role),
            " ",
            Span(visible(full_name(check.id)), "strong"),
            Span(f"  {visible(check.phase)}, {kind}", "dim"),
        ),
        EMPTY,
    ]
    if check.detail:
        lines += [line(f" {part}") for part in wrap_text(visible(check.detail), width - 2)]
        lines.append(EMPTY)
    examined = f"{count(check.examined)} examined, {count(check.failed)} failed"
    lines += _wide_fact("counted", examined, width)
    lines += _wide_fact("threshold", check.threshold or "-", width)
    lines += _wide_fact("observed", check.observed or "-", width)
    age = age_in_words(age_of(check.as_of, now))
    lines += _wide_fact("age", f"{age}, took {took_in_words(check.elapsed_seconds)}", width)
    if check.pending:
        lines += _wide_fact("next", "the running command will evaluate it again", width)
    elif origin.freshness is Freshness.STALE:
        lines += _wide_fact("~ stale", origin.why or "older than a day", width)
    if check.examples or check.failed:
        lines += [EMPTY, line(Span(f" Examples, {len(check.examples)} of {count(check.failed)}", "title"))]
    if check.failed and not check.examples:
        lines.append(line(Span("  none in the report", "dim")))
    return lines


def _example(example: Example, width: int) -> list[Line]:
    place = visible(example.file)
    if example.line is not None:
        place += f":{example.line}"
    head = "  ".join(text for text in (place, visible(example.run_id)) if text)
    lines = [line(Span("  X ", "fail"), Span(head or "no place", "text"))]
    lines += [
        line(Span(f"    {part}", "dim")) for part in wrap_text(visible(example.text), width - 6) if part
    ]
    return lines
