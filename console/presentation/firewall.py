"""The firewall pane: what was read, what was found, and since when."""

from __future__ import annotations

from console.presentation.counts import count
from console.presentation.frame import PaneView
from console.presentation.spans import Line, Span, cell_width, fit_text, line, spread, wrap_text
from console.presentation.states import FIREWALL, Look
from pipeline.contracts.plurals import plural
from pipeline.contracts.status import Finding, FirewallStatus, FirewallWord, Freshness
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, read_ago

_MEANING = {
    FirewallWord.ABSENT: "Nothing was examined: not CLEAR.",
    FirewallWord.STALE: "Out of date: its file changed, or was not read since.",
    FirewallWord.UNKNOWN: "Not evaluated: not CLEAR.",
}


def firewall_pane(status: FirewallStatus, now: float, width: int) -> PaneView:
    """The alarm, for a pane whose inside is ``width`` cells."""
    breach = status.state is FirewallWord.BREACH
    lines = [_headline(status, now, width)]
    if breach:
        lines += _breach(status, width)
    elif status.state is FirewallWord.CLEAR:
        lines += _clear(status, width)
    else:
        lines += _not_green(status, width)
    return PaneView(1, "FIREWALL", tuple(lines), _aside(status, now, breach), alarm=breach)


def cause_in_words(cause: str) -> str:
    """The firewall's code for the likely cause, as a phrase; codes of a newer one stay readable."""
    known = {
        "not_in_receipt": "no receipt accounts for it",
        "stale_export": "scored again since the export",
        "sets_changed": "evaluation sets changed since the export",
    }
    return known.get(cause, visible(cause.replace("_", " ")))


def _aside(status: FirewallStatus, now: float, breach: bool) -> Line:
    age = age_of(status.origin.as_of, now)
    no_answer = status.origin.freshness is Freshness.UNKNOWN and age is not None
    words = f"read {age_in_words(age)} ago" if no_answer else read_ago(age)
    stale = status.origin.freshness in (Freshness.STALE, Freshness.UNKNOWN, Freshness.CLOCK)
    return line(Span(words, "fail" if breach else ("warn" if stale else "dim")))


def _headline(status: FirewallStatus, now: float, width: int) -> Line:
    look: Look = FIREWALL[status.state]
    if status.state is FirewallWord.BREACH:
        rows = f"{count(status.forbidden_rows)} of {plural(status.rows_read, 'row')}"
        if not status.forbidden_rows or status.elsewhere:
            rows = status.found
        since = f"for {age_in_words(now - status.since)} " if status.since is not None else ""
        return spread(
            line(" ", Span(f"{look.mark} {look.word}", "badge"), f"  {rows}"),
            line(Span(since, "fail")),
            width,
        )
    mark = "OK" if status.state is FirewallWord.CLEAR else look.mark
    return line(" ", Span(f"{mark} {look.word}", look.role), f"  {_rows_read(status)}")


def _rows_read(status: FirewallStatus) -> str:
    if status.state is FirewallWord.ABSENT:
        return "no live file"
    if status.rows_total is not None:
        return f"{count(status.rows_read)} of {plural(status.rows_total, 'row')} read"
    # Only where there is an answer is 0 a count: of an emptied file no row was read, and it says so.
    is_counted = status.rows_read or status.state is FirewallWord.CLEAR
    return f"{plural(status.rows_read, 'row')} read" if is_counted else ""


def _clear(status: FirewallStatus, width: int) -> list[Line]:
    lines = [*_walls(status, width), *_said_of_walls(status, width)]
    lines.append(line(Span(f" {visible(status.file)}", "dim")))
    if status.sha256:
        lines.append(line(Span(f" sha256 {status.sha256[:12]}", "dim")))
    if status.detail:
        lines.append(line(Span(f" {visible(status.detail)}", "dim")))
    return lines


def _walls(status: FirewallStatus, width: int) -> list[Line]:
    """The walls that the rows were held against, as the firewall names them."""
    found = dict(status.by_wall)
    walls = [visible(wall) for wall in (status.walls or found)]
    text = " · ".join(f"{wall} {found.get(wall, 0)}" for wall in walls)
    if cell_width(text) + 2 > width:
        text = f"{plural(sum(found.values()), 'finding')}: {', '.join(walls)}"
    return [line(f" {part}") for part in wrap_text(text, width - 2) if part]


def _said_of_walls(status: FirewallStatus, width: int) -> list[Line]:
    """What was not looked for stands out: it is no part of what is clear."""
    return [
        line(Span(f" {part}", "dim" if ": checked" in words else "warn"))
        for words in status.said_of_walls
        for part in wrap_text(visible(words, 300), width - 2)
    ]


def _breach(status: FirewallStatus, width: int) -> list[Line]:
    lines = finding_lines(status, width)
    unseen = status.findings_count - len(status.findings)
    if unseen > 0:
        lines.append(line(Span(f" +{plural(unseen, 'more finding')}", "dim")))
    if status.cause:
        lines.append(line(Span(f" cause: {cause_in_words(status.cause)}", "dim")))
    return [*lines, *_said_of_walls(status, width)]


def finding_lines(status: FirewallStatus, width: int) -> list[Line]:
    """The findings under the file that they are in, the firewall's own file first."""
    lines: list[Line] = []
    longest = max((cell_width(finding.wall) for finding in status.findings), default=0)
    files = dict.fromkeys((status.file, *(finding.file or status.file for finding in status.findings)))
    for file in files:
        inside = [finding for finding in status.findings if (finding.file or status.file) == file]
        if inside or len(files) == 1:
            lines.append(line(f" {visible(file)}"))
            lines += [_finding_line(finding, width, min(max(8, longest), 12)) for finding in inside]
    return lines


def _finding_line(finding: Finding, width: int, wall_cells: int) -> Line:
    """Line number, wall, detail, and the run where there is room."""
    where = fit_text(str(finding.line), 7 if width < 60 else 9, right=True)
    run = f"  {visible(finding.run_id)}" if finding.run_id and width >= 70 else ""
    wall = Span(f" {fit_text(visible(finding.wall), wall_cells)}", "fail")
    return line(where, wall, f" {visible(finding.detail)}", Span(run, "dim"))


def _not_green(status: FirewallStatus, width: int) -> list[Line]:
    lines: list[Line] = []
    for text in (visible(status.detail), cause_in_words(status.cause or "")):
        lines += [line(f" {part}") for part in wrap_text(text, width - 2) if part]
    lines += [line(Span(f" {part}", "dim")) for part in wrap_text(_MEANING[status.state], width - 2)]
    if status.file:
        lines.append(line(Span(f" {visible(status.file)}", "dim")))
    return lines
