"""Which files belong to a stream, in an order that no file system chooses.

A file is named in provenance by its path below the workspace, or, when it lies in one of
``source_roots``, by ``@`` with the root's own name and the path below it: the name says
nothing of where on this machine the root is.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from pipeline.contracts import paths
from pipeline.contracts.faults import Fault, InputError, SettingsError
from pipeline.contracts.untrusted import visible
from pipeline.settings.confine import OUTPUTS, is_inside, resolved, source_roots
from pipeline.settings.model import EvaluationSettings, Settings, StreamSettings


class SourceFile(NamedTuple):
    """``relative`` is the name in provenance, ``path`` where the file is on this machine."""

    relative: str
    path: Path


def stream_files(
    workspace: Path, settings: Settings, stream: StreamSettings | EvaluationSettings
) -> list[SourceFile]:
    """The regular files that ``stream``, or an evaluation set, reads, sorted by the bytes of their names.

    Journals, their archives, the pipeline's own outputs and hidden files are never among them.
    Raises InputError for a link that leads out of the workspace and its source roots, and for a
    name that is not UTF-8.
    """
    roots = _named_roots(workspace, settings)
    found: dict[str, Path] = {}
    for pattern in stream.path:
        for path in _matches(workspace, pattern):
            relative = _name(path, workspace, roots)
            if _is_ours(relative) or not path.is_file():
                continue
            if not is_inside(path, workspace, list(roots.values())):
                raise _leaves(path, stream)
            found[_utf8(relative, stream)] = path
    return [SourceFile(name, found[name]) for name in sorted(found, key=os.fsencode)]


def resolve_source(workspace: Path, settings: Settings, relative: str) -> Path:
    """Where the file that provenance calls ``relative`` is on this machine. It need not exist.

    Raises InputError when the name leads out of the workspace and its source roots.
    """
    roots = _named_roots(workspace, settings)
    first, _, rest = relative.partition("/")
    path = roots[first[1:]] / rest if first.startswith("@") and first[1:] in roots else workspace / relative
    if not is_inside(path, workspace, list(roots.values())):
        raise InputError(
            Fault(
                code="source_outside",
                what_happened=f"{visible(relative)} is in neither the workspace nor its source_roots.",
                kept_safe="Nothing was read.",
                do_next="Name its directory in [workspace] source_roots, or restore that run's settings.",
                file=relative,
            )
        )
    return path


def _named_roots(workspace: Path, settings: Settings) -> dict[str, Path]:
    roots: dict[str, Path] = {}
    for root in source_roots(workspace, settings):
        if roots.setdefault(root.name, root) != root:
            raise SettingsError(
                Fault(
                    code="source_roots_alike",
                    what_happened=f"Two source_roots are both called {visible(root.name)}.",
                    kept_safe="Nothing was written.",
                    do_next="Provenance tells roots apart by their last name: link one under another name.",
                    file=str(paths.SETTINGS),
                )
            )
    return roots


def _matches(workspace: Path, pattern: str) -> Iterator[Path]:
    # glob.iglob, not Path.glob: it leaves hidden files out unless the pattern names them, as a
    # shell does, and takes an absolute pattern.
    for match in glob.iglob(pattern, root_dir=workspace, recursive=True):  # noqa: PTH207
        yield workspace / match


def _name(path: Path, workspace: Path, roots: dict[str, Path]) -> str:
    """The file's name in provenance. A file that is nowhere keeps its whole path, to be refused by."""
    lexical = Path(os.path.normpath(path))
    below = _below(lexical, workspace)
    if below is not None:
        return below
    # Roots are resolved, so a root that is itself reached through a link needs the same.
    real = resolved(lexical.parent) / lexical.name
    for root_name, root in roots.items():
        below = _below(real, root)
        if below is not None:
            return f"@{root_name}/{below}"
    return lexical.as_posix()


def _below(path: Path, root: Path) -> str | None:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else None


def _is_ours(relative: str) -> bool:
    path = PurePosixPath(relative)
    if any(path.is_relative_to(output) for output in OUTPUTS):
        return True
    in_journals = path.is_relative_to(paths.KNOWLEDGE_BASE)
    return in_journals and path.name.split(".", 1)[0] in paths.JOURNAL_STEMS


def _utf8(relative: str, stream: StreamSettings | EvaluationSettings) -> str:
    try:
        relative.encode()
    except UnicodeEncodeError:
        raise InputError(
            Fault(
                code="source_name_not_utf8",
                what_happened=f"The name of {visible(relative)} is not UTF-8, so no row could hold it.",
                kept_safe="It was not read; the last outputs are in place.",
                do_next=f"Rename it, or take it out of the path of {stream.name}.",
                file=visible(relative),
            )
        ) from None
    return relative


def _leaves(path: Path, stream: StreamSettings | EvaluationSettings) -> InputError:
    return InputError(
        Fault(
            code="source_outside",
            what_happened=f"{visible(str(path))} leads out of the workspace and its source_roots.",
            kept_safe="It was not read; the last outputs are in place.",
            do_next=f"Replace the link by the file, or name its directory in source_roots ({stream.name}).",
            file=str(path),
        )
    )
