"""A03 to A07: rows that schemas take, lines that are conserved, hostile ones, offsets, duplicates."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.acceptance.engine_runs import forked
from pipeline.acceptance.fixture import REPEATS
from pipeline.acceptance.invariant import Invariant, Results, Tally
from pipeline.acceptance.isolation import BAD_SETTINGS
from pipeline.acceptance.jobs import Job
from pipeline.acceptance.scene import Scene
from pipeline.acceptance.write_watch import watch
from pipeline.acceptance.written import Written, source_lines
from pipeline.checks.runner import Outcome
from pipeline.contracts import paths
from pipeline.contracts.plurals import plural

# One for each row that P1 names; a schema that is not there any more accepts nothing.
SCHEMA_NAMES = (
    "baseline",
    "evidence",
    "incident_entry",
    "preference",
    "quarantined_row",
    "rag",
    "receipt",
    "release_manifest",
    "replay_run",
    "run_summary",
    "scored_run",
    "sft",
    "skip_row",
)
_CODE = re.compile(r"[a-z][a-z0-9_]*")
_HIDDEN = frozenset(("Cc", "Cf", "Cs", "Co", "Zl", "Zp"))
_SHUFFLED = "shuffled"


def jobs(scene: Scene) -> list[Job]:
    return [
        Job("golden", lambda: _judge_golden_rows(scene)),
        Job("looks", lambda: _look_at_hostile_rows(scene), after=("base",)),
        Job(_SHUFFLED, lambda: _run_with_repeats_elsewhere(scene)),
    ]


# A03


def _judge_golden_rows(scene: Scene) -> dict[str, Any]:
    # The models are engine code, and this process is a fork that ends with the job.
    watch(str(scene.root.path), str(scene.root.writes_log))
    from pipeline.schemas.golden_rows import judge
    from pipeline.schemas.registry import SCHEMAS

    judged = {}
    for schema in SCHEMAS:
        examined, failures = judge(schema)
        judged[schema.name] = {
            "examined": examined,
            "failures": [[failure.file, failure.line, failure.why] for failure in failures],
        }
    return judged


def _golden_rows(_scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    judged = results("golden")
    for name in SCHEMA_NAMES:
        tally.look(name in judged, f"there is no schema called {name}")
    for name, of_schema in judged.items():
        tally.examined += of_schema["examined"]
        for file, line, why in of_schema["failures"]:
            tally.wrong(f"{name}: {why}", file=f"pipeline/schemas/golden/{name}/{file}", line=line)
    return tally.outcome(f"{plural(len(judged), 'schema')}")


# A04


def _lines_conserved(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    base, expected = scene.base, scene.fixture.expected
    mapped: dict[tuple[str, int], list[int]] = {}
    for row in base.evidence:
        place = row["provenance"]
        mapped.setdefault((place["source_file"], place["line"]), []).append(place["part"])
    skipped = Counter((skip["file"], skip["line"]) for skip in base.skips)
    for skip in base.skips:
        has_reason = isinstance(skip["reason"], str) and _CODE.fullmatch(skip["reason"]) is not None
        tally.look(has_reason, "a skip without a reason code", file=skip["file"], line=skip["line"])
    lines: Counter[str] = Counter()
    looked_up: Counter[str] = Counter()
    for relative in sorted(str(paths.KNOWLEDGE_BASE / name) for name in scene.fixture.sources()):
        stream = stream_of(relative)
        counts = base.summary["streams"].get(stream, {})
        is_lookup = bool(counts.get("looked_up")) and not counts.get("evidence")
        for number, _, _ in source_lines(base.source_bytes(relative)):
            lines[stream] += 1
            accounts = skipped[relative, number] + ((relative, number) in mapped)
            if is_lookup and not accounts:
                looked_up[stream] += 1
                accounts = 1
            tally.look(
                accounts == 1,
                "neither mapped nor skipped" if not accounts else f"accounted for {accounts} times",
                file=relative,
                line=number,
            )
    parts_of = expected["parts"]
    for (file, line), parts in mapped.items():
        wanted = parts_of.get(file, {}).get(str(line), 1)
        tally.look(
            sorted(parts) == list(range(wanted)), f"parts {sorted(parts)} of {wanted}", file=file, line=line
        )
    for stream, wanted in expected["lines"].items():
        said = f"{stream}: {plural(lines[stream], 'line')}, the fixture has {wanted}"
        tally.look(lines[stream] == wanted, said)
        recounted = {
            "lines": lines[stream],
            "mapped": sum(1 for file, _ in mapped if stream_of(file) == stream),
            "looked_up": looked_up[stream],
            "skipped": sum(count for (file, _), count in skipped.items() if stream_of(file) == stream),
            "evidence": sum(len(parts) for (file, _), parts in mapped.items() if stream_of(file) == stream),
        }
        claimed = {name: base.summary["streams"].get(stream, {}).get(name) for name in recounted}
        tally.look(
            claimed == recounted, f"{stream}: the summary claims {claimed}, the files hold {recounted}"
        )
    return tally.outcome(
        f"{plural(sum(lines.values()), 'line')}, {plural(len(base.evidence), 'evidence row')}, "
        f"{plural(len(base.skips), 'skip')}"
    )


def stream_of(relative: str) -> str:
    """The fixture's files are named after their stream: ``attempts_1.jsonl``, ``chats.jsonl``."""
    return Path(relative).name.split(".", 1)[0].split("_", 1)[0]


# A05


def _look_at_hostile_rows(scene: Scene) -> list[str]:
    """Everything that prints rows, on rows that would steer a terminal: by a text, by a file's name."""
    workspace = scene.root.path
    hostile = [row for row in scene.base.evidence if row["stream"] == "hostile"]
    by_text = [row["run_id"] for row in hostile if has_hidden(row["instruction"], row["response"])]
    by_name = [row["run_id"] for row in hostile if has_hidden(row["provenance"]["source_file"])]
    runs = [*by_text[:1], *by_name[:1]]
    looks = [["materialize", "--dry-run"], ["streams", "check"]]
    looks += [[command, run_id] for run_id in runs for command in ("explain", "lineage")]
    names = []
    for number, argv in enumerate(looks):
        name = f"look-{number}"
        command, *rest = argv
        # Whether it likes what it sees is for other invariants; here only how it says so counts.
        forked(scene.root, name, [command, "-C", str(workspace), *rest])
        names.append(name)
    return names


def has_hidden(*texts: str | None) -> bool:
    return any(next(hidden_characters(text or ""), None) for text in texts)


def hidden_characters(text: str) -> Iterator[str]:
    """Characters that steer a terminal or turn a line around: controls, format, surrogates."""
    return (
        character for character in text if character != "\n" and unicodedata.category(character) in _HIDDEN
    )


def control_characters(text: str) -> Iterator[str]:
    """C0 but for the newline, DEL and C1: what no report may hold, JSON or not."""
    return (character for character in text if character != "\n" and unicodedata.category(character) == "Cc")


def _hostile_input(scene: Scene, results: Results) -> Outcome:
    tally = Tally()
    base = scene.base
    found = {
        (skip["file"], skip["line"]): (skip["byte_offset"], skip["reason"])
        for skip in base.skips
        if skip["stream"] == "hostile"
    }
    for row in base.evidence:
        if row["stream"] == "hostile":
            place = row["provenance"]
            found.setdefault((place["source_file"], place["line"]), (place["byte_offset"], "mapped"))
    for file, line, _, outcome in scene.fixture.hostile_outcomes():
        seen = found.pop((file, line), (None, "nothing"))[1]
        tally.look(seen == outcome, f"{seen} instead of {outcome}", file=file, line=line)
    for (file, line), (_, seen) in found.items():
        tally.wrong(f"{seen}, and there is no such line", file=file, line=line)
    for skip in base.skips:
        if skip["stream"] == "hostile":
            wanted = [
                entry
                for entry in scene.fixture.hostile_outcomes()
                if entry[:2] == (skip["file"], skip["line"])
            ]
            is_there = bool(wanted) and wanted[0][2] == skip["byte_offset"]
            tally.look(is_there, "skipped at another offset", file=skip["file"], line=skip["line"])
    looks = [*results("looks"), "base", *(f"bad-{name}" for name in BAD_SETTINGS)]
    for look in looks:
        said = b"".join((scene.root.said / f"{look}.{kind}").read_bytes() for kind in ("out", "err"))
        hidden = next(hidden_characters(said.decode("utf-8", "surrogateescape")), None)
        tally.look(hidden is None, f"printed U+{ord(hidden or ' '):04X}", file=f"said/{look}")
        tally.look(bool(said), "printed nothing, so that nothing is shown", file=f"said/{look}")
    for path in sorted((base.workspace / "reports").rglob("*")):
        if path.is_file():
            text = path.read_bytes().decode("utf-8", "surrogateescape")
            hidden = next(control_characters(text), None)
            relative = path.relative_to(base.workspace).as_posix()
            tally.look(hidden is None, f"holds U+{ord(hidden or ' '):04X}", file=relative)
    return tally.outcome(
        f"{len(scene.fixture.hostile_outcomes())} hostile lines, {plural(len(looks), 'command')} with output"
    )


# A06


def _provenance_resolves(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    base = scene.base
    sources: dict[str, dict[int, tuple[int, bytes]]] = {}
    for row in base.evidence:
        place = row["provenance"]
        file, line, offset = place["source_file"], place["line"], place["byte_offset"]
        if file not in sources:
            sources[file] = {at: (number, raw) for number, at, raw in source_lines(base.source_bytes(file))}
        number, raw = sources[file].get(offset, (0, b""))
        good = number == line and hashlib.sha256(raw).hexdigest() == place["sig_hash"]
        tally.look(
            good,
            f"the bytes at offset {offset} are not those of sig_hash",
            file=file,
            line=line,
            run_id=row["run_id"],
        )
    return tally.outcome(f"{len(base.evidence)} evidence rows in {plural(len(sources), 'file')}")


# A07


def _run_with_repeats_elsewhere(scene: Scene) -> None:
    """The repeated lines in the opposite order, dealt to the two files the other way."""
    lines = [line for name in REPEATS for line in scene.fixture.source(name).splitlines(keepends=True)]
    lines.reverse()
    dealt = {REPEATS[0]: b"".join(lines[1::2]), REPEATS[1]: b"".join(lines[::2])}
    scene.fork_run(_SHUFFLED, scene.install(_SHUFFLED, dealt))


def _duplicates_collapse(scene: Scene, _results: Results) -> Outcome:
    tally = Tally()
    raw = [line for name in REPEATS for _, _, line in source_lines(scene.fixture.source(name))]
    distinct = {hashlib.sha256(line).hexdigest() for line in raw}
    wanted = scene.fixture.expected["distinct_repeats"]
    tally.look(len(distinct) == wanted, f"the fixture holds {len(distinct)} different lines, not {wanted}")
    seen = []
    for name, written in (("in order", scene.base), ("dealt otherwise", scene.variant(_SHUFFLED))):
        rows = [row for row in written.evidence if row["stream"] == "repeats"]
        counted = Counter(row["provenance"]["sig_hash"] for row in rows)
        for digest in sorted(distinct):
            text = f"{name}: a line counts {counted[digest]} times"
            tally.look(counted[digest] == 1, text, file=str(paths.evidence_file("repeats")))
        tally.look(
            _duplicates_of(written) == len(raw) - len(distinct),
            f"{name}: {plural(_duplicates_of(written), 'duplicate')}",
        )
        seen.append({row["run_id"] for row in rows})
    tally.look(seen[0] == seen[1], "other run ids when the lines lie elsewhere")
    return tally.outcome(f"{plural(len(raw), 'line')}, {len(distinct)} different ones, in two orders")


def _duplicates_of(written: Written) -> int:
    return sum(
        1 for skip in written.skips if skip["stream"] == "repeats" and skip["reason"] == "duplicate_line"
    )


INVARIANTS = {
    "A03": Invariant(("golden",), _golden_rows),
    "A04": Invariant(("base",), _lines_conserved),
    "A05": Invariant(("base", "looks", "bad_settings"), _hostile_input),
    "A06": Invariant(("base",), _provenance_resolves),
    "A07": Invariant(("base", _SHUFFLED), _duplicates_collapse),
}
