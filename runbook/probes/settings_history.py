"""How ``distill.toml`` differs from what it was at the last-good tag, value by value, and by whose hand."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.contracts import paths
from pipeline.contracts.toml_document import parsed
from pipeline.contracts.untrusted import visible
from pipeline.platform import disk
from pipeline.platform.git_objects import Commit
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.workspace import Workspace

SETTINGS = "settings"
FILE = str(paths.SETTINGS)
_TITLE = "The settings since the last-good tag"
_SECONDS = 30.0
_LONGEST = 120
WHOLE = "(the whole file)"
"""Where a change is that leaves no TOML behind: no value can be told from another."""


class SettingChange(Record):
    """One value. ``where`` is ``scoring.partial_at``, or ``stream.runs.fields.reward``.

    ``by`` is the commit that changed it last (``not committed`` where none has it), ``at`` when, in
    seconds since the epoch.
    """

    where: str
    before: str
    after: str
    by: str = ""
    at: float | None = None

    @property
    def told(self) -> str:
        return f"{FILE} {self.where}: {self.before} → {self.after}"

    @property
    def told_by(self) -> str:
        """The same with whose hand it was."""
        return f"{self.told} ({self.by})" if self.by else self.told

    def is_of_stream(self, name: str) -> bool:
        return self.where.startswith(f"stream.{name}.") or self.where == f"stream.{name}"


class SettingsHistory(Record):
    """``trouble`` says why there is nothing to compare with; ``commits`` are those since the tag."""

    tag: str
    commit: str | None = None
    trouble: str = ""
    changes: tuple[SettingChange, ...] = ()
    commits: tuple[str, ...] = ()
    uncommitted: bool = False

    def under(self, *sections: str) -> tuple[SettingChange, ...]:
        return tuple(each for each in self.changes if each.where.split(".", 1)[0] in (*sections, WHOLE))


def settings_probe() -> Probe:
    """The probe that finds a ``SettingsHistory``."""
    return record_probe(SETTINGS, _TITLE, _SECONDS, lambda workspace, _: settings_history(workspace), _lines)


def _lines(found: SettingsHistory) -> list[str]:
    changes = [each.told_by for each in found.changes] or [found.trouble or f"as in {found.tag}"]
    return [visible(line) for line in [*changes, *found.commits]]


def tagged_settings(workspace: Workspace) -> dict[str, Any]:
    """``distill.toml`` of the last-good tag; empty where there is none. Raises GitError."""
    return _parsed(_tagged_bytes(workspace)[1])


def settings_history(workspace: Workspace) -> SettingsHistory:
    """Raises GitError."""
    git, tag = workspace.git, workspace.last_good_tag
    commit, before = _tagged_bytes(workspace)
    path = workspace.root / FILE
    after = disk.read_plain(path) if path.is_file() else b""
    head = git.resolve("HEAD")
    uncommitted = git.bytes_at(head, FILE) != after
    if commit is None or not before:
        trouble = f"there is no {FILE} of a tag {tag} to compare with"
        return SettingsHistory(tag=tag, trouble=trouble, uncommitted=head is not None and uncommitted)
    commits = git.log([FILE], since=commit) if head else []
    return SettingsHistory(
        tag=tag,
        commit=commit,
        changes=_changes_by_hand(workspace, before, commits, after),
        commits=tuple(each.told for each in commits),
        uncommitted=uncommitted,
    )


def _changes_by_hand(
    workspace: Workspace, before: bytes, commits: Sequence[Commit], after: bytes
) -> tuple[SettingChange, ...]:
    """Each change with the last of the ``commits`` (newest first) that touched its value."""
    if _toml(after) is None:
        return (SettingChange(where=WHOLE, before="TOML", after="no TOML"),)
    changes = [*_changes(_named(_parsed(before)), _named(_parsed(after)), "")]
    if not changes:
        return ()
    path = workspace.root / FILE
    versions = [
        (workspace.git.bytes_at(each.oid, FILE) or b"", each.told, float(each.when))
        for each in reversed(commits)
    ]
    versions.append((after, "not committed", path.stat().st_mtime if path.is_file() else 0.0))
    hands: dict[str, tuple[str, float]] = {}
    then = _named(_parsed(before))
    for data, by, at in versions:
        now = _named(_parsed(data))
        touched = [each.where for each in _changes(then, now, "")]
        hands |= {
            each.where: (by, at)
            for each in changes
            if any(_is_within(each.where, one) or _is_within(one, each.where) for one in touched)
        }
        then = now
    return tuple(
        each.model_copy(update={"by": hands[each.where][0], "at": hands[each.where][1]})
        if each.where in hands
        else each
        for each in changes
    )


def _is_within(where: str, whole: str) -> bool:
    return where == whole or where.startswith(f"{whole}.")


def _tagged_bytes(workspace: Workspace) -> tuple[str | None, bytes]:
    commit = workspace.git.resolve_tag(workspace.last_good_tag)
    return commit, workspace.git.bytes_at(commit, FILE) or b""


def _parsed(data: bytes) -> dict[str, Any]:
    return _toml(data) or {}


def _toml(data: bytes) -> dict[str, Any] | None:
    try:
        return dict(parsed(data))
    except (ValueError, RecursionError):
        return None


def _named(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Streams by name instead of by their place in the file."""
    listed = settings.get("stream")
    streams = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    by_name = {str(each.get("name")): each for each in streams}
    return {**settings, "stream": by_name} if by_name else dict(settings)


def _changes(before: object, after: object, where: str) -> Iterator[SettingChange]:
    # A section that one side lacks is told by its keys too; a whole stream is told as one.
    if before is None and isinstance(after, dict) and "." not in where:
        before = {}
    if after is None and isinstance(before, dict) and "." not in where:
        after = {}
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            yield from _changes(before.get(key), after.get(key), f"{where}.{key}" if where else str(key))
    elif before != after:
        yield SettingChange(where=where, before=_short(before), after=_short(after))


def _short(value: object) -> str:
    if value is None:
        return "not set"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
