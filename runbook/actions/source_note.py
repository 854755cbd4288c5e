"""Accept that a stream has no rows, with the reason: the audit quotes it from then on.

The note is appended beside the recon doc and counts until a run has read rows of the stream again.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Sequence

from pipeline.contracts import paths
from pipeline.reading.source_notes import note_line
from runbook.change.files import read_bytes
from runbook.change.plan import AppendLine, Draft, FileState
from runbook.wizard.planning import Planning, utc_text

_MODE = 0o600


def plan_source_notes(planning: Planning, streams: Sequence[str], note: str) -> Draft:
    """One line a stream, appended in one step, so that one cut takes all of them back."""
    path = str(paths.SOURCE_NOTES)
    before = planning.state(path)
    lines = [note_line(stream, note, planning.actor, utc_text(planning.now)) for stream in streams]
    whole = b"" if before.is_absent else read_bytes(planning.workspace.root, path)
    text = "\n".join(lines)
    whole += text.encode() + b"\n"
    step = AppendLine(
        path=path,
        line=text,
        before=before,
        after=FileState(
            sha256=hashlib.sha256(whole).hexdigest(), bytes=len(whole), mode=before.mode or _MODE
        ),
        says=f"Note in {path} that {', '.join(streams)} may have no rows: {note}",
        by_hand=f"printf '%s\\n' {' '.join(shlex.quote(line) for line in lines)} >> {path}",
    )
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
