"""What docs/scaling.md says beside its figures: what grows with what, and how a terabyte would be laid out.

Widths of records are those of the code, so that a record that grew is seen here.
"""

from __future__ import annotations

from pipeline.engine import candidates, conflicts, pass_rate, spool, task_groups
from pipeline.engine.chunk_index import DIGEST_BYTES, KEY_BYTES

_LINES = 10_000_000
_LONG_LINE_BYTES = 3_000
_TERABYTE_LINES = 10**12 // _LONG_LINE_BYTES
_ENGINE_BYTES = 26  # a line: tests/pipeline/engine/test_bounded_memory.py
_FIREWALL_BYTES = 20 + 88 // 5  # a run, and a rejected one in five: docs/benchmarks.md
_KEYS_AN_ANSWER = 4
_ANSWERS = _KEYS_AN_ANSWER * conflicts.RECORD_BYTES
_CANDIDATE = candidates.RECORD_BYTES
_SCRATCH = _ANSWERS + pass_rate.RECORD_BYTES + _CANDIDATE

_GROWS = (
    ("lines that were seen", f"{KEY_BYTES} bytes a line, in shards about 20", "", "mapping and reduce"),
    ("decisions on rows: conflict, why no pair, pass rate", "a byte each a row", "", "reduce to outputs"),
    ("answers, of which some have both verdicts", "", f"up to {_ANSWERS} bytes a row", "mapping and reduce"),
    ("judged runs by task", "", f"{pass_rate.RECORD_BYTES} bytes a row", "mapping and reduce"),
    (
        "candidates of pairs by task",
        "",
        f"{_CANDIDATE} bytes, the run id, 8 bytes a turn",
        "mapping and reduce",
    ),
    ("pairs", "", "two candidates each", "reduce to preference"),
    (
        "rows of an export by task",
        "a byte a row",
        f"{task_groups.RECORD_BYTES} bytes, the run id, 16 bytes a turn",
        "the limits of that export",
    ),
    ("samples that were seen", f"{KEY_BYTES} bytes an exported row, in shards about 20", "", "that export"),
    ("rows that a cap takes", "about 300 bytes each", "", "`max_rows`, `stream_caps`"),
    ("near-duplicates", "about 650 bytes a row", "", "where they are looked for"),
    ("digests of rows", "", f"{DIGEST_BYTES} bytes a row of an output", "kept for the next run"),
    ("the firewall's index", "about 20 bytes a run, 88 a rejected one", "", "the scan"),
    ("the same, kept for the next look", "ten times as much", "as much", "the scan of up to a million runs"),
)

# Percent of the CPU of a run after an append, at commit e76f0fb3 with one worker: clocks around functions.
_APPENDED = (
    ("start of the engine", 3, 4, 25),
    ("the firewall: its start, its scan of what is staged", 13, 7, 25),
    ("new chunks, digest of the source", 6, 12, 1),
    ("reduce: the indexes of all chunks", 8, 11, 5),
    ("reduce: conflicts, pairs of all tasks", 14, 17, 7),
    ("RAG and SFT, with quarantine", 33, 25, 17),
    ("preference, with quarantine", 13, 15, 4),
    ("evidence, verdicts, skips", 7, 5, 3),
    ("the rest", 3, 4, 13),
)


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.1f} GB"


LINES = (
    "## What grows with what",
    "",
    "Widths are those of records. `tests/pipeline/engine/test_bounded_memory.py` holds what",
    f"the engine keeps to {_ENGINE_BYTES} bytes for each further line.",
    "",
    "| what | in memory | on disk | when |",
    "|---|---|---|---|",
    *(f"| {' | '.join(row)} |" for row in _GROWS),
    "",
    f"Records beyond {spool.KEPT_BYTES >> 20} MiB of a kind are files in",
    f"`.distill/staging/<run>/scratch`, in {spool.PARTITIONS} partitions that are reduced one at a time.",
    "They go with the staged files: at the end of the run, or at the start of the next one after a kill.",
    "A task is never divided: one that holds most of a log is compared in memory.",
    "",
    f"Computed for {_LINES:,} lines: up to {_gigabytes(_LINES * (_SCRATCH + 20))} of scratch files, and",
    f"{_CANDIDATE * _LINES / spool.PARTITIONS / 1e6:.0f} MB of candidates a partition.",
    "",
    "## What an append costs",
    "",
    "Measured once each, load average 13 to 18 on 2 cores: percent of the CPU of that run with one worker.",
    "It took 21, 28 and 26 percent of what a run from scratch took with two. No command writes this.",
    "",
    "| what | 1 % more of 100,000 lines of 2.7 KB | a line more of 100,000 of 120 bytes | a line more of ten "
    "real logs, 12,753 lines |",
    "|---|---:|---:|---:|",
    *(f"| {' | '.join(map(str, row))} |" for row in _APPENDED),
    "",
    "Chunks that did not change are not mapped again; all rows are decided upon again, and an export is made",
    "anew from its first other row on. What it would take to spend less:",
    "",
    "- **Pairs kept by task**, under a digest of what they were chosen from, in a file of 256 partitions.",
    "  A prototype of 70 lines took a fifth of the time for pairs, with the same outputs, and made an append",
    "  of 1 % to 20,000 lines 1.13 times as fast (three rounds, interleaved). Not adopted for that.",
    "- **Standing rows in the place of rows made again.** With five attempts a task, 1 % of the lines",
    "  touches the tasks of one row in twenty, so that no chunk of 1 MiB is as it was: reuse is by row. A",
    "  row that is read back has to be proved, and its digest costs half of what a quarantine line costs to",
    "  make. To spare that, the standing file would be read through once and proved by the digest of the",
    "  whole. Not tried.",
    "- **Start**: about 37 percent of a line more on the real logs is the start of two programs.",
    "- **Memory kept from row to row**: with `M_TOP_PAD` at 16 MiB an append to 20,000 lines took 27,000",
    "  to 99,000 page faults for 133,000, and 0.65 s of system time for 0.88 s (three rounds);",
    "  by all CPU, 5.2 s, it was no faster. Not adopted.",
    "",
    "## A terabyte on a Dask cluster",
    "",
    f"Computed, not measured: {_TERABYTE_LINES / 1e6:.0f} million lines of {_LONG_LINE_BYTES:,} bytes;",
    "docs/operations/cluster.md says how to start one.",
    "",
    "- **Chunks**: with `--chunk-bytes 33554432`, 30,000 of them. Workers read sources from the shared",
    "  file system and put rows and indexes into the chunk cache there. This part divides by the workers.",
    "- **Reduce**: on the machine where the run was started. "
    f"{_gigabytes(_TERABYTE_LINES * _ENGINE_BYTES)} of memory,",
    f"  and up to {_gigabytes(_TERABYTE_LINES * (_SCRATCH + 20))} of scratch files.",
    "- **Outputs**: written by that machine, one after the other, from the cache: band width is the limit.",
    "- **Firewall**: reads evidence, verdicts and SFT rows there once more. "
    f"{_gigabytes(_TERABYTE_LINES * _FIREWALL_BYTES)} of memory.",
    "- **Disk**: chunk cache and outputs stand beside the sources; each output that takes a text holds it.",
)
