"""PURE: a wizard on the screen: where it stands, the evidence, the plan, and one question.

The question stands at the bottom and never scrolls; what is read before it is answered stands
above it, in the order of the decision. On a wide screen the evidence stands beside the plan.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from console.presentation.lines import difference_lines, side_by_side, wrapped
from console.presentation.spans import EMPTY, Line, Role, Span, cut, fit, fit_text, line, spread, wrap_text
from console.presentation.states import SEVERITIES
from console.presentation.wizard_plan import (
    CONTAINED,
    plan_lines,
    progress_lines,
    rule,
    running_lines,
    seen_lines,
    why_lines,
)
from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import plural
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, clock_time, lasting_in_words
from runbook.tell.entry import entry_words
from runbook.wizard import dialogue as wizard
from runbook.wizard.dialogue import CHANGES, Work

if TYPE_CHECKING:
    from console.control.wizard_view import Preview, WizardView
    from console.state.view_state import RunView
    from pipeline.contracts.incidents import IncidentEntry

BESIDE_FROM = 112
_STEPS = ("seen", "cause", "plan", "consent", "apply", "verify")
_STEP_OF_WORK = {
    Work.DIAGNOSE: "cause",
    Work.PLAN: "plan",
    Work.REHEARSE: "plan",
    Work.SETTLE: "apply",
    Work.APPLY: "apply",
    Work.VERIFY: "verify",
}
_ENDS: Mapping[str, tuple[str, Role]] = {
    "resolved": ("RESOLVED", "ok"),
    "mitigated": ("MITIGATED", "strong"),
    "escalated": ("HANDED OVER", "strong"),
    "abandoned": ("LEFT AS IT IS", "dim"),
}
# What an entry of each kind is, in a column of eleven.
_KINDS = {"note": "answered", "classified": "cause", "state": "then", "owner": "taken over"}
Section = Callable[[int], list[Line]]


# Above: where it stands


def head_lines(view: WizardView, now: float, width: int) -> list[Line]:
    """The symptom, and the steps of its wizard with the one that is being taken."""
    look = SEVERITIES[view.severity] if view.severity is not None else None
    role: Role = "badge" if view.is_critical else (look.role if look else "dim")
    badge = Span(f" {look.mark} {look.word} ", role) if look else Span(" by hand ", "dim")
    if view.incident_id is None:
        right = line(Span("no incident opened ", "dim"))
    else:
        since = age_in_words(age_of(epoch_seconds(view.standing.opened_at), now))
        right = line(Span(f"opened {since} ago · {visible(view.standing.owner, 20)} ", "dim"))
    first = spread(line(" ", badge, " ", Span(visible(view.title), "strong")), right, width)
    return [first, _steps(view, width), *_taken_over(view, width), *_holder(view, now, width)]


def _steps(view: WizardView, width: int) -> Line:
    at = _step_at(view)
    parts: list[Span] = [Span(" ")]
    for number, name in enumerate(_STEPS, start=1):
        if name == at:
            parts.append(Span(f"► {number} {name.upper()}  ", "accent"))
        elif _is_done(view, name):
            parts.append(Span(f"ok {name}  ", "text"))
        else:
            parts.append(Span(f"{number} {name}  ", "dim"))
    word, role = _ENDS.get(view.standing.state, (view.standing.state.replace("_", " "), "dim"))
    return spread(cut(tuple(parts), width - 2), line(Span(f"{word} ", role)), width)


def _step_at(view: WizardView) -> str:
    if view.move is None:
        return ""
    if isinstance(view.move, Work):
        return _STEP_OF_WORK[view.move]
    return {wizard.CONSENT: "consent", wizard.AFTERWARDS: "verify"}.get(view.move.id, "plan")


def _is_done(view: WizardView, name: str) -> bool:
    standing = view.standing
    return {
        "seen": standing.detection is not None,
        "cause": standing.diagnosis is not None,
        "plan": standing.plan is not None,
        "consent": standing.consented,
        "apply": standing.plan is not None and standing.applied.is_complete(standing.plan),
        "verify": standing.verified_plan is not None,
    }[name]


def _taken_over(view: WizardView, width: int) -> list[Line]:
    told = wrap_text(view.taken_over, width - 2) if view.taken_over else []
    return [line(Span(f" {part}", "warn")) for part in told]


def _holder(view: WizardView, now: float, width: int) -> list[Line]:
    """Who else acts on it, and since when; nobody can act beside them."""
    if view.holder is None or view.running:
        return []
    since = age_in_words(age_of(view.holder.since_seconds, now))
    who = visible(view.holder.user or "somebody", 24)
    where = visible(f"pid {view.holder.pid or '?'} on {view.holder.host or '?'}", 40)
    doing = "is applying the plan" if view.move in CHANGES else "works on it; you can only view"
    return [fit(line(Span(f" ! {who} ({where}) {doing}, for {since}", "warn")), width)]


# Between: what is read before the answer


def body_lines(
    view: WizardView, run: RunView | None, now: float, width: int, *, unfolded: bool
) -> list[Line]:
    """Sections in the order of the decision; in two columns where there is room for them."""
    left, right = _sections(view, run, now, unfolded)
    if width < BESIDE_FROM or not left or not right:
        return _below(left + right, width)
    first = (width - 3) * 11 // 20
    between = Span(" │ ", "border")
    return side_by_side(_below(left, first), _below(right, width - 3 - first), first, between)


def _below(sections: Sequence[Section], width: int) -> list[Line]:
    lines: list[Line] = []
    for section in sections:
        lines += ([EMPTY] if lines else []) + section(width)
    return lines


def _sections(
    view: WizardView, run: RunView | None, now: float, unfolded: bool
) -> tuple[list[Section], list[Section]]:
    """What stands first or at the left, and what stands after it or at the right."""
    standing, preview = view.standing, view.preview
    working = view.move in CHANGES
    over = view.move is None or _asks(view, wizard.AFTERWARDS)
    look = partial(seen_lines, now=now, unfolded=unfolded)
    seen = [partial(look, standing.detection, title="SEEN")] if standing.detection else []
    left: list[Section] = []
    if view.void:
        left.append(partial(_void, view.void))
    if view.last_words:
        left.append(partial(_last_words, view.last_words))
    if view.to_commit:
        left.append(partial(_to_commit, view.to_commit))
    if preview is not None and preview.is_trial:
        # Containment is read on one screen: the rows, and what the rename does.
        return [*left, *seen, partial(_plan, view, preview, now)], []
    if over and standing.verified is not None:
        contained = standing.state == "mitigated"
        left.append(partial(look, standing.verified, title=CONTAINED if contained else "VERIFIED"))
    if (working or over) and standing.plan is not None:
        left.append(partial(_progress, view, run, now))
    elif preview is not None and _asks(view, wizard.CONSENT):
        left.append(partial(_plan, view, preview, now))
        if preview.difference:
            left.append(partial(_difference, preview))
    right: list[Section] = []
    if standing.diagnosis is not None and not working:
        recorded = view.incident_id is not None
        right.append(partial(why_lines, standing.diagnosis, now, recorded=recorded))
    if not working:
        right += seen
    if (working or over or isinstance(view.move, Work)) and view.entries:
        right.insert(0, partial(journal_lines, view.entries, unfolded=unfolded))
    return (left, right) if left else (right[:1], right[1:])


def _asks(view: WizardView, question_id: str) -> bool:
    return view.question is not None and view.question.id == question_id


def _void(why: str, width: int) -> list[Line]:
    lines = [rule("PLAN VOID", "a file is not as it was", width, "fail")]
    return lines + [line(" ", Span(part, "fail")) for part in wrap_text(visible(why), width - 3)]


def _last_words(words: Sequence[str], width: int) -> list[Line]:
    parts = [part for text in words for part in wrap_text(visible(text), width - 3)]
    return [rule("IT ENDED EARLY", "", width, "fail"), *(line(f" {part}") for part in parts)]


def _to_commit(command: str, width: int) -> list[Line]:
    """The whole command, however long: it is there to be run."""
    lines = [rule("NOT COMMITTED", "y copies the command", width, "warn")]
    lines += wrapped(line(" "), "The repaired files differ from HEAD. Record them in a commit:", width)
    return [*lines, *wrapped(line("   "), visible(command), width, "strong")]


def _plan(view: WizardView, preview: Preview, now: float, width: int) -> list[Line]:
    plan = preview.plan
    name = "" if preview.is_trial else f"plan {plan.hash[:12]}"
    title = "WHAT CONTAINMENT DOES" if preview.is_trial else "PLAN"
    return [rule(title, name, width), *plan_lines(view, preview, width)]


def _difference(preview: Preview, width: int) -> list[Line]:
    return [rule("DIFFERENCE", "now → then", width), *difference_lines(preview.difference, width)]


def _progress(view: WizardView, run: RunView | None, now: float, width: int) -> list[Line]:
    plan = view.standing.plan
    title = "DONE"
    aside = f"plan {plan.hash[:12]}" if plan else ""
    if view.is_applying:
        title, aside = "APPLYING", "detached; quitting stops nothing"
    elif view.is_cut_off:
        title, aside = "CUT OFF", "approved, not finished, no worker runs"
    lines = [rule(title, aside, width), *progress_lines(view, run, now, width)]
    if view.move is Work.VERIFY and view.is_applying:
        lines += _verifying(view, run, now, width)
    return lines


def _verifying(view: WizardView, run: RunView | None, now: float, width: int) -> list[Line]:
    """What is re-run, for how long, and how far it is: acceptance takes half a minute and more."""
    what = f"re-running the detector of {visible(view.symptom_id)}" if view.symptom_id else "verifying"
    began = epoch_seconds(view.entries[-1].recorded_at) if view.entries else None
    lasted = line(Span(f"{lasting_in_words(age_of(began, now))} ", "accent"))
    return [spread(line(Span(f" »  {what}", "accent")), lasted, width), *running_lines(run, width)]


def journal_lines(
    entries: Sequence[IncidentEntry], width: int, *, unfolded: bool = False, short: int = 8
) -> list[Line]:
    """The record's last entries, as they land: the newest on top, where it is seen on any screen."""
    shown = entries if unfolded else entries[-short:]
    many = f"{plural(len(entries), 'entry')}" if len(shown) == len(entries) else f"{short} of {len(entries)}"
    return [
        rule("RECORD", f"{many}, newest first", width),
        *(_entry(each, width) for each in reversed(shown)),
    ]


def _entry(entry: IncidentEntry, width: int) -> Line:
    left = line(
        Span(f" {clock_time(epoch_seconds(entry.recorded_at))}  ", "dim"),
        fit_text(_KINDS.get(entry.kind, entry.kind), 11),
        visible(entry_words(entry)),
    )
    return spread(left, line(Span(f"{visible(entry.actor, 16)} ", "dim")), width)
