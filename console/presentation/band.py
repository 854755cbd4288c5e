"""The band on top: what is wrong right now, worst first; and the screen's own age.

How much of what can be detected was looked for is one sentence, the same for every face.
"""

from __future__ import annotations

from console.presentation.counts import count
from console.presentation.spans import Line, Role, Span, cut, fit, fit_text, line, line_width, spread
from console.presentation.states import SEVERITIES
from pipeline.contracts.severity import Severity
from pipeline.contracts.status import SymptomStatus
from pipeline.contracts.untrusted import visible
from pipeline.reading.durations import age_in_words, age_of, lasting_in_words
from pipeline.reading.symptom_answers import Tally


def tally_role(tally: Tally) -> Role:
    """Green only where all was evaluated, and that not long ago."""
    if tally.is_whole:
        return "ok"
    return "warn" if tally.unknown or tally.stale or not tally.evaluated else "text"


def head_words(showing: int, tally: Tally, now: float) -> str:
    """``3 SYMPTOMS · 15 of 17 checks run, …``; silence says how far it goes."""
    shows = f"{count(showing)} {'SYMPTOM' if showing == 1 else 'SYMPTOMS'}" if showing else "0 symptoms"
    return f"{shows} · {tally.in_words(now)}"


def nothing_marked(tally: Tally) -> str:
    """The answer to who would fix a symptom where none shows."""
    if tally.is_whole:
        return "0 symptoms: nothing to fix"
    return f"0 symptoms so far, {tally.evaluated} of {tally.total} checks run: W lists the others"


def _brief(showing: int, hidden: int, tally: Tally, now: float) -> str:
    """The same where there is little room: the age first, which is the last to be cut."""
    counted = ((tally.unknown, "unknown"), (tally.stale, "stale"), (tally.never, "never"))
    pieces = [
        f"{tally.evaluated}/{tally.total} run",
        *(f"{number} {word}" for number, word in counted if number),
    ]
    if tally.oldest is not None:
        pieces.insert(0, f"oldest {age_in_words(age_of(tally.oldest, now))}")
    shows = head_words(showing, tally, now).partition(" · ")[0] + (f", +{hidden} more" if hidden > 0 else "")
    return f"{shows} · {', '.join(pieces)}"


# Past this age the screen says so itself: the disk has not answered.
SCREEN_STALE_SECONDS = 10.0
# A look that takes longer is told of where no symptom shows: it may be about to find one.
_LONG_LOOK_SECONDS = 2.0
_NO_TALLY = Tally()


def band_height(symptoms: tuple[SymptomStatus, ...], rows: int, width: int) -> int:
    """How many lines the band takes on a screen of ``rows`` lines."""
    if not symptoms:
        return 1
    per_symptom = 2 if width >= 100 and rows >= 30 else 1
    most = 1 if rows < 20 else (2 if rows < 30 else 4)
    return 1 + per_symptom * min(len(symptoms), most)


def band_lines(
    symptoms: tuple[SymptomStatus, ...],
    marked: int,
    now: float,
    width: int,
    height: int,
    heard_at: float | None,
    trouble: str = "",
    tally: Tally = _NO_TALLY,
    looking_since: float | None = None,
) -> list[Line]:
    """The band in exactly ``height`` lines. ``marked`` is the symptom that keys act on.

    ``looking_since`` is when the detectors began the look that they are at.
    """
    per_symptom = 2 if width >= 100 and height > len(symptoms[: height - 1]) + 1 else 1
    shown = max(0, (height - 1) // per_symptom)
    lines = [_rule(symptoms, len(symptoms) - shown, now, width, heard_at, trouble, tally, looking_since)]
    first = max(0, min(marked - shown + 1, len(symptoms) - shown))
    for position, symptom in enumerate(symptoms[first : first + shown], start=first):
        lines.append(_symptom(symptom, position == marked, now, width))
        if per_symptom == 2:
            lines.append(_next_step(symptom, width))
    return [fit(spans, width) for spans in lines[:height]]


def _rule(
    symptoms: tuple[SymptomStatus, ...],
    hidden: int,
    now: float,
    width: int,
    heard_at: float | None,
    trouble: str,
    tally: Tally,
    looking_since: float | None,
) -> Line:
    age = age_of(heard_at, now)
    late = age is not None and age > SCREEN_STALE_SECONDS
    if trouble:
        title = Span(f" ? {visible(trouble)} ", "warn")
    elif heard_at is None:
        title = Span(" ? reading the workspace for the first time ", "warn")
    elif late:
        title = Span(f" ~ this screen is {age_in_words(age)} old ", "warn")
    elif not symptoms and (lasts := age_of(looking_since, now) or 0.0) >= _LONG_LOOK_SECONDS:
        so_far = f"0 symptoms so far, {tally.evaluated} of {tally.total} checks run"
        title = Span(f" » detectors running for {lasting_in_words(lasts)} · {so_far} ", "accent")
    else:
        role = SEVERITIES[symptoms[0].severity].role if symptoms else tally_role(tally)
        return _head(len(symptoms), hidden, tally, now, width, role)
    return _ruled(title, _heads(symptoms and width >= 60), width)


def _head(showing: int, hidden: int, tally: Tally, now: float, width: int, role: Role) -> Line:
    """In whole words where they fit, before that without the columns' heads; the age is never cut off."""
    below = f", +{hidden} more" if hidden > 0 else ""
    whole = Span(f" {head_words(showing, tally, now).replace(' ·', f'{below} ·', 1)} ", role)
    brief = Span(f" {_brief(showing, hidden, tally, now)} ", role)
    named, plain = _heads(showing and width >= 60), _heads(False)
    tried = ((whole, named), (whole, plain), (brief, named), (brief, plain))
    title, right = next(
        (each for each in tried if _room(each[1], width) >= line_width(_left(each[0]))), tried[-1]
    )
    return _ruled(title, right, width)


def _heads(are_named: object) -> Line:
    if not are_named:
        return line(Span("━", "border"))
    return line(Span(" who ", "dim"), Span("━" * 6, "border"), Span(" since ", "dim"))


def _left(title: Span) -> Line:
    return line(Span("━━", "border"), title)


def _room(right: Line, width: int) -> int:
    return width - line_width(right) - 2


def _ruled(title: Span, right: Line, width: int) -> Line:
    return spread(cut(_left(title), _room(right, width)), right, width, Span("━", "border"))


def _symptom(symptom: SymptomStatus, marked: bool, now: float, width: int) -> Line:
    look = SEVERITIES[symptom.severity]
    cursor = Span("►" if marked else " ", "cursor")
    head = f"{look.mark} {fit_text(look.word, 8)}" if width >= 60 else look.mark
    shown = f"└ {visible(symptom.id)}" if symptom.beneath else visible(symptom.id)
    name_width = max(20 if width >= 100 else 15, len(shown))
    name = fit_text(shown, name_width) if width >= 60 else shown
    role = "badge" if symptom.severity is Severity.CRITICAL else look.role
    stale = Span(" ~", "warn") if symptom.origin.is_old else ""
    left = line(cursor, Span(head, role), " ", Span(name, "strong"), stale, f" {visible(symptom.observed)}")
    since = age_in_words(age_of(symptom.since, now))
    if width < 60:
        return left
    right = line(Span(f" {fit_text(visible(symptom.owner or 'nobody'), 8)}", "dim"), f" {since:>7} ")
    return spread(left, right, width)


def _next_step(symptom: SymptomStatus, width: int) -> Line:
    return cut(line(Span(" " * 33 + visible(symptom.next_step), "dim")), width)
