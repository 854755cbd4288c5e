"""What a look at a stream found: the answer of ``streams.survey``, of which commands print."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from pipeline.streams.sight import Sight


@dataclass
class FileSurvey:
    """One file: ``used`` lines are mapped or looked up.

    ``ends_early`` says how an archive ends before its end; ``looks`` what a file looks like of which no
    line could be used; ``problem`` why it could not be read. ``is_items``: it is one JSON value, of which
    ``shape`` says what, and its lines are the items.
    """

    name: str
    lines: int = 0
    used: int = 0
    compression: str = ""
    ends_early: str = ""
    looks: str = ""
    is_items: bool = False
    shape: str = ""
    problem: str = ""

    @property
    def is_wanting(self) -> bool:
        """Whether something of it is lost, of which a person should know."""
        return bool(self.problem or self.ends_early or self.looks)


@dataclass
class StreamSurvey:
    """``lines == mapped + looked_up + skipped``, and ``skipped`` is the sum of ``reasons``."""

    name: str
    role: str
    files: list[str] = field(default_factory=list)
    of_files: list[FileSurvey] = field(default_factory=list)
    """One for each of ``files``."""
    refused: dict[str, str] = field(default_factory=dict)
    """What the path names and is no regular file → what it is instead."""
    files_with_mark: list[str] = field(default_factory=list)
    """Files that start with a byte order mark, which is read past."""
    lines: int = 0
    mapped: int = 0
    looked_up: int = 0
    evidence: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    details: dict[str, Counter[str]] = field(default_factory=dict)
    """Reason → what it was about → lines."""
    fields_never_found: list[str] = field(default_factory=list)
    """Evidence fields that have a rule and no value in any row."""
    fields_lost: dict[str, int] = field(default_factory=dict)
    """Those of ``fields_never_found`` that rows of the last run had → how many; by who knows the run."""
    paths_never_found: list[str] = field(default_factory=list)
    """Paths in the rules that no line has."""
    unmapped: Counter[str] = field(default_factory=Counter)
    """What lines hold and no rule names → lines (or items) with it."""
    of_turns: set[str] = field(default_factory=set)
    """Those of ``unmapped`` that are members of a conversation's turns."""
    kept_unasked: dict[str, str] = field(default_factory=dict)
    """Of those, what the reader of conversations keeps all the same → the field that it goes into."""
    lint: Counter[str] = field(default_factory=Counter)
    """What is wrong with conversations (``LintCode``) → rows."""
    flags: Counter[str] = field(default_factory=Counter)
    """Flags of the evidence → rows."""
    samples: list[dict[str, Any]] = field(default_factory=list)
    sight: Sight = field(default_factory=Sight)
    """What the rows would come to."""
    single_turns: int = 0
    """Rows whose conversation is one turn."""
    turns_of_tasks: dict[str, set[str]] = field(default_factory=dict)
    """Task → who speaks in the first of those rows."""
    task_path: str = ""
    joined_by: str = ""
    """The session's id by which lines are joined though the stream names no group."""
    """Where lines hold the task id, if that is a path."""

    @property
    def are_fragments(self) -> bool:
        """Whether each row is one turn of a task that has many: lines of sessions that nothing joins."""
        speakers = self.turns_of_tasks.values()
        return (
            any(len(roles) > 1 for roles in speakers)
            and self.single_turns == self.evidence
            and 2 * len(speakers) <= self.evidence
        )

    @property
    def skipped(self) -> int:
        return self.reasons.total()
