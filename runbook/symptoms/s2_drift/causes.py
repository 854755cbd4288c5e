"""PURE: why numbers moved: something that comes before any decision, or what a person may accept.

A leak, a lost field and other symptoms come first, then what differs from the last-good tag: settings
and streams, the code that reads, scores and exports. Only what is left may be the new normal at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.contracts.moments import epoch_seconds
from pipeline.contracts.plurals import differ
from pipeline.contracts.status import Verdict
from pipeline.contracts.symptoms import LEAK as LEAKED
from pipeline.platform.lenient_json import text_of, texts_of
from runbook.probes.code_history import CODE, ChangedFile, CodeHistory, read_code
from runbook.probes.evidence import Confidence, Detection, Diagnosis, Evidence, ProbeOutput, Stance
from runbook.probes.journal_copies import BrokenJournal
from runbook.probes.looks import concluded
from runbook.probes.settings_history import SETTINGS, SettingChange, SettingsHistory, read_settings_history
from runbook.symptoms import s2_drift as define
from runbook.symptoms.code_evidence import files_differ, settings_differ
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
    """All that the probes found out. ``moved`` are the phases of the metrics that moved."""

    moved: tuple[str, ...]
    baseline_at: float | None
    firewall: ProbeOutput
    fields: ProbeOutput | None
    others: ProbeOutput | None
    code: CodeHistory
    settings: SettingsHistory
    read_at: float
    copies: ProbeOutput | None = None

    @property
    def broken(self) -> list[BrokenJournal]:
        """Journals that are not as audits read them, with the copies that were found."""
        return from_facts(self.copies.data) if self.copies is not None else []

    @property
    def verdict(self) -> Verdict:
        return Verdict(text_of(self.firewall.data, "verdict") or "unknown")

    @property
    def lost(self) -> tuple[str, ...]:
        return tuple(texts_of(self.fields.data, "lost")) if self.fields is not None else ()

    @property
    def shown(self) -> tuple[str, ...]:
        """Symptoms that show and move numbers by themselves."""
        return tuple(texts_of(self.others.data, "shown")) if self.others is not None else ()

    @property
    def is_blind(self) -> bool:
        """Whether what comes before a decision could not be looked at."""
        looked = (self.fields, self.others)
        if self.copies is not None and self.copies.trouble:
            return True
        return self.verdict is Verdict.UNKNOWN or any(each is None or each.trouble for each in looked)

    @property
    def changes(self) -> tuple[SettingChange, ...]:
        """Settings that differ and can move what moved; all that count where nobody knows its phase."""
        known = [each for each in self.moved if each in _MOVES["stream"]]
        return tuple(
            each
            for each in self.settings.under(*_MOVES)
            if not known or set(known) & set(_MOVES[each.where.split(".", 1)[0]])
        )

    @property
    def files(self) -> tuple[ChangedFile, ...]:
        return self.code.of_phase(*(phase for phase, _ in _BY_CODE))


def seen_in(detection: Detection, outputs: Mapping[str, ProbeOutput]) -> Seen:
    return Seen(
        tuple(texts_of(detection.facts, "phases")),
        epoch_seconds(text_of(detection.facts, "baseline_at")),
        outputs[FIREWALL],
        outputs.get(FIELDS),
        outputs.get(OTHERS),
        read_code(outputs.get(CODE)),
        read_settings_history(outputs.get(SETTINGS)),
        max(output.read_at for output in outputs.values()),
        outputs.get(COPIES),
    )


def diagnose(detection: Detection, seen: Seen) -> Diagnosis:
    cause, confidence, places = _judged(seen)
    found = _evidence(seen)
    moved = tuple(each for each in detection.evidence if each.source != define.JOURNALS)
    return concluded(
        define.CAUSES,
        cause,
        confidence,
        {**found, cause: (*found.get(cause, ()), *moved)},
        places=(*places, *(each.says for each in moved)),
        aside=found,
        facts={
            **differing(seen.files, (each.told for each in seen.changes)),
            BROKEN: as_facts(seen.broken),
            _DECIDABLE: not (
                seen.is_blind or seen.verdict is Verdict.DETECTED or seen.broken or seen.lost or seen.shown
            ),
        },
        see={
            define.LEAK: LEAKED,
            define.FIELD: MATERIALIZE,
            define.OTHER: seen.shown[0] if seen.shown else None,
        }.get(cause),
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
        if seen.code.of_phase(phase):
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
    since = seen.baseline_at
    # A commit's time is told in whole seconds.
    is_later = since is not None and all(each.at is not None and each.at + 1 > since for each in seen.changes)
    return set(seen.moved) <= moves and is_later


def _evidence(seen: Seen) -> dict[str, tuple[Evidence, ...]]:
    """For each cause what speaks for it and against it."""
    stances = {Verdict.DETECTED: Stance.FOR, Verdict.CLEAR: Stance.AGAINST}
    firewall = Evidence(
        stance=stances.get(seen.verdict, Stance.UNKNOWN),
        says=seen.firewall.trouble or seen.firewall.text,
        source="distill firewall",
        read_at=seen.firewall.read_at,
    )
    found: dict[str, tuple[Evidence, ...]] = {define.LEAK: (firewall,)}
    if seen.copies is not None:
        says = seen.copies.text
        against = Evidence.judged(
            False, says, says, define.JOURNALS, seen.copies.read_at, trouble=seen.copies.trouble
        )
        broken = evidence_of(seen.broken, define.JOURNALS, seen.copies.read_at)
        found[define.JOURNAL] = broken or (against,)
    for cause, output, holds, source in (
        (define.FIELD, seen.fields, bool(seen.lost), "the last run's receipt"),
        (define.OTHER, seen.others, bool(seen.shown), "distill runbook detect"),
    ):
        if output is not None:
            says = output.text
            judged = Evidence.judged(holds, says, says, source, output.read_at, trouble=output.trouble)
            found[cause] = (judged,)
    tag = seen.settings.tag
    found[define.SETTING] = (
        settings_differ(
            seen.settings,
            seen.changes,
            f"Settings that can move these numbers differ from {tag}.",
            f"The settings that can move these numbers are as in {tag}.",
            seen.read_at,
        ),
    )
    for phase, cause in _BY_CODE:
        files = seen.code.of_phase(phase)
        says = f"Of {phase} {differ(len(files), f'from {seen.code.against}')}."
        unless = f"The code of {phase} is as in {seen.code.against}."
        found[cause] = (files_differ(seen.code, files, says, unless, seen.read_at),)
    return found
