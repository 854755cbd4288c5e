from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pipeline.platform.engine_choice import trust_what_we_made
from runbook.actions.settings_edit import edit_stream, plan_stream_edits
from runbook.change.refusals import RefusedError
from tests.runbook.carrying_out import carried_out, taken_back
from tests.runbook.workspaces import direct, make_workspace, tree

SETTINGS = """# on top
[[stream]]
name = "other"
path = "x"
[stream.fields]
messages = "traj"

# the one that broke
[[stream]]
name = "airline"   # tail
path = "data/_kb/traj*.jsonl"
[stream.fields]
messages = "traj"
instruction = "traj[1].content"
deep = "info.traj"
model_name = { const = "traj" }
parts = ["traj", 'length(traj)']
"""

# As materialize --dry-run --json: it maps what the settings read "conversation" for.
REPORTING = """import json, sys
from pathlib import Path
words = sys.argv[1:]
text = (Path(words[words.index("-C") + 1]) / "distill.toml").read_text()
good = '= "conversation' in text
stream = {"name": "airline", "lines": 3, "mapped": 3, "skipped": 0}
stream["paths_never_found"] = [] if good else ["nonsense", "nonsense[1].content"]
print(json.dumps({"streams": [stream]}))
"""


def test_only_the_stream_and_only_that_name_change_and_comments_stay() -> None:
    edit = edit_stream(SETTINGS, "airline", "traj", "conversation")
    assert edit.text == SETTINGS.replace(
        'messages = "traj"\ninstruction = "traj[1].content"',
        'messages = "conversation"\ninstruction = "conversation[1].content"',
    ).replace("""["traj", 'length(traj)']""", """["conversation", "length(conversation)"]""")
    assert ("fields.messages", "traj", "conversation") in edit.changed


def test_the_key_and_the_order_of_a_group_are_renamed_too() -> None:
    text = '[[stream]]\nname = "s"\ngroup = { by = "session", order = { path = "session.at" } }\n'
    edit = edit_stream(text, "s", "session", "id")
    assert edit.text == text.replace('"session"', '"id"').replace('"session.at"', '"id.at"')
    walked = '[[stream]]\nname = "s"\ngroup = { by = "claude_code", walk = "claude_code" }\n'
    assert 'walk = "claude_code"' in edit_stream(walked, "s", "claude_code", "id").text


@pytest.mark.parametrize(
    ("stream", "old", "says"), [("none", "traj", "no stream"), ("airline", "gone", "nowhere reads")]
)
def test_what_is_not_there_is_refused(stream: str, old: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says):
        edit_stream(SETTINGS, stream, old, "x")


def test_settings_that_do_not_parse_are_refused() -> None:
    with pytest.raises(RefusedError, match="cannot be parsed"):
        edit_stream("[[stream", "airline", "traj", "x")


def test_an_edit_is_tried_in_a_copy_before_it_is_a_plan(tmp_path: Path) -> None:
    workspace = make_workspace(tmp_path / "w")
    root = workspace.root
    (root / "pipeline/__main__.py").write_text(REPORTING)
    trust_what_we_made(root)
    (root / "distill.toml").write_text('[engine]\nsource = "workspace"\n' + SETTINGS)
    before = tree(root)
    session = direct(workspace)
    with pytest.raises(RefusedError, match="no line has"):
        plan_stream_edits(session.planning(), "airline", [("traj", "nonsense")])
    assert tree(root) == before
    draft = plan_stream_edits(session.planning(), "airline", [("traj", "conversation")])
    assert draft.plan.notes == ("tried in a dry run: 3 of 3 lines mapped, 0 skipped",)
    carried_out(session, draft)
    text = (root / "distill.toml").read_bytes()
    assert b"conversation[1].content" in text
    assert hashlib.sha256(text).hexdigest() in draft.contents
    taken_back(session)
    assert tree(root) == before
