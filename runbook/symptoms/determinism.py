"""What distill determinism saw, and who may be behind it: suspects, and a bisection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue

from pipeline.contracts import paths
from pipeline.contracts.plurals import plural
from pipeline.contracts.shell_words import joined
from pipeline.platform import disk
from pipeline.platform.code_digest import ROW_PACKAGES
from pipeline.platform.lenient_json import Json
from runbook.actions.bisect import find_commit, may_try
from runbook.case import Case
from runbook.probes.code_history import ENGINE, CodeHistory, code_history
from runbook.probes.evidence import Record
from runbook.probes.looks import Probe, data_probe
from runbook.probes.nondeterminism import Suspect, new_suspects, suspects
from runbook.probes.workspace import Workspace

REPORT = str(paths.DETERMINISM_REPORT)
_FEWEST_RUNS = 2
_AROUND = 60
SUSPECTS = "suspects"
BISECT = "bisect"
_SUSPECTS_SECONDS = 60.0
_BISECT_SECONDS = 1800.0
_MOST_SUSPECTS = 40


class Difference(Record):
    """The first place at which two runs part. ``line`` is None where a whole file is missing."""

    stage: str
    file: str
    line: int | None
    first_run: str
    second_run: str
    first: str
    second: str
    fields: tuple[str, ...]

    @property
    def place(self) -> str:
        where = f"{self.file}:{self.line}" if self.line is not None else self.file
        return f"{self.stage}: {where}" + (f" in {', '.join(self.fields[:5])}" if self.fields else "")

    @property
    def diff(self) -> tuple[str, ...]:
        """Both rows, cut to where they part, under the names of their runs."""
        start = next(
            (
                at
                for at, (one, other) in enumerate(zip(self.first, self.second, strict=False))
                if one != other
            ),
            min(len(self.first), len(self.second)),
        )
        begin = max(0, start - _AROUND)
        mark = "…" if begin else ""
        return (
            f"--- {self.file} ({self.first_run})",
            f"+++ {self.file} ({self.second_run})",
            *((f"@@ line {self.line} @@",) if self.line is not None else ()),
            f"-{mark}{self.first[begin:]}",
            f"+{mark}{self.second[begin:]}",
        )


class DeterminismReport(Record):
    """``runs`` is how many it took to see the difference, or to trust that there is none."""

    runs: int
    elapsed_seconds: float
    difference: Difference | None


def report_of(raw: Json | None) -> DeterminismReport | None:
    """A report as the command writes or prints it; None for what is none, or has members of another kind."""
    if raw is None or raw.get("kind") != "determinism":
        return None
    found, runs = raw.get("difference"), raw.get("runs")
    try:
        return DeterminismReport(
            runs=max(_FEWEST_RUNS, len(runs) if isinstance(runs, list) else 0),
            elapsed_seconds=float(raw.get("elapsed_seconds") or 0.0),
            difference=_difference(found) if isinstance(found, dict) else None,
        )
    except (ValueError, TypeError):
        return None


def _difference(found: Mapping[str, Any]) -> Difference:
    line, fields = found.get("line"), found.get("fields")
    names = ("stage", "file", "first_run", "second_run", "first", "second")
    return Difference(
        line=line if isinstance(line, int) else None,
        fields=tuple(str(each) for each in fields) if isinstance(fields, list) else (),
        **{name: str(found.get(name)) for name in names},
    )


def suspects_probe() -> Probe:
    """Files that differ from the tag first, what is new in them; where there is nothing, all files."""

    def find(workspace: Workspace, _seconds: float) -> tuple[list[str], JsonValue]:
        history = code_history(workspace)
        new = _new(workspace, history)
        found = new or _everywhere(workspace)
        where = "new since the last-good tag" if new else "none is new; those in code that makes rows"
        data: dict[str, JsonValue] = {
            "new": bool(new),
            "suspects": [each.model_dump(mode="json") for each in found[:_MOST_SUSPECTS]],
        }
        lines = [f"{plural(len(found), 'suspect')}, {where}", *(each.told for each in found[:_MOST_SUSPECTS])]
        return lines, data

    return data_probe(SUSPECTS, "Suspects in the code's syntax tree", _SUSPECTS_SECONDS, find)


def _new(workspace: Workspace, history: CodeHistory) -> list[Suspect]:
    """Raises GitError when the tag's version of a file cannot be read."""
    found = []
    for file in history.files:
        if file.kind == "missing" or not file.path.endswith(".py") or history.source != "workspace":
            continue
        before = workspace.git.bytes_at(history.commit, file.path) or b""
        found += new_suspects(before, disk.read_plain(workspace.root / file.path), file.path)
    return found


def _everywhere(workspace: Workspace) -> list[Suspect]:
    found = []
    for package in ROW_PACKAGES if workspace.runs_own_engine else ():
        for path in sorted((workspace.root / ENGINE / package).rglob("*.py")):
            found += suspects(disk.read_plain(path), path.relative_to(workspace.root).as_posix())
    return found


def bisect_probe(runs: int) -> Probe:
    """``git bisect run distill determinism`` in a throw-away clone, from the tag to HEAD."""
    check = ("determinism", "--runs", str(runs))

    def find(workspace: Workspace, seconds: float) -> tuple[list[str], JsonValue]:
        data = _bisected(workspace, check, seconds)
        return [f"{name}: {value}" for name, value in data.items() if value not in (None, "")], data

    argv = ("git", "bisect", "run", "distill", *check)
    return data_probe(BISECT, "git bisect from the last-good tag", _BISECT_SECONDS, find, argv)


def _bisected(workspace: Workspace, check: tuple[str, ...], seconds: float) -> dict[str, JsonValue]:
    """Raises GitError where the repository cannot be read."""
    git, tag = workspace.git, workspace.last_good_tag
    if not workspace.runs_own_engine:
        return {"says": "the engine is installed: this repository has no history of it"}
    good, head = git.resolve_tag(tag), git.resolve("HEAD")
    if good is None or head is None:
        return {"says": f"there is no tag {tag} to start from"}
    commits = git.log([ENGINE], since=good, limit=1000)
    uncommitted = [each.path for each in git.changes(head, [ENGINE])]
    data: dict[str, JsonValue] = {"tried": len(commits), "uncommitted": [*uncommitted]}
    if not commits:
        return data | {"says": f"no commit since {tag} touched the engine"}
    if not may_try(workspace, good, head):
        asks = joined(["distill", "trust", str(workspace.root), "--range", f"{good[:12]}..{head[:12]}"])
        return data | {"says": f"their engines would run, and nobody has agreed to that yet: {asks}"}
    found = find_commit(
        workspace,
        good=good,
        bad=head,
        check=check,
        seconds=seconds,
        under=(ENGINE,),
        prove_bad=bool(uncommitted),
    )
    if found.commit is None:
        return data | {"says": found.trouble, "log": found.log}
    return data | {"commit": found.commit.oid, "says": found.commit.told, "log": found.log}


def suspects_in(case: Case) -> tuple[bool, list[Suspect]]:
    """Whether the suspects are new since the tag, and the suspects."""
    output = case.outputs.get(SUSPECTS)
    data = output.members if output is not None else {}
    found = data.get("suspects")
    listed = found if isinstance(found, list) else []
    return data.get("new") is True, [Suspect.model_validate(each) for each in listed]
