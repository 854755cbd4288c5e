"""One symptom on a page: what shows now, and the runbook's page for the night the tool is down."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.presentation.firewall import cause_in_words, finding_lines
from console.presentation.lines import WIDE_LABEL, fact_lines, wrapped
from console.presentation.runbook_list import look_of, source_words
from console.presentation.spans import EMPTY, Line, Span, fit_text, line, wrap_text
from console.presentation.states import SEVERITIES
from console.state.symptoms_now import open_command
from pipeline.contracts.shell_words import joined, quoted
from pipeline.contracts.status import FirewallStatus, Freshness, SymptomStatus
from pipeline.contracts.symptoms import LEAK
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of

if TYPE_CHECKING:
    from console.state.runbook_state import KnownSymptom, RunbookReading
    from pipeline.reading.incidents import IncidentGlance

_fact = partial(fact_lines, size=WIDE_LABEL)


def page_lines(
    symptom: SymptomStatus | None,
    symptom_id: str,
    reading: RunbookReading,
    firewall: FirewallStatus,
    workspace: str,
    now: float,
    width: int,
) -> list[Line]:
    """``symptom`` is None where it does not show; the runbook may not have been heard of it."""
    known, incident = reading.symptom(symptom_id), reading.incident_of(symptom_id)
    lines = [EMPTY, _title(symptom, known, reading, now)]
    if known is not None:
        lines += [line(Span(f" {part}", "strong")) for part in wrap_text(visible(known.title), width - 2)]
    observed = symptom.observed if symptom is not None else known.observed if known else ""
    lines += [line(f" {part}") for part in wrap_text(visible(observed, 1000), width - 2)]
    lines += [EMPTY, *_facts(symptom, known, incident, now, width)]
    if symptom is not None and symptom.id == LEAK:
        lines += [EMPTY, line(Span(" Forbidden rows", "title"))]
        lines += finding_lines(firewall, width)
        if firewall.cause:
            lines += _fact("cause", cause_in_words(firewall.cause), width)
    if known is not None:
        lines += _section("What you see", known.what_you_see, width)
        lines += _section("Why it matters", known.why, width)
        lines += _causes(known, width)
    lines += _by_hand(symptom, known, firewall, workspace, width)
    if known is not None:
        lines += _where_from(known, width)
    return lines


def _title(
    symptom: SymptomStatus | None, known: KnownSymptom | None, reading: RunbookReading, now: float
) -> Line:
    if symptom is not None:
        look = SEVERITIES[symptom.severity]
        role = "badge" if symptom.severity == "critical" else look.role
        return line(" ", Span(f" {look.mark} {look.word} ", role), " ", Span(visible(symptom.id), "strong"))
    if known is None:
        return line(" ", Span(" ? unknown ", "warn"))
    look = look_of(known, reading, now)
    words = Span(f" {look.mark} {look.word} ".replace("   ", " "), look.role)
    severity = SEVERITIES[known.severity].word
    return line(
        " ", words, " ", Span(visible(known.id), "strong"), Span(f"  {severity} when detected", "dim")
    )


def _facts(
    symptom: SymptomStatus | None,
    known: KnownSymptom | None,
    incident: IncidentGlance | None,
    now: float,
    width: int,
) -> list[Line]:
    lines: list[Line] = []
    if symptom is not None:
        lines += _fact("since", age_in_words(age_of(symptom.since, now)), width)
        lines += _fact("read", _read(symptom.origin.as_of, symptom.origin.source, now), width)
        if symptom.origin.freshness is Freshness.STALE:
            lines += _fact("~ stale", symptom.origin.why or "older than a day", width)
        elif symptom.origin.why:
            lines += _fact("why", symptom.origin.why, width)
        if symptom.beneath:
            lines += _fact("explained by", f"{symptom.beneath}: look there first", width)
    elif known is not None:
        lines += _fact("read", _read(known.as_of, known.source, now), width)
        if known.stale:
            lines += _fact("~ stale", known.stale, width)
    if incident is not None:
        who = f"{incident.owner or 'nobody'}, {incident.state.replace('_', ' ')}, incident {incident.id}"
        return [*lines, *_fact("who", who, width)]
    return [*lines, *(_fact("who", "nobody works on it", width) if symptom is not None else [])]


def _read(as_of: float | None, source: str, now: float) -> str:
    if as_of is None:
        return f"never, {source_words(source)}"
    return f"{age_in_words(age_of(as_of, now))} ago, {'live' if source == 'live' else source}"


def _causes(known: KnownSymptom, width: int) -> list[Line]:
    if not known.causes:
        return []
    lines = [EMPTY, line(Span(" Possible causes", "title"))]
    size = min(24, max(len(cause) for cause, _ in known.causes))
    for cause, sentence in known.causes:
        name = Span(f"{fit_text(visible(cause), size)} ", "strong")
        lines += wrapped(line("  ", name), sentence, width - 1)
    return lines


def _by_hand(
    symptom: SymptomStatus | None,
    known: KnownSymptom | None,
    firewall: FirewallStatus,
    workspace: str,
    width: int,
) -> list[Line]:
    # The console's own steps are commands of the tool: they are no way out where it is down.
    when = ", if the tool itself is down" if known is not None and known.by_hand else ""
    lines = [EMPTY, line(Span(f" By hand{when}", "title"))]
    steps = steps_of(symptom, known, firewall, workspace)
    if not steps:
        return [*lines, line(Span("  No command for this one; see the log.", "dim"))]
    if known is not None and known.by_hand:
        lines.append(line(Span(f"    cd {quoted(workspace)}", "accent")))
    for number, (why, command) in enumerate(steps, start=1):
        lines += wrapped(line(Span(f"  {number} ", "key")), why, width - 1)
        lines += [
            line(Span(f"      {part}", "accent"))
            for part in (wrap_text(visible(command), width - 8) if command else [])
        ]
    return lines


def steps_of(
    symptom: SymptomStatus | None, known: KnownSymptom | None, firewall: FirewallStatus, workspace: str
) -> Sequence[tuple[str, str]]:
    """What to do by hand: the runbook's own words where it was heard, else the console's."""
    if known is not None and known.by_hand:
        return known.by_hand
    return _commands_for(symptom, firewall, workspace) if symptom is not None else ()


def _commands_for(symptom: SymptomStatus, firewall: FirewallStatus, workspace: str) -> list[tuple[str, str]]:
    """What to do by hand, in this order: why, and the exact command, quoted for a shell."""
    here = f"-C {quoted(workspace)}"
    if symptom.id != LEAK:
        step = symptom.next_step
        return [("Next step", step)] if step else []
    file = firewall.file or "exports/sft/instruction_response.jsonl"
    name = quoted(file)
    steps = [("See every forbidden row", f"distill firewall {here} --json")]
    row = next((finding.row_id for finding in firewall.findings if finding.row_id), None)
    if row:
        steps.append(("Trace the first one to its source line", f"distill lineage {here} {quoted(row)}"))
    steps += [
        (
            "Quarantine it: one rename, nothing is deleted",
            f"cd {quoted(workspace)} && mv -n {name} {name}.QUARANTINED-$(date +%s)",
        ),
        ("Export again, with the scan before the commit", f"distill run-all {here}"),
        ("Verify: only CLEAR closes this", f"distill firewall {here}"),
    ]
    return steps


def wizard_command(symptom_id: str, workspace: str) -> str:
    """What ``w`` would run, for a shell."""
    words = open_command(symptom_id).split()
    return joined([*words[:2], "-C", workspace, *words[2:]])


def _where_from(known: KnownSymptom, width: int) -> list[Line]:
    lines = [EMPTY]
    if known.checks:
        lines += _fact("checks", ", ".join(known.checks), width)
    if known.phases:
        lines += _fact("phase", ", ".join(known.phases), width)
    if known.explained_by:
        lines += _fact("see first", ", ".join(known.explained_by), width)
    if known.reproduce:
        lines += _fact("look again", known.reproduce, width)
    return lines


def _section(title: str, text: str, width: int) -> list[Line]:
    if not text:
        return []
    words = [line(f"  {part}") for part in wrap_text(visible(text.replace("`", "")), width - 4)]
    return [EMPTY, line(Span(f" {title}", "title")), *words]
