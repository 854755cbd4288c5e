"""Restore files from the last-good tag, blob by blob.

The tag is resolved to a commit once, and the plan names commit and blobs; a tag that moves
afterwards changes nothing. Nothing is checked out: no hook, filter or attribute has a say, so a
restored file is byte-identical to the tag's blob. Links, submodules and pointers to content
that lies elsewhere are refused.
"""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Iterable, Sequence

from pipeline.contracts.plurals import plural
from pipeline.platform.git import GitError
from pipeline.platform.git_objects import TreeEntry
from runbook.change.engine_layout import ENGINE, missing_imports
from runbook.change.files import checked
from runbook.change.plan import Draft, FileState, GitBlob, RemoveFile, Step, WriteFile
from runbook.change.planning import Planning
from runbook.change.refusals import refused

HEAD = "HEAD"  # what was committed last, in the place of a tag
_MOST_NAMED = 3
_POINTER = b"version https://git-lfs.github.com/"


def plan_restore(
    planning: Planning, paths: Sequence[str], *, tag: str | None = None, remove: Iterable[str] = ()
) -> Draft:
    """Put ``paths`` (files or folders) back to what the tag holds; take ``remove`` away.

    Files that are as they should be are left out. Where they would not fit the engine that stands
    there (the tag's has another layout), the tag's whole engine goes back. Raises RefusedError when
    the tag, a path in it or the target will not do, and when nothing differs.
    """
    remove = list(remove)
    name = tag or planning.workspace.last_good_tag
    commit = (planning.workspace.git.resolve(HEAD) if name == HEAD else None) or tagged_commit(planning, name)
    notes: tuple[str, ...] = ()
    try:
        blobs = _blobs(planning, commit, paths, name)
        restored = {entry.path: blob for entry, blob in blobs.items()}
        broken = missing_imports(planning.workspace.root, restored, remove)
        changes = planning.workspace.git.changes(commit, [ENGINE]) if broken else []
        # Modules that the tag does not have: where there are none, files are damaged, and nothing moved.
        if moved := [change.path for change in changes if change.kind == "added"]:
            notes = _other_layout(name, broken)
            blobs = _blobs(planning, commit, [*paths, ENGINE], name)
            remove += moved
    except GitError as error:
        raise refused("git_refused", f"No plan can be made: {error}.", "Try: git fsck") from error
    steps: list[Step] = []
    for entry, blob in blobs.items():
        before = planning.state(entry.path)
        after = FileState(sha256=hashlib.sha256(blob).hexdigest(), bytes=len(blob), mode=_mode(entry, before))
        if before != after:
            steps.append(_write(entry, before, after, name))
    steps += [
        RemoveFile(
            path=path,
            before=planning.state(path),
            says=f"Take {path} away: {name} does not have it.",
            by_hand=f"mv {shlex.quote(path)} /somewhere/safe/",
        )
        for path in dict.fromkeys(remove)
        if not planning.state(path).is_absent
    ]
    if not steps:
        raise refused(
            "nothing_to_restore",
            f"{', '.join(paths)}: as in {name} already.",
            "The cause lies elsewhere; diagnose on.",
        )
    one = steps[0].path if hasattr(steps[0], "path") else ""
    count = plural(len(steps), "file") if len(steps) > 1 else one
    return planning.draft(
        "restore",
        f"Restore {count} from {name}",
        steps,
        undo="Put the bytes and modes back that each file had before (kept in the incident's folder).",
        tag=name,
        commit=commit,
        notes=notes,
    )


def _other_layout(tag: str, broken: Sequence[str]) -> tuple[str, ...]:
    more = f", and {len(broken) - _MOST_NAMED} more" if len(broken) > _MOST_NAMED else ""
    return (
        f"the engine of {tag} has another layout than the one that stands here: modules moved between them",
        f"with the named files alone, {'; '.join(broken[:_MOST_NAMED])}{more}",
        f"so the whole folder {ENGINE}/ of {tag} goes back in this one plan",
    )


def tagged_commit(planning: Planning, tag: str) -> str:
    """The commit of the last-good tag. Raises RefusedError, saying what is missing."""
    git = planning.workspace.git
    if not git.is_repository:
        raise refused(
            "no_repository",
            "The workspace is not a git repository; there is nothing to restore from.",
            "Copy the file from another checkout or a backup.",
        )
    try:
        commit = git.resolve_tag(tag)
    except GitError as error:
        what = f"git cannot say whether there is a tag {tag}: {error}."
        raise refused("git_failed", what, "Look at git here: distill doctor") from error
    if commit is None:
        raise refused(
            "no_tag",
            f"There is no tag {tag}.",
            "Fetch it (git fetch --tags), or name another in distill.toml: [workspace] last_good_tag.",
        )
    return commit


def _blobs(planning: Planning, commit: str, paths: Sequence[str], tag: str) -> dict[TreeEntry, bytes]:
    """Raises RefusedError, GitError."""
    entries = _entries(planning, commit, paths, tag)
    blobs = planning.workspace.git.blobs([entry.oid for entry in entries])
    for entry in entries:
        if blobs[entry.oid].startswith(_POINTER):
            raise refused(
                "pointer",
                f"{entry.path} is a pointer to content outside the repository.",
                "Fetch it with git lfs, and put it there by hand.",
                entry.path,
            )
    return {entry: blobs[entry.oid] for entry in entries}


def _entries(planning: Planning, commit: str, paths: Sequence[str], tag: str) -> list[TreeEntry]:
    found: dict[str, TreeEntry] = {}
    for path in paths:
        checked(path)
        entries = planning.workspace.git.entries(commit, [path])
        inside = [entry for entry in entries if entry.path == path or entry.path.startswith(f"{path}/")]
        if not inside:
            raise refused(
                "not_in_tag", f"{tag} holds no {path}.", f"See: git ls-tree -r {shlex.quote(tag)}", path
            )
        for entry in inside:
            checked(entry.path)
            if not entry.is_regular:
                kind = "a submodule" if entry.is_submodule else "a link"
                raise refused(
                    "not_a_plain_file",
                    f"{entry.path} is {kind} in {tag}; only plain files are restored.",
                    "Restore that one with git, by hand.",
                    entry.path,
                )
            found[entry.path] = entry
    return list(found.values())


def _mode(entry: TreeEntry, before: FileState) -> int:
    """Git keeps one bit of a mode; the rest stays as the file had it."""
    if before.mode is None:
        return 0o755 if entry.permissions & 0o100 else 0o644
    readable = (before.mode & 0o444) >> 2
    return before.mode | readable if entry.permissions & 0o100 else before.mode & ~0o111


def _write(entry: TreeEntry, before: FileState, after: FileState, tag: str) -> WriteFile:
    # Beside first: a git that fails must not leave an empty file where one stood.
    place, beside = shlex.quote(entry.path), shlex.quote(f"{entry.path}.new")
    shown = f"git cat-file blob {entry.oid[:12]} > {beside} && mv {beside} {place}"
    return WriteFile(
        path=entry.path,
        before=before,
        after=after,
        content=GitBlob(oid=entry.oid),
        says=f"{'Create' if before.is_absent else 'Replace'} {entry.path} by the bytes it has in {tag}.",
        by_hand=shown,
    )
