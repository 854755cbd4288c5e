"""What can be found out about streams without rows: who read them last, and where the file may lie."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.reading.past_runs import committed_runs
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, record_probe
from runbook.probes.nearby_sources import Nearby, nearby
from runbook.probes.settings_history import tagged_settings
from runbook.probes.source_streams import SourceStream, declared_streams, files_of, relative_name
from runbook.probes.workspace import Workspace

PROBE = "nearby"
_TITLE = "Where the files may have gone"


class Missing(Record):
    """What was found about one stream. ``claims`` are (path, bytes, sha256) that a run read of it."""

    stream: str
    globs: tuple[str, ...]
    empty_files: tuple[str, ...]
    tagged_globs: tuple[str, ...]
    tagged_finds: tuple[str, ...]
    last_run: str | None
    last_lines: int
    claims: tuple[tuple[str, int, str], ...]
    found: tuple[Nearby, ...]


class Sought(Record):
    """``any_source`` and ``any_run`` tell whether the workspace has any at all."""

    missing: tuple[Missing, ...] = ()
    any_source: bool = False
    any_run: bool = False


def missing_probe(names: Sequence[str]) -> Probe:
    """The probe for the streams called ``names``."""

    def find(workspace: Workspace, _seconds: float) -> Sought:
        return Sought(
            missing=tuple(each for each in _look(workspace) if each.stream in names),
            any_source=any(files_of(workspace, each) for each in declared_streams(workspace.settings())),
            any_run=next(committed_runs(workspace.root), None) is not None,
        )

    return record_probe(PROBE, _TITLE, 60.0, find, _lines)


def _look(workspace: Workspace) -> list[Missing]:
    tagged = {each.name: each for each in declared_streams(tagged_settings(workspace))}
    found = []
    for stream in declared_streams(workspace.settings()):
        if stream.tier != 1:
            continue
        then = tagged.get(stream.name, stream)
        files = files_of(workspace, stream)
        run, lines, claims = _last_read(workspace, stream, then)
        moved_path = then.globs != stream.globs
        found.append(
            Missing(
                stream=stream.name,
                globs=stream.globs,
                empty_files=tuple(relative_name(workspace.root, path) for path in files),
                tagged_globs=then.globs if moved_path else (),
                tagged_finds=tuple(
                    relative_name(workspace.root, path)
                    for path in (files_of(workspace, then) if moved_path else ())
                    if path.stat().st_size
                ),
                last_run=run,
                last_lines=lines,
                claims=claims,
                found=tuple(nearby(workspace, stream, claims)),
            )
        )
    return found


def _last_read(
    workspace: Workspace, stream: SourceStream, then: SourceStream
) -> tuple[str | None, int, tuple[tuple[str, int, str], ...]]:
    """The newest run that read lines of it, how many, and the files it claims to have read."""
    for run in committed_runs(workspace.root):
        lines = run.counts_of(stream.name).get("lines", 0)
        if lines:
            claims = [
                (str(each["path"]), int(each["bytes"]), str(each["sha256"]))
                for each in run.claims("materialize", "inputs")
                if stream.reads(str(each.get("path"))) or then.reads(str(each.get("path")))
            ]
            return run.pipeline_run_id, lines, tuple(claims)
    return None, 0, ()


def _lines(found: Sought) -> Iterator[str]:
    for missing in found.missing:
        yield f"{missing.stream}: {', '.join(missing.globs)} finds {len(missing.empty_files)} files"
        if missing.last_run is not None:
            yield f"  run {missing.last_run} read {missing.last_lines:,} lines of it"
        yield from (f"  {each.told}" for each in missing.found)
        if missing.tagged_globs:
            yield f"  its path in the last-good tag: {', '.join(missing.tagged_globs)}"
