"""The difference in a preview: of texts line by line, of everything else by digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from runbook.change.plan import Draft, FileState, Kept, WriteFile
from runbook.wizard.preview import diff_lines
from tests.runbook.workspaces import direct, make_workspace, planning

PATH = "docs/recon/local-distillation-recon.md"


def shown(root: Path, old: bytes, new: bytes) -> list[str]:
    """The difference of a plan that puts ``new`` where ``old`` lies."""
    workspace = make_workspace(root)
    (root / PATH).write_bytes(old)
    session = direct(workspace)
    digest = hashlib.sha256(new).hexdigest()
    made = planning(workspace)
    step = WriteFile(
        path=PATH,
        before=made.state(PATH),
        after=FileState(sha256=digest, bytes=len(new), mode=0o644),
        content=Kept(sha256=digest),
    )
    draft: Draft = made.draft("write", "write", [step], undo="put it back", contents=[new])
    with session.lease():
        plan = session.adopt(draft)
    return diff_lines(workspace, session.incident, plan)


def test_a_text_is_shown_line_by_line_and_control_characters_are_visible(tmp_path: Path) -> None:
    lines = shown(tmp_path / "w", b"one\ntwo\n", b"one\n\x1b[31mthree\n")
    assert "-two" in lines
    assert "+\\x1b[31mthree" in lines


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"text\n", b"\0binary", "no text"),
        (b"\0binary", b"text\n", "no text"),
        (b"a", b"b" * (2 * 2**20 + 1), "too large"),
    ],
    ids=["to-binary", "from-binary", "large"],
)
def test_what_is_no_short_text_is_told_by_its_digests(
    tmp_path: Path, old: bytes, new: bytes, says: str
) -> None:
    (told,) = shown(tmp_path / "w", old, new)
    assert says in told
    for data in (old, new):
        assert hashlib.sha256(data).hexdigest()[:8] in told
