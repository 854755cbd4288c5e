"""Accept that a stream has no rows, with the reason: the audit quotes it from then on.

The note is appended beside the recon doc and counts until a run has read rows of the stream again.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from pipeline.contracts import paths
from pipeline.contracts.moments import precise_utc
from pipeline.reading.source_notes import note_line
from runbook.change.plan import Draft
from runbook.change.planning import Planning


def plan_source_notes(planning: Planning, streams: Sequence[str], note: str) -> Draft:
    """One line a stream, appended in one step, so that one cut takes all of them back."""
    path = str(paths.SOURCE_NOTES)
    lines = [note_line(stream, note, planning.actor, precise_utc(planning.now)) for stream in streams]
    says = f"Note in {path} that {', '.join(streams)} may have no rows: {note}"
    by_hand = f"printf '%s\\n' {' '.join(shlex.quote(line) for line in lines)} >> {path}"
    step = planning.appended(path, "\n".join(lines), says, by_hand)
    return planning.draft(
        "source_note",
        f"Accept that {', '.join(streams)} may have no rows",
        [step],
        undo=f"Cut the lines off {path} again, if none followed.",
        notes=[
            f"git tracks {path}: commit it, so that a fresh clone knows it too",
            "it counts until a run has read rows of the stream again",
        ],
    )
