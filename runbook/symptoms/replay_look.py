"""Which model answers replays and who named it; what it says to a task that used to pass."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform import disk
from pipeline.platform.lenient_json import Json, object_or_empty
from pipeline.reading.report_files import Notes, last_objects
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace
from runbook.symptoms.s1_p7_replay import DEFAULT_MODEL, VARIABLE

PROBE = "replay"
PLAYBOOKS = str(paths.RAG_EXPORT)
_TITLE = "The model, its name's origin, and a task that used to pass"
_LOOK_BYTES = 8 * 2**20
# Two replays; a model that takes longer is a finding of its own.
_SECONDS = 150.0


class Reply(Record):
    """One replay. ``reasons`` are the validator's codes; ``trouble`` says why there is no answer."""

    model: str
    ok: bool
    reasons: tuple[str, ...] = ()
    retrieved: int = 0
    trouble: str = ""

    @property
    def told(self) -> str:
        if self.trouble:
            return f"{self.model} gave no answer: {self.trouble.removesuffix('.')}"
        found = f"with {plural(self.retrieved, 'playbook')}"
        if self.ok:
            return f"{self.model} passes, {found}"
        return f"{self.model} is refused ({', '.join(self.reasons)}), {found}"


class ReplayLook(Record):
    """``origin`` is environment, settings or default. ``task`` is None where nothing is known to
    have passed; ``by_default`` is the same task put to the default model."""

    model: str
    origin: str
    playbooks: int | None
    task: str | None = None
    passed_by: str | None = None
    passed_at: str | None = None
    reply: Reply | None = None
    by_default: Reply | None = None


def replay_probe() -> Probe:
    """The probe that finds a ``ReplayLook``. It logs nothing."""
    return record_probe(PROBE, _TITLE, _SECONDS, _look, _lines)


def _lines(found: ReplayLook) -> list[str]:
    count = "no playbooks" if found.playbooks is None else plural(found.playbooks, "playbook")
    lines = [f"model {found.model}, from {found.origin}; {count}"]
    if found.task is not None:
        lines.append(f"task: {found.task}")
        lines.append(f"passed before: {found.passed_by} at {found.passed_at}")
    return lines + [f"now: {each.told}" for each in (found.reply, found.by_default) if each is not None]


def model_in_use(workspace: Workspace) -> tuple[str, str]:
    """The model's name and its origin, as the engine chooses it."""
    if named := os.environ.get(VARIABLE):
        return named, "environment"
    named = workspace.section("replay").get("model")
    return (named, "settings") if isinstance(named, str) else (DEFAULT_MODEL, "default")


def refused_since_it_passed(workspace: Workspace) -> tuple[str, Reply] | None:
    """The task of the last logged replay and what becomes of it now, where it was refused, had passed
    before, and still does not pass."""
    last = next(_logged(workspace.root), None)
    if last is None or _ok(last) or _last_passed(workspace.root, last["task"]) is None:
        return None
    reply = _reply(workspace, model_in_use(workspace)[0], last["task"], (), _SECONDS)
    return None if reply.ok else (last["task"], reply)


def _look(workspace: Workspace, seconds: float) -> ReplayLook:
    model, origin = model_in_use(workspace)
    playbooks = _count(workspace.root / PLAYBOOKS)
    look = ReplayLook(model=model, origin=origin, playbooks=playbooks)
    last = next(_logged(workspace.root), None)
    # The task that was refused last speaks best, if it ever passed.
    row = (last and _last_passed(workspace.root, last["task"])) or _last_passed(workspace.root)
    task = row.get("task") if row is not None else _a_title(workspace.root / PLAYBOOKS)
    if not isinstance(task, str):
        return look
    attempts = row.get("attempts") if row is not None else None
    last = attempts[-1] if isinstance(attempts, list) and attempts else {}
    return look.model_copy(
        update={
            "task": task,
            "passed_by": last.get("model") if isinstance(last, dict) else None,
            "passed_at": row.get("recorded_at") if row is not None else None,
            "reply": _reply(workspace, model, task, (), seconds / 2),
            "by_default": None
            if model == DEFAULT_MODEL
            else _reply(workspace, DEFAULT_MODEL, task, ("--model", DEFAULT_MODEL), seconds / 2),
        }
    )


def _reply(workspace: Workspace, model: str, task: str, more: tuple[str, ...], seconds: float) -> Reply:
    words = ["replay", f"--task={task}", "--local-only", "--no-log", "--json", *more]
    ran = workspace.engine(words, seconds=seconds)
    row = object_or_empty(ran.stdout)
    verdict = row.get("validation_result")
    if not isinstance(verdict, dict):
        return Reply(model=model, ok=False, trouble=ran.reason)
    reasons, retrieved = verdict.get("reasons"), row.get("retrieved")
    return Reply(
        model=model,
        ok=verdict.get("ok") is True,
        reasons=tuple(str(each) for each in reasons) if isinstance(reasons, list) else (),
        retrieved=len(retrieved) if isinstance(retrieved, list) else 0,
    )


def _count(path: Path) -> int | None:
    """Rows of the playbooks; None where there is no file."""
    if not path.is_file():
        return None
    with disk.open_to_read(path) as file:
        return sum(1 for line in file if line.strip())


def _last_passed(root: Path, task: str | None = None) -> Json | None:
    """The newest logged replay that passed, of ``task`` or of any."""
    return next((row for row in _logged(root) if _ok(row) and task in (None, row["task"])), None)


def _logged(root: Path) -> Iterator[Json]:
    """The replays in the log's last piece, newest first."""
    for row in reversed(last_objects(root, paths.REPLAY_RUNS, _LOOK_BYTES, Notes())):
        if isinstance(row.get("task"), str) and isinstance(row.get("validation_result"), dict):
            yield row


def _ok(row: Json) -> bool:
    return row["validation_result"].get("ok") is True


def _a_title(playbooks: Path) -> str | None:
    """Where no replay was logged: what a playbook is about must find that playbook."""
    if not playbooks.is_file():
        return None
    with disk.open_to_read(playbooks) as file:
        title = object_or_empty(file.readline(_LOOK_BYTES)).get("title")
    return title if isinstance(title, str) and title.strip() else None
