"""The lines around the panes: where we are, who is armed, which keys work; and the tiny screen."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import PurePath
from typing import TYPE_CHECKING

from console import keymap
from console.keymap import shown as shown_key
from console.presentation.band import tally_role
from console.presentation.spans import (
    EMPTY,
    SPACE,
    Line,
    Role,
    Span,
    cell_width,
    cut,
    cut_text,
    fit,
    join,
    line,
    line_width,
    spread,
)
from console.presentation.states import FIREWALL, SEVERITIES
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import FirewallWord, Freshness
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, clock_minute, read_ago

if TYPE_CHECKING:
    from console.state.view_state import Session, ViewState

_DOT = Span(" · ", "border")
# Names of workspace, branch and tag are cut no shorter than this.
_SHORTEST_NAME = 8


def header_line(state: ViewState, now: float, width: int) -> Line:
    """Workspace, git, last-good tag, engine; the clock has no seconds and so writes nothing."""
    clock = clock_minute(now)
    right = line(Span(clock if width >= 110 else clock.split(" ", 1)[0] + clock[-7:], "dim"), " ")
    room = width - line_width(right) - 1
    names = [visible(state.name or state.workspace), visible(state.git.branch or "no branch")]
    names.append(visible(state.git.last_good_tag))
    longest = max(map(cell_width, names))
    while True:
        parts = _header_parts(state, [cut_text(name, longest) for name in names], wide=width >= 100)
        if line_width(parts) <= room or longest <= _SHORTEST_NAME:
            return spread(parts, right, width)
        longest -= 1


def _header_parts(state: ViewState, names: list[str], *, wide: bool) -> Line:
    """Its parts with the names of workspace, branch and tag cut short: what is said of them is not."""
    name, branch, tag = names
    parts = [line(Span(f" {name}", "title")), *_git(state, branch, tag)]
    return join([*parts, _engine(state)] if wide else parts, _DOT)


def _engine(state: ViewState) -> Line:
    if state.engine.refused:
        return line(Span("engine refused (T)", "fail"))
    return line(Span("engine ", "dim"), visible(state.engine.source))


def _git(state: ViewState, branch_name: str, tag_name: str) -> list[Line]:
    git = state.git
    if state.trouble:
        return [line(Span("? not readable", "warn"))]
    if not git.is_repository:
        return [line(Span("? no git repository" if state.heard_at is not None else "git not read", "warn"))]
    dirty = (
        EMPTY if git.dirty is None else line(Span(" dirty", "warn") if git.dirty else Span(" clean", "dim"))
    )
    branch = line(branch_name, Span(f" {visible((git.head or '')[:7])}", "dim"), *dirty)
    if not git.last_good_tag:
        return [branch]
    tag = line(Span("tag ", "dim"), tag_name, Span(" missing", "warn") if git.lacks_tag else "")
    return [branch, tag]


def status_line(state: ViewState, now: float, width: int, notice: str = "") -> Line:
    """Who may do what, who runs what; a notice takes the middle for as long as it is new."""
    badge = armed_badge(state.session, now)
    if notice:
        return fit(line(*badge, "  ", Span(visible(notice), "strong")), width)
    working = state.run is not None and not state.run.ended
    parts = [_work(state), _left_open(state), _others(state, now)]
    if width < 100 and not working:
        parts.append(_engine(state))
    parts.append(line(Span(f"{state.session.link} {state.session.profile}", "dim")))
    # Where room is short, the promise is made when there is something to lose.
    promise = line(Span("quitting stops nothing ", "dim")) if width >= 100 or working else EMPTY
    room = width - line_width(promise)
    told = line(*badge, "  ", *join(parts, _DOT))
    while line_width(told) > room and len(parts) > 2:
        del parts[-1]  # what is least about the work: a part of it would say nothing
        told = line(*badge, "  ", *join(parts, _DOT))
    return spread(told, promise, width)


def armed_badge(session: Session, now: float) -> Line:
    if session.armed_until is None or session.armed_until <= now:
        return line(Span(" READ-ONLY ", "key"))
    left = session.armed_until - now
    minutes = f"{math.ceil(left / 60)}m" if left > 60 else age_in_words(left)
    return line(Span(f" OPERATE {visible(session.actor)} {minutes} left ", "armed"))


def _work(state: ViewState) -> Line:
    run = state.run
    if state.trouble:
        return line(Span(f"? {visible(state.trouble)}", "warn"))
    if run is not None and not run.ended:
        verb = "cancelling" if run.cancelling else "»"
        who = "" if run.ours else f" by {visible(run.user or '?')}"
        pid = f", pid {run.pid}" if run.pid is not None else ""
        return line(Span(f"{verb} {visible(run.command)}{who}{pid}", "accent"))
    if state.lock.held:
        who = visible(state.lock.user or "?")
        return line(Span(f"lock held by {who} ({visible(state.lock.command)}, pid {state.lock.pid})", "warn"))
    if state.heard_at is None or state.lock.origin.freshness is Freshness.UNKNOWN:
        return line(Span("? lock not read", "warn"))
    return line("no run, lock free")


def _left_open(state: ViewState) -> Line:
    """Incidents that wait for an answer and stand on no line of the band: nobody has to remember them."""
    shown = {each.id for each in state.symptoms}
    waiting = [each for each in state.runbook.incidents if each.is_open and each.symptom not in shown]
    key = keymap.BY_ID["screen.incidents"].shown_key
    if state.runbook.incidents_unread:
        return line(Span("? incidents not read: ", "warn"), Span(key, "key"))
    if not waiting:
        return EMPTY
    return line(Span(f"{plural(len(waiting), 'incident')} open: ", "warn"), Span(key, "key"))


def _others(state: ViewState, now: float) -> Line:
    if not state.session.others:
        return EMPTY
    first, *more = state.session.others
    since = f" {age_in_words(now - first.since)}" if first.since is not None else ""
    extra = f" +{len(more)}" if more else ""
    return line(Span("also here: ", "dim"), f"{visible(first.user)}{since}{extra}")


def key_line(hints: Iterable[tuple[str, str]], width: int) -> Line:
    """``w wizard  enter open``: as many whole hints as fit; the first ones matter most.

    The key of the help has its place at every width: from there every other key is found.
    """
    drawn = [(key, line(Span(key, "key"), Span(f" {words}", "dim"))) for key, words in hints]
    gap, help_key = 2, shown_key("question_mark")
    room = width - sum(line_width(hint) + gap for key, hint in drawn if key == help_key)
    kept: list[Line] = []
    for key, hint in drawn:
        if key == help_key:
            kept.append(hint)
        elif line_width(hint) + gap <= room:
            room -= line_width(hint) + gap
            kept.append(hint)
    return fit(line(SPACE, *join(kept, Span(" " * gap))), width)


def tiny_lines(state: ViewState, now: float, width: int, height: int) -> list[Line]:
    """The smallest screen: the alarm, its age, the worst symptom, who works on it, the keys."""
    firewall = state.firewall
    look = FIREWALL[firewall.state]
    breach = firewall.state is FirewallWord.BREACH
    offenders = firewall.forbidden_rows or firewall.forbidden_files
    noun = "row" if firewall.forbidden_rows else "file"
    rows = f" {plural(offenders, noun)}" if breach and offenders else ""
    first = line(Span(f"{look.mark} SFT {look.word}{rows}".strip(), "badge" if breach else look.role))
    age = read_ago(age_of(firewall.origin.as_of, now))
    since = f"for {age_in_words(now - firewall.since)}, " if breach and firewall.since is not None else ""
    lines = [first, line(Span(f"{since}{age}", "dim"))]
    if state.symptoms:
        worst = state.symptoms[0]
        lines.append(line(Span(f"{SEVERITIES[worst.severity].mark} {visible(worst.id)}", "strong")))
        lines.append(
            line(Span(f"{visible(worst.owner)} works on it" if worst.owner else "nobody works on it", "dim"))
        )
    else:
        lines.append(line(Span("? unknown", "warn") if state.trouble else Span(*_calm(state))))
        lines.append(_work(state))
    keys = line(Span("w", "key"), " fix  " if state.symptoms else "  ", Span("q", "key"), " quit")
    if height <= len(lines):
        return [fit(cut(spans, width), width) for spans in [*lines[: max(0, height - 1)], keys]][:height]
    blank = [EMPTY] * (height - len(lines) - 1)
    return [fit(spans, width) for spans in [*lines, *blank, keys]]


def _calm(state: ViewState) -> tuple[str, Role]:
    tally = state.tally
    return f"0 symptoms, {tally.evaluated}/{tally.total} run", tally_role(tally)


def breadcrumb_line(state: ViewState, trail: tuple[str, ...], place: str, width: int) -> Line:
    """The way to this screen, and the firewall: no alarm is ever behind a screen."""
    crumbs = [line(Span(f" {visible(state.name or PurePath(state.workspace).name)}", "dim"))]
    crumbs += [line(Span(visible(crumb), "title")) for crumb in trail]
    look = FIREWALL[state.firewall.state]
    role: Role = "badge" if state.firewall.state is FirewallWord.BREACH else look.role
    alarm = Span(f"{look.mark} {look.word}".strip(), role)
    right = line(Span(f"{place}  ", "dim"), Span("FIREWALL ", "dim"), alarm, " ")
    return spread(join(crumbs, Span(" › ", "border")), right, width)  # noqa: RUF001 (a breadcrumb)
