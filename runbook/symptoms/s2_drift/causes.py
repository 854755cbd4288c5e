"""PURE: why numbers moved: something that comes before any decision, or what a person may accept.

A leak, a lost field and other symptoms come first, then what differs from the last-good tag: settings
and streams, the code that reads, scores and exports. Only what is left may be the new normal at once.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import differ
from pipeline.contracts.status import Verdict
from pipeline.contracts.symptoms import LEAK as LEAKED
from pipeline.platform.lenient_json import text_of, texts_of
from runbook.case import Case
from runbook.probes.code_history import ChangedFile
from runbook.probes.evidence import Confidence, Diagnosis, Evidence, Stance
from runbook.probes.journal_copies import BrokenJournal
from runbook.probes.settings_history import SettingChange
from runbook.symptoms import s2_drift as define
from runbook.symptoms.offers import differing
from runbook.symptoms.s1_p2_materialize import ID as MATERIALIZE
from runbook.symptoms.s2_drift.journals import BROKEN, COPIES, as_facts, evidence_of, from_facts

FIREWALL = "firewall"
FIELDS = "fields"
OTHERS = "others"
# The first phase that moved explains those after it.
_BY_PHASE = (("P2", define.SOURCES), ("P3", define.SCORER), ("P4", define.EXPORTER))
# Code of a phase that differs, as a cause.
_BY_CODE = (("P2", define.READER), ("P3", define.SCORER), ("P4", define.EXPORTER))
# Which phases' numbers a section of the settings can move.
_MOVES = {
    "stream": ("P2", "P3", "P4"),
    "scoring": ("P3", "P4"),
    "export": ("P4",),
    "evaluation": ("P4",),
}
_DECIDABLE = "decidable"


@dataclass(frozen=True)
class Seen:
    """What the probes found out, as far as it decides what comes first."""

    case: Case

    @property
    def moved(self) -> tuple[str, ...]:
        """The phases of the metrics that moved."""
        return texts_of(self.case.detection.facts, "phases")

    @property
    def verdict(self) -> Verdict:
        """The firewall's."""
        return Verdict(text_of(self.case.outputs[FIREWALL].data, "verdict") or "unknown")

    @property
    def broken(self) -> list[BrokenJournal]:
        """Journals that are not as audits read them, with the copies that were found."""
        copies = self.case.outputs.get(COPIES)
        return from_facts(copies.data) if copies is not None else []

    @property
    def lost(self) -> tuple[str, ...]:
        return self._texts(FIELDS, "lost")

    @property
    def shown(self) -> tuple[str, ...]:
        """Symptoms that show and move numbers by themselves."""
        return self._texts(OTHERS, "shown")

    def _texts(self, probe_id: str, name: str) -> tuple[str, ...]:
        output = self.case.outputs.get(probe_id)
        return texts_of(output.data, name) if output is not None else ()

    @property
    def is_blind(self) -> bool:
        """Whether what comes before a decision could not be looked at."""
        looked = [self.case.outputs.get(each) for each in (FIELDS, OTHERS)]
        if self.case.trouble(COPIES):
            return True
        return self.verdict is Verdict.UNKNOWN or any(each is None or each.trouble for each in looked)

    @property
    def changes(self) -> tuple[SettingChange, ...]:
        """Settings that differ and can move what moved; all that count where nobody knows its phase."""
        known = [each for each in self.moved if each in _MOVES["stream"]]
        return tuple(
            each
            for each in self.case.settings.under(*_MOVES)
            if not known or set(known) & set(_MOVES[each.where.split(".", 1)[0]])
        )

    @property
    def files(self) -> tuple[ChangedFile, ...]:
        return self.case.code.of_phase(*(phase for phase, _ in _BY_CODE))


def diagnose(case: Case) -> Diagnosis:
    seen = Seen(case)
    cause, confidence, places = _judged(seen)
    found = _evidence(seen)
    moved = [each for each in case.detection.evidence if each.source != define.JOURNALS]
    see = {define.LEAK: LEAKED, define.FIELD: MATERIALIZE, define.OTHER: next(iter(seen.shown), None)}
    return case.concluded(
        cause,
        confidence,
        {**found, cause: (*found.get(cause, ()), *moved)},
        first=(),
        places=(*places, *(each.says for each in moved)),
        aside=found,
        facts={
            **differing(seen.files, (each.told for each in seen.changes)),
            BROKEN: as_facts(seen.broken),
            _DECIDABLE: not (
                seen.is_blind or seen.verdict is Verdict.DETECTED or seen.broken or seen.lost or seen.shown
            ),
        },
        see=see.get(cause),
    )


def is_decidable(diagnosis: Diagnosis) -> bool:
    """Whether a person may accept or dismiss what moved; told by the cause in what older wizards kept."""
    first = (define.LEAK, define.JOURNAL, define.FIELD, define.OTHER, define.UNKNOWN)
    return bool(diagnosis.facts.get(_DECIDABLE, diagnosis.cause.id not in first))


def _judged(seen: Seen) -> tuple[str, Confidence, tuple[str, ...]]:
    if seen.verdict is Verdict.DETECTED:
        return define.LEAK, Confidence.CERTAIN, ()
    if seen.broken:
        return define.JOURNAL, Confidence.CERTAIN, tuple(_place(each) for each in seen.broken)
    if seen.lost:
        return define.FIELD, Confidence.CERTAIN, ()
    if seen.shown:
        return define.OTHER, Confidence.LIKELY, seen.shown
    if seen.is_blind:
        return define.UNKNOWN, Confidence.UNKNOWN, ()
    files = tuple(each.told for each in seen.files)
    if seen.changes:
        sure = _explain_all(seen) and not files
        places = tuple(each.told_by for each in seen.changes)
        return define.SETTING, Confidence.CERTAIN if sure else Confidence.LIKELY, (*places, *files)
    for phase, cause in _BY_CODE:
        if seen.case.code.of_phase(phase):
            return cause, Confidence.LIKELY, files
    by_phase = next((name for phase, name in _BY_PHASE if phase in seen.moved), None)
    if by_phase is None:
        return define.UNKNOWN, Confidence.UNKNOWN, ()
    return by_phase, Confidence.LIKELY, ()


def _place(journal: BrokenJournal) -> str:
    return journal.file if journal.line is None else f"{journal.file}:{journal.line}"


def _explain_all(seen: Seen) -> bool:
    """Whether the changes can move all that moved, and were made after the baseline was taken."""
    moves = {phase for each in seen.changes for phase in _MOVES[each.where.split(".", 1)[0]]}
    since = epoch_seconds(text_of(seen.case.detection.facts, "baseline_at"))
    # A commit's time is told in whole seconds.
    is_later = since is not None and all(each.at is not None and each.at + 1 > since for each in seen.changes)
    return set(seen.moved) <= moves and is_later


def _evidence(seen: Seen) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for it and against it."""
    case, firewall = seen.case, seen.case.outputs[FIREWALL]
    stances = {Verdict.DETECTED: Stance.FOR, Verdict.CLEAR: Stance.AGAINST}
    stance, says = stances.get(seen.verdict, Stance.UNKNOWN), firewall.trouble or firewall.text
    found: dict[str, tuple[Evidence, ...]] = {
        define.LEAK: (case.fact(stance, says, "distill firewall", by=FIREWALL),)
    }
    if (copies := case.outputs.get(COPIES)) is not None:
        says, trouble = copies.text, copies.trouble
        whole = case.judged(False, says, says, define.JOURNALS, by=COPIES, trouble=trouble)
        broken = evidence_of(seen.broken, define.JOURNALS, copies.read_at)
        found[define.JOURNAL] = broken or (whole,)
    for cause, probe_id, holds, source in (
        (define.FIELD, FIELDS, seen.lost, "the last run's receipt"),
        (define.OTHER, OTHERS, seen.shown, "distill runbook detect"),
    ):
        if (output := case.outputs.get(probe_id)) is not None:
            says, trouble = output.text, output.trouble
            found[cause] = (case.judged(holds, says, says, source, by=probe_id, trouble=trouble),)
    tag, against = case.settings.tag, case.code.against
    says = f"Settings that can move these numbers differ from {tag}."
    unless = f"The settings that can move these numbers are as in {tag}."
    found[define.SETTING] = (case.settings_differ(seen.changes, says, unless),)
    for phase, cause in _BY_CODE:
        files = case.code.of_phase(phase)
        says = f"Of {phase} {differ(len(files), f'from {against}')}."
        found[cause] = (case.code_differs(files, says, f"The code of {phase} is as in {against}."),)
    return found
