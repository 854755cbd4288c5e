"""Edits of ``distill.toml``: where a stream finds its files and fields, and which model replays.

They are made in the file's own words (comments and order stay). The source changed, and a stream
follows: that is tried in a dry run in a copy before it is a plan.
"""

from __future__ import annotations

import json
import re
from collections.abc import MutableMapping, MutableSequence, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.platform.process_end import Ended
from runbook.change.files import read_bytes, write_bytes
from runbook.change.plan import Draft, FileState, Manual
from runbook.change.planning import Planning
from runbook.change.refusals import RefusedError, refused
from runbook.change.workspace_copy import workspace_copy
from runbook.probes.workspace import Workspace

if TYPE_CHECKING:
    import tomlkit

_RULES = ("fields", "group", "where", "parts", "key", "preset")
DRY_RUN_SECONDS = 120.0


@dataclass(frozen=True)
class Edit:
    """The whole new text, and each value that changed: where, old, new."""

    text: str
    changed: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True)
class Trial:
    """What a dry run made of the edited settings. ``never_found`` are paths that no line has."""

    ok: bool
    said: str
    never_found: tuple[str, ...] = ()


def edit_stream(text: str, stream: str, old: str, new: str) -> Edit:
    """Let ``stream`` read ``new`` where it read ``old``.

    ``old`` is a name or dotted path in a source line; ``old[1].content`` and ``old.x`` follow it.
    Raises RefusedError when the stream or the old name is not there.
    """
    document, rules = _stream_table(text, stream)
    changed: list[tuple[str, str, str]] = []
    pattern = re.compile(rf'(?<![\w."]){re.escape(old)}(?![\w"])')
    for key in _RULES:
        if key in rules:
            _replace(rules, key, key, pattern, new, changed)
    if not changed:
        raise refused(
            "old_not_found", f"Stream {stream} nowhere reads {old}.", "See its rules: distill config show"
        )
    return Edit(document.as_string(), tuple(changed))


def edit_stream_path(text: str, stream: str, path: str) -> Edit:
    """Let ``stream`` read the files that the glob ``path`` finds. Raises RefusedError."""
    document, rules = _stream_table(text, stream)
    was = rules.get("path")
    if was == path:
        raise refused("same_path", f"Stream {stream} reads {path} already.", "Name another file.")
    rules["path"] = path
    shown = was if isinstance(was, str) else json.dumps(was)
    return Edit(document.as_string(), (("path", shown, path),))


def _stream_table(text: str, stream: str) -> tuple[tomlkit.TOMLDocument, MutableMapping[str, Any]]:
    """The parsed settings and the one table of that stream in them. Raises RefusedError."""
    document = parsed_settings(text)
    streams = document.get("stream", [])
    found = [table for table in streams if isinstance(table, MutableMapping) and table.get("name") == stream]
    if len(found) != 1:
        raise refused("no_stream", f"distill.toml has no stream {stream}.", "See: distill streams check")
    return document, found[0]


def _replace(
    holder: Any, key: Any, where: str, pattern: re.Pattern[str], new: str, changed: list[tuple[str, str, str]]
) -> None:
    value = holder[key]
    if isinstance(value, str):
        # A constant is no path, whatever it reads like.
        if where.endswith((".const", ".regex", ".pattern", ".walk")):
            return
        renewed = pattern.sub(lambda _: new, value)
        if renewed != value:
            changed.append((where, str(value), renewed))
            holder[key] = renewed
    elif isinstance(value, MutableMapping):
        for name in list(value):
            _replace(value, name, f"{where}.{name}", pattern, new, changed)
    elif isinstance(value, MutableSequence):
        for index in range(len(value)):
            _replace(value, index, f"{where}[{index}]", pattern, new, changed)


def try_settings(workspace: Workspace, text: str, stream: str) -> Trial:
    """A dry run of one stream under other settings, in a copy. Nothing of the workspace changes."""
    with workspace_copy(workspace.root) as copy:
        write_bytes(copy.root, str(paths.SETTINGS), text.encode(), 0o600)
        ran = Workspace(copy.root).engine(
            ["materialize", "--dry-run", "--json", "--stream", stream], seconds=DRY_RUN_SECONDS
        )
    return _trial(ran, stream)


def _trial(ran: Ended, stream: str) -> Trial:
    try:
        report = json.loads(ran.text)
        counts = next(each for each in report["streams"] if each["name"] == stream)
        lines, mapped, looked_up, skipped = (
            int(counts.get(key, 0)) for key in ("lines", "mapped", "looked_up", "skipped")
        )
    except (ValueError, KeyError, TypeError, AttributeError, StopIteration):
        return Trial(False, ran.reason)
    ok = ran.exit_code == 0 and mapped + looked_up > 0
    never = tuple(str(path) for path in counts.get("paths_never_found") or ())
    said = f"{mapped + looked_up} of {plural(lines, 'line')} mapped, {skipped} skipped"
    return Trial(ok, said, never)


def plan_stream_edits(planning: Planning, stream: str, pairs: Sequence[tuple[str, str]]) -> Draft:
    """(old, new) names of one stream as one edit, tried first. Raises RefusedError when it maps nothing."""
    before, text = read_settings(planning)
    changed: list[tuple[str, str, str]] = []
    for old, new in pairs:
        edit = edit_stream(text, stream, old, new)
        text, changed = edit.text, [*changed, *edit.changed]
    told = ", ".join(f"{new} instead of {old}" for old, new in pairs)
    return _tried(planning, stream, before, Edit(text, tuple(changed)), f"Stream {stream} reads {told}")


def plan_stream_path(planning: Planning, stream: str, path: str) -> Draft:
    """Point ``stream`` at other files, tried first. Raises RefusedError when no line there maps."""
    before, text = read_settings(planning)
    edit = edit_stream_path(text, stream, path)
    return _tried(planning, stream, before, edit, f"Stream {stream} reads {path}")


def read_settings(planning: Planning) -> tuple[FileState, str]:
    """``distill.toml`` as it is. Raises RefusedError where there is none, or it is no text."""
    path = str(paths.SETTINGS)
    before = planning.state(path)
    if before.is_absent:
        raise refused("no_settings", "There is no distill.toml.", "Restore it: distill restore distill.toml")
    try:
        return before, read_bytes(planning.workspace.root, path).decode()
    except UnicodeDecodeError as error:
        raise _unreadable(error) from error


def parsed_settings(text: str) -> tomlkit.TOMLDocument:
    """Raises RefusedError."""
    # Not at the top: each look of the runbook imports this file, and edits nothing.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        return tomlkit.parse(text)
    except TOMLKitError as error:
        raise _unreadable(error) from error


def _unreadable(error: Exception) -> RefusedError:
    return refused("settings_broken", f"distill.toml cannot be parsed: {error}.", "Correct it.")


def _tried(planning: Planning, stream: str, before: FileState, edit: Edit, title: str) -> Draft:
    """The plan, once a dry run in a copy has mapped lines with the new settings."""
    trial = try_settings(planning.workspace, edit.text, stream)
    # A line whose fields are all optional is mapped to nothing, which is no repair.
    missed = [now for _, _, now in edit.changed if now in trial.never_found]
    if not trial.ok or missed:
        why = f"no line has {', '.join(missed)}" if missed else trial.said
        changes = ", ".join(f"{was} → {now}" for _, was, now in edit.changed)
        raise refused(
            "dry_run_failed",
            f"With {changes}, stream {stream} is not repaired: {why}.",
            "Look at a line of it: distill streams check",
        )
    data = edit.text.encode()
    told = "; ".join(f"{where}: {was} → {now}" for where, was, now in edit.changed)
    step = planning.rewritten(
        str(paths.SETTINGS), before, data, told, f"Edit distill.toml, stream {stream}: {told}"
    )
    return planning.draft(
        "stream_edit",
        title,
        [step],
        undo="Put distill.toml back as it was.",
        contents=[data],
        notes=[f"tried in a dry run: {trial.said}"],
    )


def plan_default_model(planning: Planning) -> Draft:
    """Take ``model`` out of ``[replay]``; comments and order stay. Raises RefusedError."""
    before, text = read_settings(planning)
    document = parsed_settings(text)
    section = document.get("replay")
    if not isinstance(section, MutableMapping) or "model" not in section:
        raise refused(
            "no_model_named", "distill.toml names no model in [replay].", "See: distill config show"
        )
    named = str(section["model"])
    del section["model"]
    data = document.as_string().encode()
    says = f'Take model = "{named}" out of [replay]; the default, extractive, answers then.'
    by_hand = f'Delete the line model = "{named}" below [replay] in distill.toml.'
    step = planning.rewritten(str(paths.SETTINGS), before, data, says, by_hand)
    return planning.draft(
        "default_model",
        "Back to the default model",
        [step],
        undo="Put distill.toml back as it was.",
        contents=[data],
    )


def plan_unset(planning: Planning, variable: str, value: str) -> Draft:
    """The environment names the model: only whoever set it can take it out."""
    step = Manual(
        says=f"{variable}={value} beats distill.toml. Take it out of the shell, unit or crontab that sets "
        "it, and start what runs in there again.",
        by_hand=f"unset {variable}",
    )
    return planning.draft(
        "unset_model",
        f"Take {variable} out of the environment",
        [step],
        undo=f"Set {variable} again.",
        reversible=False,
    )
