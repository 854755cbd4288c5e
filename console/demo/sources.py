"""Which log files the demo copies, which stream settings read them, and where its material lies.

A directory may bring its own streams in a ``distill.toml``; otherwise the shipped settings for real logs are
used, reduced to the streams whose files are there. The material lies beside the code in a wheel, in
``fixtures/`` in a checkout.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import pipeline
from console.demo import generated_log
from pipeline.contracts import paths
from pipeline.contracts.faults import SettingsError

_LOG_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst")
_STREAM_HEADER = re.compile(r"^\[\[\s*stream\s*\]\]")
_STREAM_TABLE = re.compile(r"^\[\[?\s*stream\b")
_ANY_HEADER = re.compile(r"^\[")


@dataclass(frozen=True)
class Sources:
    """Files to copy into ``data/_kb/`` under their own names, and TOML text of their streams.

    ``generated_rows`` more lines are made up on the spot (``generated_log``). ``test_set`` is a file of
    items that must never be trained on, None for logs that are not the demo's own.
    """

    directory: Path
    files: tuple[Path, ...]
    streams: str
    generated_rows: int = 0
    test_set: Path | None = None

    @property
    def evaluation(self) -> str:
        """TOML text that declares the test set."""
        return "" if self.test_set is None else EVALUATION

    def with_generated_rows(self, rows: int) -> Sources:
        """The same and a generated stream; without rows, the same."""
        if rows <= 0:
            return self
        return replace(self, streams=f"{self.streams}\n{generated_log.STREAM}", generated_rows=rows)


def choose_sources(directory: Path | None) -> Sources:
    """The demo's sources: ``directory``'s, or the committed fixtures when it is None.

    Raises SettingsError when the directory has no log that a stream reads.
    """
    test_set = None
    if directory is None:
        directory, test_set = fixtures() / "streams", fixtures() / TEST_SET
    if not directory.is_dir():
        raise _refusal(directory, "is not a directory", "Name a directory with .jsonl logs.")
    files = _logs_in(directory)
    if not files:
        raise _refusal(directory, "has no .jsonl, .jsonl.gz or .jsonl.zst file", "Name another directory.")
    own = directory / paths.SETTINGS
    if own.is_file():
        return Sources(directory, files, "\n".join(stream_blocks(own)))
    names = [str(paths.KNOWLEDGE_BASE / file.name) for file in files]
    shipped = fixtures() / SHIPPED_STREAMS
    blocks = [block for block in stream_blocks(shipped) if _reads_any(block, names)]
    if not blocks:
        raise _refusal(
            directory,
            "has logs, but none that the shipped stream settings read",
            f"Put a distill.toml with [[stream]] sections into {directory}.",
        )
    return Sources(directory, files, "\n".join(blocks), test_set=test_set)


def copy_sources(sources: Sources, workspace: Path) -> None:
    """Copy, never link, so that the demo cannot change what it was filled from."""
    target = workspace / paths.KNOWLEDGE_BASE
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    for file in sources.files:
        copy = target / file.name
        shutil.copyfile(file, copy)
        copy.chmod(0o600)
    if sources.test_set is not None:
        copy = workspace / TEST_SET_IN_WORKSPACE
        copy.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copyfile(sources.test_set, copy)
        copy.chmod(0o600)
    if sources.generated_rows:
        generated = target / generated_log.FILE_NAME
        generated_log.generate(generated, sources.generated_rows)
        generated.chmod(0o600)


def stream_blocks(settings: Path) -> list[str]:
    """The text of each ``[[stream]]`` of a settings file, comments above it included.

    Raises SettingsError when the text and its parsed form disagree about the streams, which a
    multi-line string that looks like a header can bring about.
    """
    try:
        text = settings.read_text(encoding="utf-8")
        expected = tomllib.loads(text).get("stream", [])
        blocks = _split(text)
        found = [_only_stream(block) for block in blocks]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as cause:
        raise _refusal(settings, f"cannot be read: {cause}", f"Correct {settings}.") from cause
    if found != expected:
        raise _refusal(
            settings,
            "has [[stream]] sections that cannot be told from a text in them",
            "Write that text as one line.",
        )
    return blocks


def _split(text: str) -> list[str]:
    blocks: list[list[str]] = []
    pending: list[str] = []  # comments and blank lines, which belong to what follows them
    inside = False
    for line in text.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            pending.append(line)
            continue
        if _STREAM_HEADER.match(line):
            inside = True
            blocks.append([])
        elif _ANY_HEADER.match(line):
            inside = inside and _STREAM_TABLE.match(line) is not None
        if inside:
            blocks[-1].extend(pending)
            blocks[-1].append(line)
        pending = []
    return ["\n".join(block).strip("\n") + "\n" for block in blocks]


def _only_stream(block: str) -> Any:
    streams = tomllib.loads(block).get("stream", [])
    return streams[0] if len(streams) == 1 else None


def _reads_any(block: str, names: list[str]) -> bool:
    patterns = _only_stream(block).get("path", [])
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        if any(fnmatchcase(name, pattern) for name in names):
            return True
    return False


def _logs_in(directory: Path) -> tuple[Path, ...]:
    """Log files of a directory, or of ``data/_kb`` when it is a workspace. Journals stay out."""
    kept_apart = directory / paths.KNOWLEDGE_BASE
    place = kept_apart if kept_apart.is_dir() else directory
    found = [
        file
        for file in place.iterdir()
        if file.name.endswith(_LOG_SUFFIXES)
        and PurePosixPath(file.name).name.split(".", 1)[0] not in paths.JOURNAL_STEMS
        and file.is_file()
    ]
    return tuple(sorted(found))


def _refusal(place: Path, complaint: str, do_next: str) -> SettingsError:
    return SettingsError.of(
        code="demo_sources_unusable",
        what_happened=f"{place} {complaint}.",
        kept_safe="No workspace was built and nothing was changed.",
        do_next=do_next,
        file=str(place),
    )


SHIPPED_STREAMS = Path("settings/real-logs.toml")
TEST_SET = Path("evaluation/held_out.jsonl")
TEST_SET_IN_WORKSPACE = paths.KNOWLEDGE_BASE.parent / TEST_SET
EVALUATION = f"""\
# One logged run answers an item of this test set: it is refused, exports/decontamination.json says which.
[[evaluation]]
name = "held_out"
path = "{TEST_SET_IN_WORKSPACE}"
prompt = "question"
answer = "answer"
code = ["answer"]
"""


def fixtures() -> Path:
    """The directory with ``streams/`` and ``settings/``. Raises FileNotFoundError."""
    here = Path(__file__).resolve().parent
    for candidate in (here / "fixtures", here.parents[1] / "fixtures"):
        if (candidate / SHIPPED_STREAMS).is_file() and (candidate / "streams").is_dir():
            return candidate
    raise FileNotFoundError(f"the demo's fixtures are neither in {here} nor in {here.parents[1]}")


def engine_package() -> Path:
    """The directory of the installed engine's source."""
    return Path(pipeline.__path__[0]).resolve()
