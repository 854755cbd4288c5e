"""S1.P2.materialize: a source's field gets another name, or the code that reads lines is changed."""

from __future__ import annotations

from runbook.drills.drill import Drill, Planted, Scene, Slip
from runbook.symptoms.s1_p2_materialize import ID, SHAPE, TRANSFORM

FILES = {
    "runs": ("data/_kb/runs-harbour.jsonl", "data/_kb/runs-uplands.jsonl"),
    "chats": ("data/_kb/chats.jsonl",),
}
# Stream, the name its rules read, and what its writer may call it one day.
RENAMES = (
    ("runs", "task", ("case", "job_id", "task_key")),
    ("runs", "said", ("answer", "output")),
    ("runs", "outcome", ("result", "grading")),
    ("chats", "task", ("case", "job_id", "task_key")),
    ("chats", "turns", ("messages", "dialogue")),
    ("chats", "reward", ("points", "score")),
)


def plant_renamed(scene: Scene) -> Planted:
    stream, old, names = scene.random.choice(RENAMES)
    new = scene.random.choice(names)
    for path in FILES[stream]:
        _rename_field(scene, path, old, new)
    # Without a task no line is used, and the night's run finds that out. Without another field it
    # is used, and only the evidence that stands on the bytes of yesterday tells.
    is_run = old == "task" and scene.random.random() < 0.5
    if is_run:
        scene.engine("run-all")
    return Planted(
        says=f"The writer of stream {stream} calls {old} {new} now"
        f"{', and a run has read it' if is_run else ''}.",
        cause=SHAPE,
        offer="edit",
        # What the run itself counted rings at once; bytes that changed under evidence, in the audit.
        also=() if is_run else ("S1.P5.summary",),
        audited=not is_run,
    )


def _rename_field(scene: Scene, path: str, old: str, new: str) -> None:
    """Keys stay in their order; lines that hold no such object stay as they are."""
    lines = (scene.root / path).read_bytes().splitlines(keepends=True)
    key = f'"{old}": '.encode()
    renamed = [line.replace(key, f'"{new}": '.encode(), 1) if _is_row(line) else line for line in lines]
    (scene.root / path).write_bytes(b"".join(renamed))


def _is_row(line: bytes) -> bool:
    return line.startswith(b"{") and line.rstrip().endswith(b"}")


BROKEN = (
    Slip(
        "pipeline/streams/messages.py",
        "turns = found if type(found) is list else turns_of(found)",
        "turns = turns_of(found[0])",
        "messages: the log wraps a conversation in a list",
    ),
    Slip(
        "pipeline/storage/source_lines.py",
        "    if len(raw) > MAX_LINE_BYTES:\n        return _oversize(len(raw))\n    try:",
        "    if len(raw) > 400:\n        return _oversize(len(raw))\n    try:",
        "source lines: keep memory down",
    ),
    Slip(
        "pipeline/streams/messages.py",
        "roles = {**USUAL_ROLES, **rule.roles}",
        "roles = dict(rule.roles)",
        "messages: take the roles from the settings",
    ),
)


def plant_transform(scene: Scene) -> Planted:
    slip, author = scene.slip(BROKEN), scene.anybody()
    scene.commit(slip.message, author=author)
    scene.engine("run-all")
    return Planted(
        says=f"{author.name} changed {slip.path} ({slip.message}); stream chats yields nothing since.",
        cause=TRANSFORM,
        offer="restore-code",
    )


RENAMED = Drill(ID, "A source calls a field by another name", plant_renamed, name="renamed")
CHANGED = Drill(ID, "The code that reads the lines was changed", plant_transform, name="transform")
