"""Put journals back from good copies: what an audit read first, then what was appended since."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from runbook.actions.rerun_stage import plan_command
from runbook.change.files import read_bytes
from runbook.change.plan import Draft, FileState, Kept, WriteFile
from runbook.change.planning import Planning, joined
from runbook.change.refusals import refused
from runbook.probes.journal_copies import BrokenJournal, read_copy


def plan_restore_journals(planning: Planning, journals: Sequence[BrokenJournal], note: str) -> Draft:
    """A file each for those with a copy; then the others are adopted, for ``note``. Raises RefusedError."""
    steps, contents, notes = [], [], []
    for journal in (each for each in journals if each.copy_at):
        data = read_copy(planning.workspace, journal)
        if data is None:
            raise refused(
                "copy_gone",
                f"{journal.copy_at} does not begin any more as {journal.file} was read.",
                "Diagnose again; another copy may do.",
                journal.copy_at,
            )
        before = planning.state(journal.file)
        there = b"" if before.is_absent else read_bytes(planning.workspace.root, journal.file)
        new, is_merged = _put_together(journal, data, there)
        steps.append(_step(journal, before, new, is_merged=is_merged))
        contents.append(new)
        notes.append(_note(journal, there, new))
    title = f"Restore {', '.join(step.path for step in steps)}"
    restored = planning.draft(
        "restore_journal",
        title,
        steps,
        undo="Put the bytes back that each file had before (kept in the incident's folder).",
        contents=contents,
        notes=notes,
    )
    without = [each for each in journals if not each.copy_at]
    if not without:
        return restored
    adopted = plan_adopt_journals(planning, without, note)
    return joined(f"{title}; {adopted.plan.title[0].lower()}{adopted.plan.title[1:]}", [restored, adopted])


def _put_together(journal: BrokenJournal, copy: bytes, there: bytes) -> tuple[bytes, bool]:
    """The copy's bytes up to where the audit read, then what follows there now, where it begins a line.

    Only a change in place leaves the rows that were appended since where they can be told.
    """
    size = journal.bytes_read
    rest = there[size:]
    begins_a_line = there[size - 1 : size] == copy[size - 1 : size] == b"\n"
    if rest and begins_a_line and rest.startswith(copy[size:]):
        return copy[:size] + rest, True
    return copy, False


def _step(journal: BrokenJournal, before: FileState, data: bytes, *, is_merged: bool) -> WriteFile:
    place, beside = shlex.quote(journal.file), shlex.quote(f"{journal.file}.new")
    size = journal.bytes_read
    source = journal.by_hand
    if is_merged:
        source = f"{{ {journal.by_hand} | head -c {size}; tail -c +{size + 1} {place}; }}"
    sha256 = hashlib.sha256(data).hexdigest()
    return WriteFile(
        path=journal.file,
        before=before,
        after=FileState(sha256=sha256, bytes=len(data), mode=before.mode or 0o600),
        content=Kept(sha256=sha256),
        says=f"{'Create' if before.is_absent else 'Replace'} {journal.file} by the bytes of {journal.copy_at}"
        + (", and the rows that were appended since." if is_merged else "."),
        by_hand=f"{source} > {beside} && mv {beside} {place}",
    )


def _note(journal: BrokenJournal, there: bytes, new: bytes) -> str:
    kept = set(new.splitlines(keepends=True))
    gone = [line for line in there.splitlines(keepends=True) if line not in kept]
    said = f"{journal.file}: {len(new):,} bytes stand there afterwards, {len(there):,} do now"
    if not gone:
        return f"{said}; no line of it is lost"
    count, size = plural(len(gone), "line"), sum(map(len, gone))
    return f"{said}; {count} of it ({size:,} bytes) go, and stay in the incident's folder"


def plan_adopt_journals(planning: Planning, journals: Sequence[BrokenJournal], note: str) -> Draft:
    """``distill baseline adopt``: audits hold every broken journal to what it is now."""
    draft = plan_command(
        planning,
        ["baseline", "adopt", "--note", note],
        title=f"Adopt as {'it is' if len(journals) == 1 else 'they are'}: "
        f"{', '.join(each.file for each in journals)}",
        touches=(),
        appends=(str(paths.JOURNAL_MEMORY),),
        repeatable=False,
        undo="Cut the appended line off, if no audit followed: the journals are missed again.",
    )
    notes = tuple(_lost(planning, each) for each in journals)
    plan = draft.plan.model_copy(update={"notes": (*draft.plan.notes, *notes)})
    return draft.model_copy(update={"plan": plan})


def _lost(planning: Planning, journal: BrokenJournal) -> str:
    if journal.file == str(paths.JOURNAL_MEMORY):
        return f"{journal.told}: it is believed again from here on"
    there = planning.state(journal.file).bytes or 0
    gone = max(0, journal.bytes_read - there)
    of_those = f"of the {journal.bytes_read:,} bytes that an audit read"
    if gone:
        return f"{journal.file}: {gone:,} {of_those} are lost for good"
    return f"{journal.file}: any {of_those} may be other than they were"
