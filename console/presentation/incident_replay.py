"""An incident replayed: where it stood once an entry was written, and what was known by then.

The runbook tells an entry. It is imported when one is shown, and may be what is broken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.presentation.incident_list import BROKEN, look_of
from console.presentation.lines import bar, fact_lines, heading, side_by_side
from console.presentation.spans import (
    EMPTY,
    SPACE,
    Line,
    Role,
    Span,
    fit,
    line,
    line_width,
    spread,
    wrap_text,
)
from pipeline.contracts.plurals import plural
from pipeline.contracts.shell_words import joined
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, clock_time

if TYPE_CHECKING:
    from console.reading.incident_record import Entry, IncidentRecord
    from runbook.wizard.dialogue import Standing


# The way of a wizard; what ends it otherwise takes the last place.
_WAY = (
    ("detected", "detected"),
    ("diagnosing", "diagnosing"),
    ("classified", "classified"),
    ("planned", "planned"),
    ("awaiting_approval", "to approve"),
    ("applying", "applying"),
    ("verifying", "verifying"),
)
# From here the way has room to breathe.
_ROOMY = 88
# From here the entries stand in a column of their own, beside the one on view.
CONTENTS_FROM = 110
_CONTENTS = 34
_ENDS = ("resolved", "mitigated", "escalated", "abandoned")


def head_lines(record: IncidentRecord, number: int, now: float, width: int) -> list[Line]:
    """What stays above the entry: the incident, its chain, the way it took."""
    symptom = visible(record.symptom_id) or ("by hand" if record.title else "?")
    last = record.entries[-1] if record.entries else None
    look = look_of(last.state if last is not None else "") if record.first_broken is None else BROKEN
    lines = [
        spread(
            line(" ", Span(symptom, "strong"), f"  {visible(record.title, 200)}"),
            line(Span(f"{look.mark} {look.word} ".lstrip(), look.role)),
            width,
        )
    ]
    chain = chain_line(record)
    if record.held_by:
        chain = line(*chain, Span(f" · {visible(record.held_by)} acts on it now", "warn"))
    if not record.entries:
        return [*lines, fit(chain, width)]
    entry = record.entries[number - 1]
    progress = _progress(record, number, width if not record.is_whole else width - line_width(chain) - 1)
    lines += [(*chain, SPACE, *progress)] if record.is_whole else [fit(chain, width), progress]
    return [*lines, _way(entry.state, width), _heading(entry, now, width)]


def chain_line(record: IncidentRecord) -> Line:
    """The chain's verdict in words: whole, or where it breaks and how."""
    if record.trouble:
        return line(Span(f" ? {visible(record.trouble, 300)}", "warn"))
    broken = record.first_broken
    if broken is not None:
        more = sum(bool(entry.problem) for entry in record.entries) - 1
        others = f"; {plural(more, 'line')} more" if more else ""
        words = f" X chain broken: line {broken.number} {visible(broken.problem, 200)}{others}"
        return line(Span(words, "fail"))
    if record.problems:
        return line(Span(f" ! the journal {visible(record.problems[0], 300)}", "warn"))
    return line(
        Span(" chain intact" if record.entries else " no entry yet", "ok" if record.entries else "warn")
    )


def _way(state: str, width: int) -> Line:
    """All states in their order: those behind, the one of this entry, those to come."""
    names = [name for name, _ in _WAY]
    at = names.index(state) if state in names else len(names) if state in _ENDS else -1
    between = " › " if width >= _ROOMY else "›"  # noqa: RUF001 (a breadcrumb)
    cells: list[Span] = [Span(" ")]
    for index, (_, word) in enumerate(_WAY):
        role: Role = "dim" if index > at else "accent" if index == at else "text"
        cells += [Span(word, role), Span(between, "border")]
    end = look_of(state)
    ended = state in _ENDS
    cells.append(Span(end.word if ended else "resolved", end.role if ended else "dim"))
    return fit(tuple(cells), width)


def _progress(record: IncidentRecord, number: int, width: int) -> Line:
    total = len(record.entries)
    label = f" entry {number} of {total} "
    room = max(4, width - len(label) - 2)
    return line(Span(label, "dim"), *bar(number, total, room, "━─"))


def _heading(entry: Entry, now: float, width: int) -> Line:
    who = f"{visible(entry.actor, 60)} on {visible(entry.host, 40)}" if entry.actor else "author unknown"
    age = age_in_words(age_of(entry.at, now))
    right = line(Span(f" {clock_time(entry.at)}, {age} ago · {who} ", "dim"))
    return heading(f"{entry.number} {visible(entry.kind or 'unreadable', 30).upper()}", width, right=right)


def replay_lines(
    record: IncidentRecord, number: int, standing: Standing | None, now: float, width: int, height: int
) -> list[Line]:
    """The whole page. On a wide one all entries stand at the left, the one on view marked."""
    head = head_lines(record, number, now, width)
    if width < CONTENTS_FROM or not record.entries:
        return [*head, *body_lines(record, number, standing, width)]
    body = body_lines(record, number, standing, width - _CONTENTS - 2)
    rows = max(len(body), height - len(head))
    body += [EMPTY] * (rows - len(body))
    return [*head, *side_by_side(_contents(record, number, rows), body, _CONTENTS, Span("│ ", "border"))]


def _contents(record: IncidentRecord, number: int, rows: int) -> list[Line]:
    """So many entries around the one on view."""
    first = max(0, min(number - 1 - rows // 2, len(record.entries) - rows))
    return [_content(entry, number) for entry in record.entries[first : first + rows]]


def _content(entry: Entry, number: int) -> Line:
    is_here = entry.number == number
    role: Role = (
        "fail" if entry.problem else "strong" if is_here else "text" if entry.number < number else "dim"
    )
    mark = Span("►" if is_here else " ", "cursor")
    return line(mark, Span(f"{entry.number:>4} ", "dim"), Span(short_words(entry), role))


def body_lines(record: IncidentRecord, number: int, standing: Standing | None, width: int) -> list[Line]:
    """The entry itself, and below it what was known once it was written."""
    if not record.entries:
        return _nothing(record, width)
    entry = record.entries[number - 1]
    lines: list[Line] = []
    if entry.problem:
        text = f"X this line {entry.problem}. It and all lines after it cannot be trusted."
        lines += [line(Span(f" {part}", "fail")) for part in wrap_text(visible(text, 300), width - 2)]
    lines += entry_lines(entry, width)
    lines += [EMPTY, heading("KNOWN BY THEN", width)]
    if standing is None:
        broken = record.first_broken
        where = f"from line {broken.number} on" if broken else "here"
        return [*lines, *fact_lines("?", f"not shown: the chain is broken {where}", width, "warn")]
    return [*lines, *_known(record, number, standing, width)]


def _known(record: IncidentRecord, number: int, standing: Standing, width: int) -> list[Line]:
    lines: list[Line] = []
    if standing.detection is not None:
        lines += fact_lines("seen", standing.detection.observed, width)
    if standing.probes:
        troubled = sum(bool(output.trouble) for output in standing.probes.values())
        words = ", ".join(output.title for output in standing.probes.values())
        lines += fact_lines("probes", f"{words}{f'; {troubled} failed' if troubled else ''}", width)
    if standing.diagnosis is not None:
        cause = standing.diagnosis.cause
        stances = [str(each.stance) for each in cause.evidence]
        counted = ", ".join(f"{stances.count(word)} {word}" for word in ("for", "against", "unknown"))
        lines += fact_lines("cause", f"{cause.sentence} ({cause.confidence}; evidence: {counted})", width)
    if standing.plan is not None:
        lines += fact_lines("plan", f"{standing.plan.hash[:12]} {standing.plan.title}", width)
        lines += fact_lines("consent", _consent_words(record, number, standing), width)
        done = sum(each.done for each in standing.applied.steps.values())
        half = ", one started and has no outcome" if standing.has_open_intent else ""
        role: Role = "warn" if half else "text"
        lines += fact_lines(
            "applied", f"{done} of {plural(len(standing.plan.steps), 'step')}{half}", width, role
        )
    if standing.verified is not None:
        lines += fact_lines("verified", f"{standing.verified.verdict}: {standing.verified.observed}", width)
    if standing.undone:
        lines += fact_lines("undone", plural(len(standing.undone), "plan"), width)
    if standing.trouble:
        lines += fact_lines("trouble", standing.trouble, width, "warn")
    lines += fact_lines("owner", standing.owner, width)
    return lines


def _consent_words(record: IncidentRecord, number: int, standing: Standing) -> str:
    if not standing.consented:
        return "not approved"
    given = [entry for entry in record.entries[:number] if entry.kind == "consent"]
    return f"{given[-1].actor}: {given[-1].reason}" if given else "given"


def _nothing(record: IncidentRecord, width: int) -> list[Line]:
    words = "There is nothing to replay." if record.trouble else "There is nothing to replay: no entry yet."
    return [EMPTY, fit(line(Span(f" {words}", "dim")), width)]


def page_lines(record: IncidentRecord, width: int) -> list[Line]:
    """The hand-over page. Markdown is shown as it is written, with its headings marked."""
    if not record.page:
        return [EMPTY, line(Span(" ? the page cannot be made from this journal", "warn"))]
    lines: list[Line] = []
    fenced = False
    for text in record.page.splitlines():
        if text.lstrip().startswith("```"):
            fenced = not fenced
            continue
        role: Role = "title" if text.startswith("#") and not fenced else "text"
        shown = text.lstrip("# ") if role == "title" else text
        if text.startswith("|") or fenced:
            lines += [line(Span(f" {visible(part)}", "dim")) for part in wrap_text(shown, width - 2)]
        else:
            plain = visible(shown.replace("**", "").replace("`", ""))
            lines += [line(Span(f" {part}", role)) for part in wrap_text(plain, width - 2)]
    return lines


def undo_command(incident_id: str, workspace: str) -> str:
    """Previews first: it ends with the plan, and changes nothing without consent."""
    return joined(["distill", "undo", "-C", workspace, incident_id])


def show_command(incident_id: str, workspace: str) -> str:
    return joined(["distill", "incident", "-C", workspace, "show", incident_id])


def entry_lines(entry: Entry, width: int) -> list[Line]:
    """What this one line of the journal says."""
    if not entry.is_entry:
        return [line(Span(" X this line is no entry of a journal; its content cannot be shown", "fail"))]
    try:
        from console.presentation.blocks import block_lines
        from runbook.tell.entry import entry_blocks
    except Exception as error:  # noqa: BLE001 - code like any other; the journal is shown without it
        why = f"the runbook cannot be loaded: {type(error).__name__}: {error}"
        return [*fact_lines("?", why, width, "warn"), *fact_lines("detail", str(dict(entry.detail)), width)]
    return block_lines(entry_blocks(entry), width)


def short_words(entry: Entry) -> str:
    """The entry in a few words."""
    if not entry.is_entry:
        return "no entry of a journal"
    try:
        from runbook.tell.entry import entry_words
    except Exception:  # noqa: BLE001 - as above
        return visible(entry.kind, 200)
    said = entry_words(entry)
    return visible(f"{entry.kind}{': ' if said else ''}{said}", 200)
