"""What changed code and settings say for and against a cause; how code travels from a diagnosis to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from shlex import quote

from pydantic import JsonValue

from runbook.probes.code_history import ENGINE, ChangedFile, CodeHistory, ConstantChange
from runbook.probes.evidence import Diagnosis, Evidence, Stance
from runbook.probes.settings_history import FILE as SETTINGS_FILE
from runbook.probes.settings_history import SettingChange, SettingsHistory

_RESTORE = "restore"
_LINES = 30
_LONG = 120


def told_by_code(
    history: CodeHistory, files: Iterable[ChangedFile], read_at: float, *, stance: Stance = Stance.FOR
) -> tuple[Evidence, ...]:
    """One piece of evidence a file: who changed what in it, and the difference to the last-good tag."""
    return tuple(
        Evidence(
            stance=stance,
            says=f"{each.path} is not as in {history.against}: {_change(each)}",
            source=f"git diff {quote(history.tag)} -- {each.path}"
            if history.source == "workspace"
            else "RECORD",
            read_at=read_at,
            lines=each.diff[:_LINES] if stance is Stance.FOR else (),
        )
        for each in files
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


def unchanged(history: CodeHistory, what: str, read_at: float) -> Evidence:
    """That no code of ``what`` differs; or that nobody could tell."""
    if history.trouble:
        return Evidence.of(Stance.UNKNOWN, history.trouble, "git", read_at)
    return Evidence.of(Stance.AGAINST, f"{what}: as in {history.against}.", "git cat-file", read_at)


def code_evidence(
    history: CodeHistory, files: Sequence[ChangedFile], what: str, read_at: float
) -> tuple[Evidence, ...]:
    """What ``files`` say that changed; where there are none, that ``what`` is as it was."""
    return told_by_code(history, files, read_at) or (unchanged(history, what, read_at),)


def files_differ(
    history: CodeHistory,
    files: Sequence[ChangedFile],
    says: str,
    unless: str,
    read_at: float,
    folder: str = ENGINE,
) -> Evidence:
    """The same as one fact for all of them: that some differ, or that none does."""
    lines = tuple(line for each in files for line in (each.told, *each.diff))
    source = f"git ls-tree {quote(history.tag)} -- {folder}"
    return Evidence.judged(bool(files), says, unless, source, read_at, lines, trouble=history.trouble)


def settings_differ(
    settings: SettingsHistory, changes: Sequence[SettingChange], says: str, unless: str, read_at: float
) -> Evidence:
    """Which values are not those of the last-good tag, and the commits that touched them."""
    lines = (*(each.told for each in changes), *settings.commits) if changes else ()
    source = f"git ls-tree {quote(settings.tag)} -- {SETTINGS_FILE}"
    return Evidence.judged(bool(changes), says, unless, source, read_at, lines, trouble=settings.trouble)


def restoring(files: Iterable[ChangedFile]) -> dict[str, JsonValue]:
    """A diagnosis' facts from which ``to_restore`` reads the files again."""
    return {_RESTORE: [{"path": each.path, "kind": each.kind, "phase": each.phase} for each in files]}


def to_restore(diagnosis: Diagnosis | None) -> tuple[ChangedFile, ...]:
    """The files that a diagnosis wants back; none where there is no diagnosis."""
    found = diagnosis.facts.get(_RESTORE) if diagnosis is not None else None
    return tuple(ChangedFile.model_validate(each) for each in found) if isinstance(found, list) else ()


def named(files: Iterable[ChangedFile]) -> str:
    """The files in a few words, for an offer's title."""
    paths = [each.path for each in files]
    return ", ".join(paths[:2]) + (f" and {len(paths) - 2} more" if len(paths) > 2 else "")
