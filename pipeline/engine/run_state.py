"""What the last committed run left behind, so that an unchanged source costs nothing.

``.distill/state.json`` remembers, by relative path, how each source was cut and what each output
holds. It is a cache: without it a run does the same work again and ends with the same hash.

A file is taken as unchanged when size, mtime and ctime are what they were; otherwise (a copied
workspace, a touched file) its digest decides.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

from pipeline.contracts import paths
from pipeline.contracts.faults import StorageError
from pipeline.engine.output import Output
from pipeline.platform import confined, disk
from pipeline.storage.digests import sha256_of_file

STATE_VERSION = 1


@dataclass(frozen=True)
class FileStamp:
    """Size and times of a file: equal stamps mean the same bytes."""

    size: int
    mtime_ns: int
    ctime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """Raises OSError."""
        stat = path.stat()
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)


@dataclass(frozen=True)
class SourceState:
    """One source file as the last run read it. ``keys`` are its chunks' cache keys, in order.

    ``context`` digests all that touches the rows besides the bytes; see ``WorkContext``. A file that was
    cut at line ends says how: at each multiple of ``chunk_bytes``, the last chunk beginning at byte
    ``last_start`` with line ``last_line``. ``chunk_bytes`` is 0 for any other.
    """

    stream: str
    relative: str
    stamp: FileStamp
    context: str
    bytes: int
    rows: int
    sha256: str
    keys: tuple[str, ...]
    chunk_bytes: int = 0
    last_start: int = 0
    last_line: int = 0


@dataclass
class RunState:
    """Everything remembered of the last committed run."""

    pipeline_run_id: str = ""
    fingerprint: str = ""
    sources: dict[str, SourceState] = field(default_factory=dict)
    outputs: dict[str, tuple[Output, FileStamp]] = field(default_factory=dict)

    def is_whole(self, workspace: Path, relative: str) -> bool:
        """Whether the standing output ``relative`` still has the bytes that were recorded.

        Where its times are others and its bytes are not, they are remembered with its times of now.
        """
        known = self.outputs.get(relative)
        if known is None:
            return False
        output, stamp = known
        path = workspace / relative
        try:
            now = FileStamp.of(path)
            if now == stamp:
                return True
            if now.size != output.bytes or sha256_of_file(path) != output.sha256:
                return False
        except OSError:
            return False
        self.outputs[relative] = output, now
        return True

    def standing_outputs(self, workspace: Path) -> dict[str, Output]:
        """The recorded outputs that are there and whole."""
        return {
            relative: output
            for relative, (output, _) in self.outputs.items()
            if self.is_whole(workspace, relative)
        }


def load(workspace: Path) -> RunState:
    """The remembered state; an empty one when there is none or it is not readable."""
    try:
        value = orjson.loads(disk.read_plain(workspace / paths.RUN_STATE))
        if value.get("state_version") != STATE_VERSION:
            return RunState()
        return RunState(
            pipeline_run_id=value["pipeline_run_id"],
            fingerprint=value["fingerprint"],
            sources={name: _source(entry) for name, entry in value["sources"].items()},
            outputs={
                name: (_output(entry["output"]), FileStamp(**entry["stamp"]))
                for name, entry in value["outputs"].items()
            },
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return RunState()


def _source(entry: dict[str, Any]) -> SourceState:
    return SourceState(**{**entry, "stamp": FileStamp(**entry["stamp"]), "keys": tuple(entry["keys"])})


def _output(entry: dict[str, Any]) -> Output:
    entry.pop("plan_digest", None)  # states of earlier engines have it
    return Output(**entry)


def save(workspace: Path, state: RunState) -> None:
    """Remember; a disk that refuses costs time in the next run, never data."""
    value = {
        "state_version": STATE_VERSION,
        "pipeline_run_id": state.pipeline_run_id,
        "fingerprint": state.fingerprint,
        "sources": {name: asdict(source) for name, source in state.sources.items()},
        "outputs": {
            name: {"output": asdict(output), "stamp": asdict(stamp)}
            for name, (output, stamp) in state.outputs.items()
        },
    }
    try:
        confined.write_file(workspace, paths.RUN_STATE, orjson.dumps(value))
    except StorageError:
        forget(workspace)


def forget(workspace: Path) -> None:
    """Remember nothing: the next run looks at every chunk again."""
    disk.discard(workspace / paths.RUN_STATE)


def fingerprint(*parts: str) -> str:
    """One digest of what must be equal for the last run's outputs to be this run's outputs."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
