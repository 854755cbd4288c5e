"""One diagnosis while it is made: what was detected, what the probes found, what speaks for which cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from shlex import quote
from typing import TypeVar

from pydantic import JsonValue

from runbook.probes.code_history import CODE, ENGINE, ChangedFile, CodeHistory, ConstantChange
from runbook.probes.evidence import (
    Cause,
    Confidence,
    Detection,
    Diagnosis,
    Evidence,
    ProbeOutput,
    Record,
    Stance,
)
from runbook.probes.settings_history import FILE as SETTINGS_FILE
from runbook.probes.settings_history import SETTINGS, SettingChange, SettingsHistory

Found = TypeVar("Found", bound=Record)
_LINES = 30
_LONG = 120


class Case:
    """``causes`` are the symptom's (id, sentence); ``outputs`` what its probes printed, by their ids.

    Facts are as old as the look of the probe ``by`` which they were seen: the last one, where none is named.
    """

    def __init__(
        self,
        causes: Sequence[tuple[str, str]],
        detection: Detection,
        outputs: Mapping[str, ProbeOutput],
    ) -> None:
        self.detection = detection
        self.outputs = outputs
        self._sentences = dict(causes)

    def found(self, probe_id: str, otherwise: Found) -> Found:
        """The record that a probe found; ``otherwise`` after one that failed, or never looked."""
        output = self.outputs.get(probe_id)
        if output is None or output.data is None:
            return otherwise
        return type(otherwise).model_validate(output.data)

    def trouble(self, probe_id: str, otherwise: str = "") -> str:
        """Why a probe found nothing; ``otherwise`` where none was run."""
        output = self.outputs.get(probe_id)
        return (output.trouble if output is not None else "") or otherwise

    def read_at(self, probe_id: str = "") -> float:
        """When that probe looked, or the last that did; the detector's time where none has."""
        looked = [each for each in self.outputs.values() if probe_id in ("", each.probe_id)]
        return max((each.read_at for each in looked), default=self.detection.read_at)

    @cached_property
    def code(self) -> CodeHistory:
        """How the code differs from what was last good; after a probe that failed, no files and why."""
        why = self.trouble(CODE, "the code was not examined")
        return self.found(CODE, CodeHistory(source="workspace", tag="", trouble=why))

    @cached_property
    def settings(self) -> SettingsHistory:
        """The same of the settings."""
        why = self.trouble(SETTINGS, "the settings were not examined")
        return self.found(SETTINGS, SettingsHistory(tag="", trouble=why))

    # What speaks for a cause, or against it

    def fact(
        self, stance: Stance, says: str, source: str, lines: Iterable[str] = (), *, by: str = ""
    ) -> Evidence:
        return Evidence.of(stance, says, source, self.read_at(by), tuple(lines))

    def judged(
        self,
        holds: object,
        says: str,
        unless: str,
        source: str,
        lines: Iterable[str] = (),
        *,
        by: str = "",
        trouble: str = "",
    ) -> Evidence:
        """FOR with ``says`` where it ``holds``, AGAINST with ``unless``; UNKNOWN where nobody could look."""
        if trouble:
            return self.fact(Stance.UNKNOWN, trouble, source, by=by)
        stance, told = (Stance.FOR, says) if holds else (Stance.AGAINST, unless)
        return self.fact(stance, told, source, lines, by=by)

    def changed_code(
        self, files: Iterable[ChangedFile], *, stance: Stance = Stance.FOR
    ) -> tuple[Evidence, ...]:
        """One piece of evidence a file: who changed what in it, and the difference to the last-good tag."""
        history, is_own = self.code, self.code.source == "workspace"
        return tuple(
            self.fact(
                stance,
                f"{each.path} is not as in {history.against}: {_change(each)}",
                f"git diff {quote(history.tag)} -- {each.path}" if is_own else "RECORD",
                each.diff[:_LINES] if stance is Stance.FOR else (),
                by=CODE,
            )
            for each in files
        )

    def unchanged_code(self, what: str) -> Evidence:
        """That no code of ``what`` differs; or that nobody could tell."""
        if self.code.trouble:
            return self.fact(Stance.UNKNOWN, self.code.trouble, "git", by=CODE)
        return self.fact(Stance.AGAINST, f"{what}: as in {self.code.against}.", "git cat-file", by=CODE)

    def code_facts(self, files: Sequence[ChangedFile], what: str) -> tuple[Evidence, ...]:
        """What ``files`` say that changed; where there are none, that ``what`` is as it was."""
        return self.changed_code(files) or (self.unchanged_code(what),)

    def code_differs(
        self, files: Sequence[ChangedFile], says: str, unless: str, folder: str = ENGINE
    ) -> Evidence:
        """The same as one fact for all of them: that some differ, or that none does."""
        lines = [line for each in files for line in (each.told, *each.diff)]
        source = f"git ls-tree {quote(self.code.tag)} -- {folder}"
        return self.judged(files, says, unless, source, lines, by=CODE, trouble=self.code.trouble)

    def settings_differ(self, changes: Sequence[SettingChange], says: str, unless: str) -> Evidence:
        """Which values are not those of the last-good tag, and the commits that touched them."""
        lines = [*(each.told for each in changes), *self.settings.commits] if changes else []
        source = f"git ls-tree {quote(self.settings.tag)} -- {SETTINGS_FILE}"
        return self.judged(changes, says, unless, source, lines, by=SETTINGS, trouble=self.settings.trouble)

    def concluded(
        self,
        cause_id: str,
        confidence: Confidence,
        evidence: Mapping[str, Sequence[Evidence]],
        *,
        first: Sequence[Evidence] | None = None,
        places: Iterable[str] = (),
        aside: Iterable[str] = (),
        facts: Mapping[str, JsonValue] | None = None,
        see: str | None = None,
    ) -> Diagnosis:
        """``evidence`` is what speaks for or against each cause.

        ``first`` stands before the cause's own: what the detector saw, where nothing else is given. Of
        ``aside`` the cause itself is left out.
        """
        seen = self.detection.evidence if first is None else first
        own = (*seen, *evidence.get(cause_id, ()))
        others = [other for other in aside if other != cause_id]
        return Diagnosis(
            cause=self._cause(cause_id, confidence, own, places),
            considered=tuple(self._cause(each, Confidence.UNKNOWN, evidence[each]) for each in others),
            facts=dict(facts or {}),
            see=see,
        )

    def unknown(self, cause_id: str, says: str, source: str, *, by: str) -> Diagnosis:
        """Nothing could be found out; ``says`` why."""
        blind = self.fact(Stance.UNKNOWN, says, source, by=by)
        cause = Cause(id=cause_id, sentence=says, confidence=Confidence.UNKNOWN, evidence=(blind,))
        return Diagnosis(cause=cause)

    def _cause(
        self, cause_id: str, confidence: Confidence, evidence: Sequence[Evidence], places: Iterable[str] = ()
    ) -> Cause:
        return Cause(
            id=cause_id,
            sentence=self._sentences[cause_id],
            confidence=confidence,
            places=tuple(places),
            evidence=tuple(evidence),
        )


def _change(file: ChangedFile) -> str:
    named = "; ".join(_bound(each) for each in file.constants[:3])
    who = ["not committed"] if file.uncommitted else []
    who += [f"commit {each}" for each in file.commits[:3]]
    return f"{named or file.kind} ({'; '.join(who) or 'nobody is named'})"


def _bound(constant: ConstantChange) -> str:
    """Then and now, where that fits on a line; a table of rules does not."""
    if max(len(constant.before), len(constant.after)) > _LONG:
        return f"{constant.name} is another"
    return f"{constant.name} was {constant.before}, is {constant.after}"
